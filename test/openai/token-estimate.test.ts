import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { type CodeUnits, estimateCall, estimateTokens } from '../../src/openai/token-estimate.ts'
import { parse, pngUrl } from '../support/request-body.ts'

/** Bytes per token of real tokenizers (the larger counts of o200k and cl100k), measured on texts of each kind. */
const prose = `The gateway terminates mutual TLS, checks the bearer token against the certificate, and then asks the policy
whether this caller may use the model at all. If it may, the prompt is screened, tokens are set aside, and the request goes
to a server that has room for it.`
const source = readFileSync(join(import.meta.dirname, '../../src/openai/strict-json.ts'), 'utf8')
const random = (length: number, alphabet: string): string => {
  let state = 1
  const next = (): number => (state = (state * 48271) % 2147483647)
  return Array.from({ length }, () => alphabet[next() % alphabet.length]).join('')
}
const lower = 'abcdefghijklmnopqrstuvwxyz'
const base64 = random(10_000, `${lower.toUpperCase()}${lower}0123456789+/`)

const samples: [name: string, text: string, bytesPerToken: number, aboveMax: number][] = [
  ['English prose', prose, 4.8, 1.6],
  ['TypeScript', source, 4.3, 1.8],
  [
    'minified JSON',
    JSON.stringify({
      model: 'm',
      messages: Array.from({ length: 20 }, (_, id) => ({ id, role: 'user', content: prose })),
    }),
    4.2,
    1.8,
  ],
  ['CSV', Array.from({ length: 500 }, (_, row) => `${row * 37},${row * 1001},0.${row}`).join('\n'), 1.73, 2],
  ['base64', base64, 1.47, 1.25],
  ['random letters', random(10_000, lower), 2, 1.6],
  ['Chinese', '模型服务器的网关检查证书和令牌。'.repeat(50), 3.08, 1.4],
  ['emoji', '😀🚀👍'.repeat(100), 1.6, 2],
]

t.test('errs upwards, by a bounded factor', (t) => {
  for (const [name, text, bytesPerToken, aboveMax] of samples) {
    const real = Buffer.byteLength(text) / bytesPerToken
    const estimate = estimateTokens(text)
    t.ok(estimate >= real * 0.98, `${name}: ${estimate} is not below ${Math.round(real)}`)
    t.ok(estimate <= real * aboveMax, `${name}: ${estimate} is not far above ${Math.round(real)}`)
  }
  t.end()
})

t.test('long unbroken runs cannot hide', (t) => {
  for (const text of ['a'.repeat(10_000), 'A1b2'.repeat(2_500), '0'.repeat(10_000)])
    t.ok(estimateTokens(text) >= 10_000 / 1.5)
  t.ok(estimateTokens(' '.repeat(10_000)) > 500)
  t.ok(estimateTokens('\n'.repeat(10_000)) > 4_000)
  t.equal(estimateTokens(''), 0)
  t.equal(estimateTokens('hello'), 1)
  t.end()
})

t.test('never more than the bytes of the text, and never less for more text', (t: Test) => {
  const any = fc.string({ unit: 'binary', maxLength: 60 })
  const property = fc.property(any, any, (first, second) => {
    const whole = estimateTokens(first + second)
    return whole <= Buffer.byteLength(first + second) + 1 && whole >= estimateTokens(first)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
  t.end()
})

t.test('looks at each code unit once', (t) => {
  for (const text of ['a'.repeat(5_000), base64, ' '.repeat(5_000), '的'.repeat(5_000), source]) {
    let looks = 0
    const counted: CodeUnits = {
      length: text.length,
      charCodeAt(index) {
        looks += 1
        return text.charCodeAt(index)
      },
    }
    t.equal(estimateTokens(counted), estimateTokens(text))
    t.equal(looks, text.length)
  }
  t.end()
})

t.test('a call: texts, template, tools, media', (t) => {
  const chat = (fields: object): number => estimateCall(parse('chat.completions', fields))
  const user = (content: unknown) => ({ messages: [{ role: 'user', content }] })
  const small = chat(user('hi'))
  t.ok(small >= 10 && small < 30)
  t.ok(chat(user(prose)) >= small + prose.length / 5)
  t.equal(
    chat({
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'user', content: 'hi' },
      ],
    }) - small,
    chat({ messages: Array.from({ length: 3 }, () => ({ role: 'user', content: 'hi' })) }) -
      chat({ messages: Array.from({ length: 2 }, () => ({ role: 'user', content: 'hi' })) }),
  )
  const image = { type: 'image_url', image_url: { url: pngUrl } }
  t.equal(
    chat(user([image, image])) - chat(user([image])),
    1_500,
    'an image has a price that its bytes do not set',
  )
  const tools = [
    { type: 'function', function: { name: 'f', description: prose, parameters: { type: 'object' } } },
  ]
  t.ok(chat({ tools }) > small + estimateTokens(prose))
  const audio = {
    type: 'input_audio',
    input_audio: { format: 'mp3', data: Buffer.from(`ID3${'x'.repeat(99_999)}`).toString('base64') },
  }
  t.ok(chat(user([audio])) > 100)
  t.end()
})

t.test('every prompt of a call counts', (t) => {
  const one = estimateCall(parse('completions', { prompt: prose }))
  const three = estimateCall(parse('completions', { prompt: [prose, prose, prose] }))
  t.equal(three, one * 3)
  t.equal(estimateCall(parse('embeddings', { input: [prose, prose] })), one * 2)
  t.end()
})
