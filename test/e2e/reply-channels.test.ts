// What a model server could hide a value in beside plain text: escapes of JSON that the caller decodes, ids, times.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { endOf, eventsOf, Scene } from '../support/scene.ts'

let script: Script = {}
const scene = await Scene.open({ model: { script: () => script } })
t.teardown(() => scene.stack.stop())

const body = (json: object): Script => ({ contentType: 'application/json', body: [JSON.stringify(json)] })
const events = (...all: object[]): Script => ({
  contentType: 'text/event-stream',
  body: [...all.map((event) => `data: ${JSON.stringify(event)}\n\n`), 'data: [DONE]\n\n'],
})
const chunk = (delta: object, finish: string | null = null): object => ({
  choices: [{ index: 0, delta, finish_reason: finish }],
})

type Piece = { choices: { delta: { content?: string } }[] }
const contentOf = (stream: string): string =>
  eventsOf(stream)
    .map((event) => (event as Piece).choices[0]?.delta.content ?? '')
    .join('')

const hidden = String.raw`{"email":"ada\u0040example.com","card":"\u0034111111111111111"}`
const masked = { email: '[EMAIL_ADDRESS]', card: '[CREDIT_CARD]' }
const schema = { name: 'x', schema: { type: 'object' } }
const formats = [{ type: 'json_object' }, { type: 'json_schema', json_schema: schema }]

t.test('escapes in content that is JSON are decoded before it is screened', async (t) => {
  for (const response_format of formats) {
    script = body({ choices: [{ index: 0, finish_reason: 'stop', message: { content: hidden } }] })
    const whole = (await (await scene.chat({ response_format })).json()) as {
      choices: { message: { content: string } }[]
    }
    t.same(JSON.parse(whole.choices[0]?.message.content ?? ''), masked)
    script = events(...[...hidden].map((content) => chunk({ content })), chunk({}, 'stop'))
    const stream = await (await scene.chat({ response_format, stream: true })).text()
    t.same(JSON.parse(contentOf(stream)), masked)
  }
})

t.test('prose where JSON was asked for is screened as well', async (t) => {
  script = events(chunk({ content: 'Mail ada@example.com ' }), chunk({ content: 'now' }, 'stop'))
  const stream = await (await scene.chat({ response_format: formats[0], stream: true })).text()
  t.equal(contentOf(stream), 'Mail [EMAIL_ADDRESS] now')
})

const card = '4111111111111111'
const key = 'AKIAQ3EGWJ5T2ZLKMXYA'
const tools = [{ type: 'function', function: { name: 'f' } }]

t.test('no id and no time of a model server reaches the caller', async (t) => {
  const call = (id: string) => ({ index: 0, id, type: 'function', function: { name: 'f', arguments: '{}' } })
  const frame = { id: key, created: Number(card) }
  const message = { content: null, tool_calls: [call(card), call(key)] }
  script = body({ ...frame, choices: [{ index: 0, finish_reason: 'tool_calls', message }] })
  const whole = await scene.chat({ tools })
  const requestId = whole.headers.get('x-request-id')
  const text = await whole.text()
  t.notMatch(text, new RegExp(`${card}|${key}`))
  t.equal(JSON.parse(text).id, `chatcmpl-${requestId}`)
  t.ok(Math.abs(JSON.parse(text).created - Date.now() / 1000) < 3600)
  const closing = chunk({}, 'tool_calls')
  script = events({ ...chunk({ tool_calls: [call(card)] }), ...frame }, { ...closing, ...frame })
  const stream = await (await scene.chat({ tools, stream: true })).text()
  t.notMatch(stream, new RegExp(`${card}|${key}`))
  t.equal(endOf(stream), '[DONE]')
})

t.test('a tool call that is named in two pieces, and an end that names another choice', async (t) => {
  const offered = ['delete', '_all'].map((name) => ({ type: 'function', function: { name } }))
  const named = (name: string) => chunk({ tool_calls: [{ index: 0, id: 'c', function: { name } }] })
  script = events(named('delete'), named('_all'), chunk({}, 'tool_calls'))
  const joined = await (await scene.chat({ tools: offered, stream: true })).text()
  t.match(joined, /"code":"upstream_protocol"/)
  t.notMatch(joined, '_all')
  const foreign = { choices: [{ index: 7, delta: {}, finish_reason: 'stop' }] }
  script = {
    contentType: 'text/event-stream',
    body: events(chunk({ content: 'half' }), foreign).body?.slice(0, 2) ?? [],
  }
  const cut = await (await scene.chat({ stream: true })).text()
  t.match(cut, /"code":"upstream_protocol"/)
  t.notMatch(cut, 'DONE')
})
