import t from 'tap'

import type { Json, JsonObject } from '../../src/openai/call.ts'
import { chunk, delta, readEvent, readWhole, whole } from './chat-chunk.ts'

t.test('what is refused', (t) => {
  const call = (fields: JsonObject): JsonObject => delta({ tool_calls: [fields] })
  const named = (name: Json): JsonObject => call({ index: 0, function: { name } })
  const many = (length: number): Json => Array.from({ length }, (_, index) => ({ index, delta: {} }))
  const cases: readonly [string, unknown][] = [
    ['null', null],
    ['a list', []],
    ['text', 'x'],
    ['no choices', { id: 'x' }],
    ['choices: null', chunk(null)],
    ['a choice that is text', chunk(['x'])],
    ['no index', chunk([{ delta: {} }])],
    ['an index below 0', chunk([{ index: -1, delta: {} }])],
    ['an index too large', chunk([{ index: 128, delta: {} }])],
    ['an index with a fraction', chunk([{ index: 0.5, delta: {} }])],
    ['an index as text', chunk([{ index: '0', delta: {} }])],
    [
      'a choice twice',
      chunk([
        { index: 0, delta: {} },
        { index: 0, delta: {} },
      ]),
    ],
    ['too many choices', chunk(many(129))],
    ['no delta', chunk([{ index: 0 }])],
    ['a message in a stream', whole({ content: 'x' })],
    ['content that is a number', delta({ content: 1 })],
    ['content that is an object', delta({ content: {} })],
    ['an image part', delta({ content: [{ type: 'image_url', image_url: { url: 'x' } }] })],
    ['a part without text', delta({ content: [{ type: 'text' }] })],
    [
      'thinking within thinking',
      delta({ content: [{ type: 'thinking', thinking: [{ type: 'thinking' }] }] }),
    ],
    ['reasoning that is an object', delta({ reasoning: {} })],
    ['two reasonings', delta({ reasoning: 'a', reasoning_content: 'b' })],
    ['refusal that is a list', delta({ refusal: [] })],
    ['audio data', delta({ audio: { data: 'UklGRg==' } })],
    ['audio that is text', delta({ audio: 'x' })],
    ['tool_calls that is an object', delta({ tool_calls: {} })],
    ['a tool index too large', call({ index: 128 })],
    ['1 000 tool calls', delta({ tool_calls: Array.from({ length: 1_000 }, (_, index) => ({ index })) })],
    ['an unknown tool type', call({ index: 0, type: 'mcp' })],
    ['a tool name with a space', named('a b')],
    ['a tool name that is an address', named('jane@example.org')],
    ['a long tool name', named('x'.repeat(129))],
    ['a tool name that is a number', named(1)],
    ['arguments that are a number', call({ index: 0, function: { arguments: 1 } })],
    ['arguments that are a list', call({ index: 0, function: { arguments: [] } })],
    ['a custom input that is a number', call({ index: 0, custom: { input: 1 } })],
    ['a function_call that is text', delta({ function_call: 'x' })],
  ]
  for (const [name, json] of cases) t.throws(() => readEvent(json), { code: 'upstream_protocol' }, name)
  t.equal((readEvent(chunk(many(128))).body['choices'] as Json[]).length, 128)
  const nameless = { content: null, tool_calls: [{ id: 'x', function: { arguments: '{}' } }] }
  t.throws(() => readWhole(whole(nameless)), { code: 'upstream_protocol' }, 'a whole call without a name')
  t.throws(() => readWhole(delta({})), { code: 'upstream_protocol' }, 'a delta in a whole reply')
  t.throws(() => readWhole({ error: { message: 'x', code: 503 } }), { code: 'upstream_overloaded' })
  t.throws(() => readEvent({ error: 'x' }), { code: 'upstream_error' })
  t.end()
})
