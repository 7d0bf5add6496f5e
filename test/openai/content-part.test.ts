import t from 'tap'
import { chatVerdict, jpegUrl, parse, pngUrl } from '../support/request-body.ts'

const content = (part: unknown): string => chatVerdict({ messages: [{ role: 'user', content: [part] }] })
const image = (url: unknown): string => content({ type: 'image_url', image_url: { url } })
const base64 = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('base64')
const at = 'messages[0].content[0]'

t.test('inline images', (t) => {
  t.equal(image(pngUrl), 'accepted')
  t.equal(image(jpegUrl), 'accepted')
  t.equal(image(`data:image/gif;base64,${base64('GIF89a..')}`), 'accepted')
  t.equal(image(`data:image/webp;base64,${base64('RIFF\x10\n\x00\x00WEBPVP8 ')}`), 'accepted')
  t.equal(content({ type: 'image_url', image_url: pngUrl }), 'accepted', 'the bare string of vLLM')
  t.equal(
    content({
      type: 'image_url',
      image_url: { url: pngUrl, detail: 'low' },
      cache_control: { type: 'ephemeral' },
    }),
    'accepted',
  )
  const call = parse('chat.completions', {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: jpegUrl.replace('data:image/jpeg', 'DATA:image/JPG') } },
        ],
      },
    ],
  })
  t.ok(JSON.stringify(call.fields).includes(jpegUrl), 'the URL is built anew')
  t.same(call.texts, [])
  t.end()
})

t.test('remote and local addresses', (t) => {
  const urls =
    `http://10.0.0.1/x https://example.com/a.png file:///etc/passwd ftp://h/x //h/x javascript:alert(1) /etc/passwd
    http://169.254.169.254/latest http://0x7f.1/ blob:x`.split(/\s+/)
  for (const url of [...urls, '', ' data:image/png;base64,AAAA', 'http://a\\@b/']) {
    t.equal(image(url), `remote_content_refused ${at}.image_url.url`, url)
    t.equal(content({ type: 'image_url', image_url: url }), `remote_content_refused ${at}.image_url`, url)
  }
  for (const type of ['video_url', 'audio_url'])
    t.equal(content({ type, [type]: { url: 'http://h/' } }), `remote_content_refused ${at}`)
  t.end()
})

t.test('data: URLs that are not plain images', (t) => {
  const png = pngUrl.slice('data:image/png;base64,'.length)
  const urls = [
    `data:image/png;name=AKIAIOSFODNN7EXAMPLE.png;base64,${png}`,
    `data:image/svg+xml;base64,${base64('<svg/>')}`,
    `data:text/html;base64,${base64('<b>')}`,
    `data:image/png,${png}`,
    `data:image/jpeg;base64,${png}`,
    `data:image/png;base64,${base64('not a png')}`,
    `data:image/png;base64,${png}!`,
    `data:image/png;base64,${png.slice(0, -1)}`,
    `data:image/png;base64,${png} `,
    'data:image/png;base64,',
    'data:,x',
    5,
    ['data:'],
  ]
  for (const url of urls) t.equal(image(url), `invalid_value ${at}.image_url.url`, String(url))
  t.end()
})

t.test('sizes and counts of media', (t) => {
  const large = `${pngUrl}${'A'.repeat(12 * 1024 * 1024)}`
  t.equal(image(large), `invalid_value ${at}.image_url.url`)
  const many = (count: number): string =>
    chatVerdict({
      messages: [
        {
          role: 'user',
          content: Array.from({ length: count }, () => ({ type: 'image_url', image_url: { url: pngUrl } })),
        },
      ],
    })
  t.equal(many(32), 'accepted')
  t.equal(many(33), 'invalid_value messages[0].content[32].image_url.url')
  t.end()
})

t.test('sound', (t) => {
  const audio = (data: unknown, format = 'wav'): string =>
    content({ type: 'input_audio', input_audio: { data, format } })
  t.equal(audio(base64('RIFF\x10\x00\x00\x00WAVEfmt ')), 'accepted')
  t.equal(audio(base64('ID3\x04\x00\x00'), 'mp3'), 'accepted')
  t.equal(audio(base64('ID3\x04\x00\x00'), 'flac'), `invalid_value ${at}.input_audio.format`)
  for (const data of ['http://h/x.wav', base64('text that is none'), '', 7])
    t.equal(audio(data), `invalid_value ${at}.input_audio.data`)
  t.end()
})

t.test('parts that cannot be screened, and unknown ones', (t) => {
  for (const type of ['image_embeds', 'audio_embeds', 'prompt_embeds'])
    t.equal(content({ type, [type]: 'AAAA' }), `token_ids_refused ${at}`)
  for (const type of ['file', 'input_file', 'thinking', 'tool_reference', 'image_pil'])
    t.equal(content({ type }), `unsupported_parameter ${at}`)
  t.equal(content({ type: 'hologram' }), `invalid_value ${at}.type`)
  t.equal(content({ text: 'x' }), `missing_field ${at}.type`)
  t.equal(content('x'), `invalid_value ${at}`)
  t.equal(content(17), `invalid_value ${at}`)
  t.equal(content({ type: 'text', text: 'x', uuid: 'y' }), `unknown_parameter ${at}.uuid`)
  t.equal(content({ type: 'text' }), `missing_field ${at}.text`)
  t.end()
})

t.test('media outside of user messages', (t) => {
  const part = { type: 'image_url', image_url: { url: pngUrl } }
  t.equal(chatVerdict({ messages: [{ role: 'system', content: [part] }] }), `unsupported_parameter ${at}`)
  t.equal(
    chatVerdict({ messages: [{ role: 'tool', tool_call_id: 'c', content: [part] }] }),
    `unsupported_parameter ${at}`,
  )
  t.equal(chatVerdict({ messages: [{ role: 'assistant', content: [part] }] }), `invalid_value ${at}.type`)
  t.end()
})
