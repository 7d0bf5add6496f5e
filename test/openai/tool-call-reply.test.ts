import t from 'tap'

import type { Json, JsonObject, ReplySlot } from '../../src/openai/call.ts'
import type { Place } from '../../src/openai/reply-field.ts'
import { calledTools, copyToolCalls, toolCallDelta } from '../../src/openai/tool-call-reply.ts'

const place = (whole: boolean): Place & { texts: ReplySlot[] } => ({ choice: 1, whole, texts: [] })

t.test('whole tool calls', (t) => {
  const at = place(true)
  const given = [
    { index: 7, id: 'call_a', type: 'function', function: { name: 'f', arguments: '{}', description: null } },
    { id: 'a b', function: { name: 'g', arguments: { deep: ['x'] } } },
    { function: { name: 'h' } },
    { id: 'call_c', type: 'custom', custom: { name: 'i', input: 'free text' } },
  ]
  t.same(copyToolCalls(given, at), [
    { id: 'call_a', type: 'function', function: { name: 'f', arguments: '{}' } },
    { id: 'call_1_1', type: 'function', function: { name: 'g', arguments: '{"deep":["x"]}' } },
    { id: 'call_1_2', type: 'function', function: { name: 'h', arguments: '' } },
    { id: 'call_c', type: 'custom', custom: { name: 'i', input: 'free text' } },
  ])
  t.same(
    at.texts.map(({ channel, kind, path }) => [channel, kind, path]),
    [
      ['tool_calls[0].arguments', 'json', 'choices[1].message.tool_calls[0].function.arguments'],
      ['tool_calls[1].arguments', 'json', 'choices[1].message.tool_calls[1].function.arguments'],
      ['tool_calls[2].arguments', 'json', 'choices[1].message.tool_calls[2].function.arguments'],
      ['tool_calls[3].input', 'text', 'choices[1].message.tool_calls[3].custom.input'],
    ],
  )
  t.end()
})

t.test('fragments', (t) => {
  const cases: readonly [JsonObject, JsonObject][] = [
    [
      { index: 2, id: 'call_a', type: 'function' },
      { index: 2, id: 'call_a', type: 'function' },
    ],
    [{ function: { arguments: 'x' } }, { index: 0, function: { arguments: 'x' } }],
    [
      { index: 2, id: 'jane@example.org' },
      { index: 2, id: 'call_1_2' },
    ],
    [
      { index: 2, id: null, type: null, function: { name: null } },
      { index: 2, function: {} },
    ],
    [
      { index: 2, function: { name: '', arguments: null } },
      { index: 2, function: {} },
    ],
    [
      { index: 2, custom: { input: null } },
      { index: 2, custom: {} },
    ],
    [{ index: 2, function: null, extra: 'x' }, { index: 2 }],
  ]
  for (const [given, expected] of cases) {
    t.same(copyToolCalls([given], place(false)), [expected], JSON.stringify(given))
  }
  t.end()
})

t.test('the delta of a channel', (t) => {
  t.same(toolCallDelta('tool_calls[127].arguments', 'x'), {
    tool_calls: [{ index: 127, function: { arguments: 'x' } }],
  })
  t.end()
})

t.test('the names that are called', (t) => {
  const choices = (...messages: JsonObject[]): JsonObject => ({
    choices: messages.map((delta, index): Json => ({ index, delta })),
  })
  t.same(calledTools({}), [])
  t.same(calledTools(choices({ content: 'x' }, {})), [])
  const calls = [{ function: { name: 'f' } }, { function: { arguments: '' } }, { custom: { name: 'g' } }]
  t.same(calledTools(choices({ tool_calls: calls }, { function_call: { name: 'h' } })), ['f', 'g', 'h'])
  t.same(calledTools({ choices: [{ message: { tool_calls: calls } }] }), ['f', 'g'])
  t.end()
})
