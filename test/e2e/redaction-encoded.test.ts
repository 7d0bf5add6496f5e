// Values that a caller encoded, or cut over adjacent messages, through the running gateway: the model server's recorded
// request holds neither the value nor the token, and the record counts what was masked.
import { Buffer } from 'node:buffer'
import t from 'tap'
import { Scene } from '../support/scene.ts'

const scene = await Scene.open({ policies: {} })
t.teardown(() => scene.stack.stop())

const email = 'zaphod.beeblebrox@heartofgold.example'
const card = '4111 1111 1111 1111'
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const hex = (text: string): string => Buffer.from(text).toString('hex')

type Fields = Record<string, unknown>
const user = { role: 'user', content: 'hi' }

async function sent(fields: Fields): Promise<Fields> {
  const reply = await scene.chat(fields)
  t.equal(reply.status, 200, await reply.text())
  return JSON.parse(scene.stack.model.requests.at(-1)?.body ?? '') as Fields
}
const contents = (body: Fields): unknown[] => (body['messages'] as Fields[]).map(({ content }) => content)

t.test('tokens in a message', async (t) => {
  for (const token of [
    base64(email),
    hex(email),
    base64(base64(email)),
    [...Buffer.from(email)].map((byte) => byte.toString(16)).join(' '),
  ]) {
    const body = await sent({ messages: [{ role: 'user', content: `decode ${token}, please` }] })
    t.same(contents(body), ['decode [EMAIL_ADDRESS], please'])
    const record = scene.stack.audit().findLast(({ event }) => event === 'exchange.admitted')
    t.match(JSON.stringify(record), 'EMAIL_ADDRESS')
    t.notMatch(JSON.stringify(record), token)
  }
})

t.test('tokens in tool arguments, in results of tools and in descriptions', async (t) => {
  const json = JSON.stringify({ a: [base64(email)], b: hex(card) })
  const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: json } }
  const messages = [
    user,
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'c1', content: base64(card) },
  ]
  const tools = [{ type: 'function', function: { name: 'f', description: `like ${base64(email)}` } }]
  const body = await sent({ messages, tools })
  const [, assistant, result] = body['messages'] as [
    Fields,
    { tool_calls: [{ function: { arguments: string } }] },
    Fields,
  ]
  t.same(JSON.parse(assistant.tool_calls[0].function.arguments), {
    a: ['[EMAIL_ADDRESS]'],
    b: '[CREDIT_CARD]',
  })
  t.equal(result['content'], '[CREDIT_CARD]')
  t.match(JSON.stringify(body['tools']), 'like [EMAIL_ADDRESS]')
})

t.test('values over the seams of messages and of parts', async (t) => {
  const messages = [
    { role: 'user', content: 'my card begins 4111 1111' },
    {
      role: 'user',
      content: [
        { type: 'text', text: '1111 1111. And I am 536-90' },
        { type: 'text', text: '-4399.' },
      ],
    },
  ]
  const body = await sent({ messages })
  t.equal(contents(body)[0], 'my card begins [CREDIT_CARD]')
  t.notMatch(JSON.stringify(body), /1111|536|4399/)
})

t.test('a key that is blocked is blocked in a token as well', async (t) => {
  const begin = '-----BEGIN RSA PRIVATE KEY-----'
  const key = `${begin}\n${'MIIEowIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun'.repeat(3)}\n-----END RSA PRIVATE KEY-----`
  const before = scene.stack.model.stats.requests
  const reply = await scene.chat({ messages: [user, { role: 'user', content: `keep ${base64(key)}` }] })
  t.match(await reply.json(), { error: { code: 'content_blocked', param: 'messages[1].content' } })
  t.equal(scene.stack.model.stats.requests, before)
})

t.test('an image is an image, and encoded text without a value stays', async (t) => {
  const png =
    'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgAAIAAAUAAeImBZsAAAAASUVORK5CYII='
  const content = `${base64('nothing to see here, really')} ${crypto.randomUUID()} ${png}`
  const messages = [
    {
      role: 'user',
      content: [
        { type: 'text', text: content },
        { type: 'image_url', image_url: { url: png } },
      ],
    },
  ]
  t.same(contents(await sent({ messages })), [messages[0]?.content])
})
