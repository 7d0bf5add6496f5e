import t from 'tap'
import { parseCall, requestTables } from '../../src/openai/parse.ts'
import { refusedFields } from '../../src/openai/refused-field.ts'
import { jsonBounds } from '../../src/openai/strict-json.ts'
import { chatVerdict, goodBodies, parse, verdict, verdictOf } from '../support/request-body.ts'

const endpoints = ['chat.completions', 'completions', 'embeddings'] as const
const raw = (body: string): string =>
  verdictOf(() => parseCall('chat.completions', Buffer.from(body), { unknownFields: 'refuse' }))

t.test('the facts of a call', (t) => {
  const call = parse('chat.completions', {
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: false },
    n: 2,
    max_tokens: 100,
    max_completion_tokens: 50,
    logprobs: true,
    top_logprobs: 4,
    tools: [
      { type: 'function', function: { name: 'weather' } },
      { type: 'custom', custom: { name: 'shell' } },
    ],
    functions: [{ name: 'old' }],
    response_format: { type: 'json_object' },
  })
  t.match(call, {
    endpoint: 'chat.completions',
    model: 'm1',
    stream: true,
    usageShown: true,
    choices: 2,
    prompts: 1,
    outputTokensMax: 50,
    logprobs: 4,
    tools: ['weather', 'shell', 'old'],
    responseFormat: 'json_object',
    obfuscation: false,
    dropped: [],
  })
  t.match(parse('chat.completions'), {
    stream: false,
    usageShown: false,
    obfuscation: undefined,
    choices: 1,
    logprobs: undefined,
    tools: [],
    responseFormat: undefined,
    outputTokensMax: 16,
  })
  t.end()
})

t.test('logprobs by every way to ask', (t) => {
  const asked = (fields: object) => parse('chat.completions', fields).logprobs
  t.equal(asked({ logprobs: true }), 0)
  t.equal(asked({ logprobs: false }), undefined)
  t.equal(asked({ top_logprobs: 3 }), 3)
  t.equal(asked({ logprobs: false, top_logprobs: 0 }), 0, 'a server may read it either way')
  t.equal(parse('completions', { logprobs: 0 }).logprobs, 0)
  t.end()
})

t.test('structured outputs count as a schema', (t) => {
  t.equal(
    parse('chat.completions', { structured_outputs: { json: { type: 'object' } } }).responseFormat,
    'json_schema',
  )
  t.end()
})

t.test('bodies that are no call', (t) => {
  for (const body of ['[]', 'null', '1', '"x"']) t.equal(raw(body), 'invalid_value', body)
  for (const body of ['', '{', '{"model":"a","model":"b"}', '{"__proto__":{}}', '\ufeff{}'])
    t.equal(raw(body), 'invalid_json', JSON.stringify(body))
  t.equal(raw(`{"x":${'['.repeat(100)}`), 'json_too_complex')
  t.equal(raw('{}'), 'missing_field model')
  t.equal(raw('{"model":"m"}'), 'missing_field messages')
  const bounds = { ...jsonBounds, keysMax: 3 }
  const act = () =>
    parseCall('embeddings', Buffer.from('{"model":"m","input":"x","user":"u","dimensions":1}'), {
      unknownFields: 'refuse',
      bounds,
    })
  t.equal(verdictOf(act), 'json_too_complex')
  t.end()
})

t.test('model names', (t) => {
  for (const model of ['m1', 'meta-llama/Llama-3.1-8B-Instruct', 'a:b@c+d_e.f'])
    t.equal(chatVerdict({ model }), 'accepted', model)
  for (const model of ['', 'a b', 'a\nb', 'é', 'x'.repeat(257), '../x\\', 5, ['m1'], 'a\u0000']) {
    t.equal(chatVerdict({ model }), 'invalid_value model', JSON.stringify(model))
  }
  t.end()
})

t.test('stream is a boolean and its options a closed list', (t) => {
  t.equal(chatVerdict({ stream: 'true' }), 'invalid_value stream')
  t.equal(chatVerdict({ stream: 1 }), 'invalid_value stream')
  t.equal(chatVerdict({ stream: null }), 'accepted')
  t.equal(
    chatVerdict({ stream_options: { include_usage: true, other: 1 } }),
    'unknown_parameter stream_options.other',
  )
  t.equal(chatVerdict({ stream_options: { include_usage: 1 } }), 'invalid_value stream_options.include_usage')
  t.equal(
    chatVerdict({ stream_options: { include_obfuscation: 'no' } }),
    'invalid_value stream_options.include_obfuscation',
  )
  for (const wish of [true, false])
    t.equal(parse('chat.completions', { stream_options: { include_obfuscation: wish } }).obfuscation, wish)
  t.end()
})

t.test('unknown fields, by policy', (t) => {
  for (const endpoint of endpoints) {
    t.equal(verdict(endpoint, { brand_new: 1 }), 'unknown_parameter brand_new')
    t.equal(verdict(endpoint, { extra_body: { chat_template: 'x' } }), 'unknown_parameter extra_body')
    const call = parse(endpoint, { brand_new: 1, extra_body: { a: 'b' } }, 'drop')
    t.same(call.fields, goodBodies[endpoint])
    t.same(call.dropped, ['brand_new', 'extra_body'])
  }
  t.end()
})

t.test('a dangerous field is refused under every policy, and harmless as null', (t) => {
  const names = Object.keys(refusedFields)
  t.ok(names.length > 100)
  for (const endpoint of endpoints) {
    for (const unknownFields of ['refuse', 'drop'] as const) {
      const outcomes = names.map((name) => verdict(endpoint, { [name]: { any: 'thing' } }, unknownFields))
      const refusal = /^(?:unsupported_parameter|token_ids_refused|remote_content_refused) (\w+)$/
      t.same(
        outcomes.map((outcome) => refusal.exec(outcome)?.[1]),
        names,
        `${endpoint} ${unknownFields}`,
      )
    }
    const nothing = Object.fromEntries(names.map((name) => [name, null]))
    t.same(parse(endpoint, nothing).fields, goodBodies[endpoint])
  }
  t.end()
})

t.test('tables hold rules for the fields they require', (t) => {
  for (const { fields, required } of Object.values(requestTables)) {
    for (const name of required) t.type(fields[name], 'function')
  }
  t.end()
})
