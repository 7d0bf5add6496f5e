// A secret in every place where a caller can write: the model server's recorded request never holds it, and what the
// audit record counts is what was masked.
import t from 'tap'
import { Scene } from '../support/scene.ts'

const scene = await Scene.open({ policies: {} })
t.teardown(() => scene.stack.stop())

const email = 'zaphod.beeblebrox@heartofgold.example'
const key = 'AKIAIOSFODNN7EXAMPLE'
const card = '4111111111111111'
const values = { EMAIL_ADDRESS: email, AWS_ACCESS_KEY: key, CREDIT_CARD: card }

type Fields = Record<string, unknown>
const user = { role: 'user', content: 'hi' }
const chat = (fields: Fields): [string, Fields] => [
  '/v1/chat/completions',
  { model: 'demo', messages: [user], max_tokens: 16, ...fields },
]
const said = (...messages: Fields[]) => chat({ messages: [...messages, user] })
const tool = (parameters: Fields, more: Fields = {}) =>
  chat({ tools: [{ type: 'function', function: { name: 'f', ...more, parameters } }] })
const call = (text: string) => ({ id: 'c1', type: 'function', function: { name: 'f', arguments: text } })
const image = (header: string) =>
  `data:image/png${header};base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgAAIAAAUAAeImBZsAAAAASUVORK5CYII=`
const escaped = (text: string): string =>
  [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')

/** Where the secret `s` goes. A place that is refused outright keeps it as well. */
const places: Record<string, (s: string) => [string, Fields | string]> = {
  'user text': (s) => said({ role: 'user', content: `I am ${s}.` }),
  'a text part': (s) => said({ role: 'user', content: [{ type: 'text', text: `I am ${s}` }] }),
  'system text': (s) => said({ role: 'system', content: s }),
  'developer text': (s) => said({ role: 'developer', content: [{ type: 'text', text: s }] }),
  'assistant text': (s) => said({ role: 'assistant', content: s }),
  'assistant refusal': (s) => said({ role: 'assistant', refusal: s }),
  'assistant reasoning': (s) => said({ role: 'assistant', content: 'x', reasoning_content: s }),
  'a tool result': (s) =>
    said(
      { role: 'assistant', content: null, tool_calls: [call('{}')] },
      { role: 'tool', tool_call_id: 'c1', content: `found ${s}` },
    ),
  'tool call arguments': (s) =>
    said(
      { role: 'assistant', content: null, tool_calls: [call(JSON.stringify({ a: [s] }))] },
      { role: 'tool', tool_call_id: 'c1', content: 'x' },
    ),
  'tool call arguments in escapes': (s) =>
    said(
      { role: 'assistant', content: null, tool_calls: [call(`{"a":"${escaped(s)}"}`)] },
      { role: 'tool', tool_call_id: 'c1', content: 'x' },
    ),
  'a key of tool call arguments': (s) =>
    said(
      { role: 'assistant', content: null, tool_calls: [call(JSON.stringify({ [s]: 1 }))] },
      { role: 'tool', tool_call_id: 'c1', content: 'x' },
    ),
  'a tool call id': (s) =>
    said(
      { role: 'assistant', content: null, tool_calls: [{ ...call('{}'), id: s }] },
      { role: 'tool', tool_call_id: s, content: 'x' },
    ),
  'a legacy function call': (s) =>
    said(
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: JSON.stringify({ s }) } },
      { role: 'function', name: 'f', content: s },
    ),
  'the name of a participant': (s) => said({ role: 'user', content: 'x', name: s }),
  'the description of a tool': (s) => tool({ type: 'object', properties: {} }, { description: `Ask ${s}` }),
  'a description in a schema': (s) =>
    tool({ type: 'object', properties: { a: { type: 'string', description: s } } }),
  'an enum in a schema': (s) =>
    tool({ type: 'object', properties: { a: { type: 'string', enum: [s, 'b'] } } }),
  'a default in a schema': (s) => tool({ type: 'object', properties: { a: { type: 'string', default: s } } }),
  'examples in a schema': (s) =>
    tool({ type: 'object', properties: { a: { type: 'string', examples: [s] } } }),
  'a constant in a schema': (s) => tool({ type: 'object', properties: { a: { const: s } } }),
  'a property of a schema': (s) => tool({ type: 'object', properties: { [s]: { type: 'string' } } }),
  'a response format': (s) =>
    chat({
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', description: s, schema: { type: 'object', title: s } },
      },
    }),
  'a stop string': (s) => chat({ stop: s }),
  'stop strings': (s) => chat({ stop: ['x', s] }),
  'the user': (s) => chat({ user: s }),
  metadata: (s) => chat({ metadata: { about: s } }),
  'a prediction': (s) => chat({ prediction: { type: 'content', content: s } }),
  documents: (s) => chat({ documents: [{ title: s, text: s }] }),
  'the name of a tool': (s) => chat({ tools: [{ type: 'function', function: { name: s } }] }),
  'a parameter of an image': (s) =>
    said({ role: 'user', content: [{ type: 'image_url', image_url: { url: image(`;name=${s}`) } }] }),
  'a file': (s) =>
    said({
      role: 'user',
      content: [{ type: 'file', file: { filename: s, file_data: `data:text/plain;base64,${btoa(s)}` } }],
    }),
  'a legacy prompt': (s) => ['/v1/completions', { model: 'demo', prompt: `Say ${s}`, max_tokens: 9 }],
  'one of several prompts': (s) => ['/v1/completions', { model: 'demo', prompt: ['x', s], max_tokens: 9 }],
  'a suffix': (s) => ['/v1/completions', { model: 'demo', prompt: 'x', suffix: s, max_tokens: 9 }],
  'an input to embed': (s) => ['/v1/embeddings', { model: 'demo', input: s }],
  'one of several inputs': (s) => ['/v1/embeddings', { model: 'demo', input: ['x', s] }],
  'an unknown field': (s) => chat({ note: s }),
  'the model name': (s) => chat({ model: s }),
  'escapes of the body': (s) => [
    '/v1/chat/completions',
    `{"model":"demo","messages":[{"role":"user","content":"${escaped(s)}"}]}`,
  ],
  'a second content that a last-key parser would read': (s) => [
    '/v1/chat/completions',
    `{"model":"demo","messages":[{"role":"user","content":"hi","content":"${s}"}]}`,
  ],
}

/** Fields that no model server needs: they end here, with what they hold. */
const dropped = ['the user', 'metadata']

const sum = (findings: unknown): number =>
  (findings as { count: number }[]).reduce((total, { count }) => total + count, 0)

for (const [place, write] of Object.entries(places)) {
  t.test(`in ${place}`, async (t) => {
    for (const [entity, value] of Object.entries(values)) {
      const { model } = scene.stack
      const before = model.stats.requests
      const [path, body] = write(value)
      const reply = await scene.stack.post(path, body)
      const text = await reply.text()
      const seen = model.requests.slice(before - model.stats.requests || model.requests.length)
      t.notMatch(JSON.stringify(seen), value)
      t.notMatch(text, value, 'nor is it quoted back')
      if (reply.status !== 200) {
        t.ok([400, 403, 404].includes(reply.status), `refused with ${reply.status}`)
        t.equal(seen.length, 0)
        continue
      }
      const placeholders = seen[0]?.body.split(`[${entity}]`).length ?? 0
      t.equal(placeholders > 1, !dropped.includes(place), 'masked in its place')
      const records = scene.stack.audit().filter(({ event }) => event === 'exchange.admitted')
      t.equal(sum(records.at(-1)?.['prompt_findings']), placeholders - 1, 'the record counts each')
      t.equal(reply.headers.get('x-sallyport-redactions'), String(placeholders - 1))
      t.match(JSON.parse(seen[0]?.body ?? ''), { model: 'demo' }, 'the body is whole')
    }
  })
}

t.test('what is not a secret passes as it was written', async (t) => {
  const content = 'Zimbabwe \u{1f600} "quoted" \\ back\nslash \u2028 1234 4111 1111 1111 1112'
  await scene.stack.post(...chat({ messages: [{ role: 'user', content }] }))
  t.equal(JSON.parse(scene.stack.model.requests.at(-1)?.body ?? '').messages[0].content, content)
})
