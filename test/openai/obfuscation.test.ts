import fc from 'fast-check'
import t from 'tap'
import type { Json, JsonObject } from '../../src/openai/call.ts'
import { isObfuscated, Obfuscation } from '../../src/openai/obfuscation.ts'
import { encodeEvent } from '../../src/openai/sse.ts'
import { serializeCall, servers } from '../../src/openai/upstream-body.ts'
import { parse } from '../support/request-body.ts'

const event = (delta: JsonObject, choice: JsonObject = {}): JsonObject => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: null, ...choice }],
})
const said = (content: string): JsonObject => event({ content })
const called = (text: string): JsonObject =>
  event({ tool_calls: [{ index: 0, function: { arguments: text } }] })
const completed = (text: string): JsonObject => ({ object: 'text_completion', choices: [{ index: 0, text }] })

const padding = new Obfuscation()
const written = (event: JsonObject, by = padding): string => by.encode(event)
const bytesOf = (event: JsonObject, by = padding): number => Buffer.byteLength(written(event, by))
const paddingOf = (event: JsonObject, by = padding): string => {
  const { obfuscation } = JSON.parse(written(event, by).slice('data: '.length)) as JsonObject
  return String(obfuscation)
}

/** How long a text is in an event, by what JSON makes of it. */
const inJson = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2

t.test('the member stands beside the choices, and nothing else changes', (t) => {
  const { obfuscation, ...rest } = JSON.parse(written(said(' Denmark')).slice('data: '.length)) as JsonObject
  t.same(rest, said(' Denmark'))
  t.match(obfuscation, /^[A-Za-z0-9_-]{24}$/)
  t.end()
})

t.test('every short token makes an event of the same length', (t) => {
  const tokens = ['', 'a', ' the', '\n', '"', '\\', '\u0001', 'é', '漢字', '🦜', 'x'.repeat(32), '\ud800']
  for (const make of [said, called, completed])
    t.equal(new Set(tokens.map((it) => bytesOf(make(it)))).size, 1)
  t.equal(bytesOf(said('x'.repeat(33))), bytesOf(said('')) + 32)
  t.equal(
    bytesOf(event({}, { finish_reason: 'stop' })),
    bytesOf(event({}, { finish_reason: 'content_filter' })),
  )
  t.end()
})

t.test('texts of any kind count in blocks', (t) => {
  const block = fc.integer({ min: 1, max: 64 })
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('"', '\n', 'é') }),
  )
  const make = fc.constantFrom(said, called, completed)
  fc.assert(
    fc.property(text, text, make, block, (one, other, make, blockBytes) => {
      const by = new Obfuscation({ blockBytes })
      const blocks = (text: string): number => Math.max(1, Math.ceil(inJson(text) / blockBytes))
      const longer = bytesOf(make(one), by) - bytesOf(make(other), by)
      t.equal(longer, (blocks(one) - blocks(other)) * blockBytes)
      const frame = ',"obfuscation":""'.length
      const growth = bytesOf(make(one), by) - Buffer.byteLength(encodeEvent(make(one)))
      t.ok(growth >= frame && growth <= frame + blockBytes)
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('log probabilities, which spell the tokens again', (t) => {
  const withLogprobs = (token: string, logprob: number): JsonObject => {
    const bytes: Json = [...Buffer.from(token)]
    return event({ content: token }, { logprobs: { content: [{ token, logprob, bytes, top_logprobs: [] }] } })
  }
  const by = new Obfuscation({ blockBytes: 256 })
  t.equal(bytesOf(withLogprobs('a', -1), by), bytesOf(withLogprobs(' Denmark', -0.123456789), by))
  t.end()
})

t.test('events without choices are padded too', (t) => {
  t.equal(paddingOf({ id: 'x', choices: [] }).length, 32)
  t.equal(paddingOf({ id: 'x' }).length, 32)
  t.end()
})

t.test('no padding is used twice', (t) => {
  const seen = new Set(Array.from({ length: 20_000 }, () => paddingOf(said('x'))))
  t.equal(seen.size, 20_000)
  const text = paddingOf(said('x'.repeat(100_001)))
  t.equal(text.length, 31)
  t.equal(paddingOf(said('x'), new Obfuscation({ blockBytes: 100_000 })).length, 99_999)
  t.end()
})

t.test('the wish of the caller comes first', (t) => {
  t.same([isObfuscated(true, 'off'), isObfuscated(false, 'on')], [true, false])
  t.same([isObfuscated(undefined, 'off'), isObfuscated(undefined, 'on')], [false, true])
  t.end()
})

t.test('the wish goes no further than the gateway', (t) => {
  for (const server of servers) {
    const call = parse('chat.completions', { stream: true, stream_options: { include_obfuscation: true } })
    t.notMatch(serializeCall(call, { model: 'm', outputTokensMax: 5, server }), /obfuscation/)
  }
  t.end()
})
