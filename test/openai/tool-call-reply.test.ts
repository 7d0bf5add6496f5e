import t from 'tap'

import type { Json, JsonObject, ReplySlot } from '../../src/openai/call.ts'
import type { Place } from '../../src/openai/reply-field.ts'
import { ToolCallNaming } from '../../src/openai/tool-call-naming.ts'
import { calledTools, copyToolCalls, toolCallDelta } from '../../src/openai/tool-call-reply.ts'

const place = (whole: boolean): Place & { texts: ReplySlot[] } => ({
  choice: 1,
  whole,
  texts: [],
  contentKind: 'text',
  tools: new ToolCallNaming('exchange'),
})
const idOf = (index: number): string => new ToolCallNaming('exchange').idOf(1, index)

t.test('whole tool calls', (t) => {
  const at = place(true)
  const given = [
    { index: 7, id: 'call_a', type: 'function', function: { name: 'f', arguments: '{}', description: null } },
    { id: 'a b', function: { name: 'g', arguments: { deep: ['x'] } } },
    { function: { name: 'h' } },
    { id: 'call_c', type: 'custom', custom: { name: 'i', input: 'free text' } },
  ]
  t.same(copyToolCalls(given, at), [
    { id: idOf(0), type: 'function', function: { name: 'f', arguments: '{}' } },
    { id: idOf(1), type: 'function', function: { name: 'g', arguments: '{"deep":["x"]}' } },
    { id: idOf(2), type: 'function', function: { name: 'h', arguments: '' } },
    { id: idOf(3), type: 'custom', custom: { name: 'i', input: 'free text' } },
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
      { index: 2, id: idOf(2), type: 'function' },
    ],
    [{ function: { arguments: 'x' } }, { index: 0, function: { arguments: 'x' } }],
    [
      { index: 2, id: 'jane@example.org' },
      { index: 2, id: idOf(2) },
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

t.test('a call of a stream is named once, by whatever events', (t) => {
  const named = (index: number, name: string): JsonObject => ({ index, function: { name } })
  const refusals: readonly [string, JsonObject[]][] = [
    ['a name in two pieces', [named(0, 'delete'), named(0, '_all')]],
    ['the same name again', [named(0, 'f'), named(1, 'g'), named(0, 'f')]],
    ['a function that is a custom tool too', [named(0, 'f'), { index: 0, custom: { name: 'g' } }]],
  ]
  for (const [name, fragments] of refusals) {
    const apart = place(false)
    t.throws(
      () => {
        for (const fragment of fragments) copyToolCalls([fragment], apart)
      },
      { code: 'upstream_protocol' },
      name,
    )
    t.throws(() => copyToolCalls(fragments, place(false)), { code: 'upstream_protocol' }, `${name} at once`)
  }
  const at = place(false)
  t.same(copyToolCalls([named(0, 'f'), named(1, 'f')], at).length, 2, 'two calls of one tool')
  t.same(copyToolCalls([{ index: 0, function: { name: '', arguments: 'x' } }], at).length, 1)
  t.end()
})
