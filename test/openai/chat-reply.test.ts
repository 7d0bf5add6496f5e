import t from 'tap'

import type { Json, JsonObject, ReplySlot } from '../../src/openai/call.ts'
import { chatReplies } from '../../src/openai/chat-reply.ts'
import type { Reply } from '../../src/openai/reply.ts'
import { ToolCallNaming } from '../../src/openai/tool-call-naming.ts'
import { chunk, delta, open, readEvent, readWhole, whole } from './chat-chunk.ts'

const first = (reply: Reply, holder: 'delta' | 'message'): JsonObject => {
  const [choice] = reply.body['choices'] as JsonObject[]
  return choice?.[holder] as JsonObject
}
const deltaOf = (fields: JsonObject): JsonObject => first(readEvent(delta(fields)), 'delta')
const slots = (texts: readonly ReplySlot[]): string[][] =>
  texts.map(({ channel, kind, path, text }) => [channel, kind, path, text])

t.test('the frame of an event', (t) => {
  const { body, usage, usageOnly, finished } = readEvent(
    chunk([{ index: 1, delta: {}, finish_reason: 'length' }], {
      system_fingerprint: 'fp',
      service_tier: 'default',
      obfuscation: 'abc',
      prompt_token_ids: [1],
      __verbose: { prompt: 'x' },
      timings: {},
      usage: null,
    }),
  )
  t.same(body, {
    id: 'chatcmpl-sallyport',
    object: 'chat.completion.chunk',
    created: 0,
    model: 'public',
    service_tier: 'default',
    choices: [{ index: 1, delta: {}, finish_reason: 'length' }],
  })
  t.same({ usage, usageOnly, finished }, { usage: undefined, usageOnly: false, finished: [1] })
  t.end()
})

t.test('the frame of a whole reply', (t) => {
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, cost: 'x' }
  const reply = readWhole({ ...whole({ role: 'assistant', content: 'hi', reasoning: null }), usage })
  t.same(reply.body, {
    id: 'chatcmpl-sallyport',
    object: 'chat.completion',
    created: 0,
    model: 'public',
    choices: [
      { index: 0, message: { role: 'assistant', content: 'hi' }, logprobs: null, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  })
  t.same(reply.usage, { inputTokens: 3, outputTokens: 4 })
  t.end()
})

t.test('fields of the frame that are not what they should be are replaced or dropped', (t) => {
  const odd = {
    id: 'a b',
    created: -1,
    service_tier: 'DROP TABLE',
    object: 'x',
    usage: { prompt_tokens: '1' },
  }
  t.same(readEvent(chunk([], odd)).body, {
    id: 'chatcmpl-sallyport',
    object: 'chat.completion.chunk',
    created: 0,
    model: 'public',
    choices: [],
  })
  t.end()
})

t.test('ids and times are ours: a value that no rule screens never passes', (t) => {
  const secrets = ['4111111111111111', 'AKIAQ3EGWJ5T2ZLKMXYA', 'sk-proj-aB3dE5fG7hI9', '', 7, null]
  for (const secret of secrets) {
    const dialect = chatReplies({ logprobs: false, exchangeId: 'e-1', createdAtSeconds: 17 })
    const call = { index: 0, id: secret, type: 'function', function: { name: 'f', arguments: '{}' } }
    const frame = { id: secret, created: 4111111111111111, service_tier: secret }
    const events = [
      dialect.event({ ...delta({ tool_calls: [call] }), ...frame }, 'public'),
      dialect.whole({ ...whole({ content: null, tool_calls: [call] }), ...frame }, 'public'),
    ]
    for (const { body } of events) {
      t.match(body, { id: 'chatcmpl-e-1', created: 17 })
      t.notMatch(JSON.stringify(body), /4111111111111111|AKIA|sk-proj/)
    }
    const last = events[0] as Reply
    t.match(dialect.carrier(last, 0, 'content', 'x'), { id: 'chatcmpl-e-1', created: 17 })
  }
  t.end()
})

t.test('ids of tool calls are stable in one exchange, and distinct over all', (t) => {
  const ids = ['a', 'b'].flatMap((exchange) =>
    [0, 1].flatMap((choice) => [0, 1].map((index) => new ToolCallNaming(exchange).idOf(choice, index))),
  )
  t.equal(new Set(ids).size, 8)
  t.equal(new Set(ids.map((id) => id.slice(-9))).size, 8, 'also when they are cut to nine characters')
  t.ok(ids.every((id) => /^call_[a-p]{16}$/.test(id)))
  const naming = new ToolCallNaming('a')
  t.equal(naming.idOf(1, 1), naming.idOf(1, 1))
  t.end()
})

t.test('places of citations are too short for a value', (t) => {
  const url_citation = { title: 'a', url: 'b', start_index: 4111111111111111, end_index: 9 }
  const annotations = [{ type: 'url_citation', url_citation }]
  const { body } = readWhole(whole({ content: 'x', annotations }))
  t.match(body, {
    choices: [{ message: { annotations: [{ url_citation: { start_index: 0, end_index: 9 } }] } }],
  })
  t.end()
})

t.test('content that the caller will parse is a json slot, and nothing else is', (t) => {
  const dialect = chatReplies({ logprobs: false, jsonContent: true })
  const message = { content: '{}', reasoning: 'hm', refusal: 'no' }
  for (const { texts } of [dialect.event(delta(message), 'm'), dialect.whole(whole(message), 'm')]) {
    t.same(
      texts.map(({ channel, kind }) => [channel, kind]),
      [
        ['content', 'json'],
        ['reasoning', 'text'],
        ['refusal', 'text'],
      ],
    )
  }
  t.equal(readWhole(whole(message)).texts[0]?.kind, 'text')
  t.end()
})

t.test('a choice that was not asked for', (t) => {
  const dialect = chatReplies({ logprobs: false, choicesMax: 2 })
  t.equal(dialect.event(chunk([{ index: 1, delta: {} }]), 'm').texts.length, 0)
  t.throws(() => dialect.event(chunk([{ index: 2, delta: {} }]), 'm'), { code: 'upstream_protocol' })
  t.end()
})

t.test('an event without choices', (t) => {
  const usage = { prompt_tokens: 3, completion_tokens: 4 }
  const reply = readEvent(chunk([], { usage }))
  t.equal(reply.usageOnly, true)
  t.same(reply.usage, { inputTokens: 3, outputTokens: 4 })
  t.equal(readEvent(chunk([], { prompt_filter_results: [] })).usage, undefined)
  t.end()
})

t.test('deltas that stay as they are', (t) => {
  const toolCallId = new ToolCallNaming(undefined).idOf(0, 3)
  const same: readonly JsonObject[] = [
    {},
    { role: 'assistant' },
    { role: 'assistant', content: '' },
    { role: 'assistant', content: null },
    { content: 'hi' },
    { reasoning: 'hm' },
    { reasoning_content: 'hm' },
    { refusal: 'no' },
    { content: '', refusal: null },
    { tool_calls: [{ index: 3, id: toolCallId, type: 'function', function: { name: 'f', arguments: '' } }] },
    { tool_calls: [{ index: 3, function: { arguments: '{"a' } }] },
    { function_call: { name: 'f', arguments: '{' } },
    { audio: { transcript: 'hello' } },
  ]
  for (const fields of same) t.same(deltaOf(fields), fields, JSON.stringify(fields))
  t.end()
})

t.test('deltas that change', (t) => {
  const cases: readonly [JsonObject, JsonObject][] = [
    [
      { role: 'tool', content: 'x' },
      { role: 'assistant', content: 'x' },
    ],
    [{ content: null, tool_calls: null, function_call: null, audio: null }, { content: null }],
    [{ tool_calls: [] }, {}],
    [{ content: 'x', token_ids: [1], stop_reason: 'x', hidden_states: [], meta_info: {} }, { content: 'x' }],
    [{ reasoning: 'a', reasoning_content: 'a' }, { reasoning_content: 'a' }],
    [{ reasoning: 'a', reasoning_content: '' }, { reasoning: 'a' }],
    [{ reasoning: '', reasoning_content: null }, { reasoning: '' }],
    [{ annotations: [{ type: 'url_citation', url_citation: { title: 'x', url: 'y' } }] }, {}],
    [
      {
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      { content: 'ab' },
    ],
    [
      { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] },
      { content: '', reasoning_content: 'hm' },
    ],
    [{ audio: { id: 'x', transcript: 'a', expires_at: 1, data: '' } }, { audio: { transcript: 'a' } }],
    [{ audio: { id: 'x' } }, {}],
  ]
  for (const [given, expected] of cases) t.same(deltaOf(given), expected, JSON.stringify(given))
  t.end()
})

t.test('text slots of an event', (t) => {
  const reply = readEvent(
    chunk([
      {
        index: 2,
        delta: {
          content: 'a',
          reasoning: 'b',
          refusal: 'c',
          tool_calls: [
            { index: 5, function: { arguments: 'd' } },
            { index: 6, type: 'custom', custom: { name: 'f', input: 'e' } },
          ],
          function_call: { arguments: 'f' },
          audio: { transcript: 'g' },
        },
      },
      { index: 0, delta: { content: 'h' } },
    ]),
  )
  t.same(slots(reply.texts), [
    ['content', 'text', 'choices[2].delta.content', 'a'],
    ['reasoning', 'text', 'choices[2].delta.reasoning', 'b'],
    ['refusal', 'text', 'choices[2].delta.refusal', 'c'],
    ['tool_calls[5].arguments', 'json', 'choices[2].delta.tool_calls[5].function.arguments', 'd'],
    ['tool_calls[6].input', 'text', 'choices[2].delta.tool_calls[6].custom.input', 'e'],
    ['function_call.arguments', 'json', 'choices[2].delta.function_call.arguments', 'f'],
    ['audio.transcript', 'text', 'choices[2].delta.audio.transcript', 'g'],
    ['content', 'text', 'choices[0].delta.content', 'h'],
  ])
  t.same(
    reply.texts.map((slot) => slot.choice),
    [2, 2, 2, 2, 2, 2, 2, 0],
  )
  for (const slot of reply.texts) slot.replace('*')
  t.same(reply.body['choices'], [
    {
      index: 2,
      delta: {
        content: '*',
        reasoning: '*',
        refusal: '*',
        tool_calls: [
          { index: 5, function: { arguments: '*' } },
          { index: 6, type: 'custom', custom: { name: 'f', input: '*' } },
        ],
        function_call: { arguments: '*' },
        audio: { transcript: '*' },
      },
      finish_reason: null,
    },
    { index: 0, delta: { content: '*' }, finish_reason: null },
  ])
  t.end()
})

t.test('annotations of a whole reply', (t) => {
  const citation = { start_index: 1, end_index: 2, title: 'T', url: 'U', extra: 'x' }
  const annotations = [{ type: 'file' }, { type: 'url_citation', url_citation: citation }]
  const reply = readWhole(whole({ content: 'x', annotations }))
  t.same(first(reply, 'message')['annotations'], [
    { type: 'url_citation', url_citation: { start_index: 1, end_index: 2, title: 'T', url: 'U' } },
  ])
  t.same(slots(reply.texts).slice(1), [
    ['annotations[1].title', 'text', 'choices[0].message.annotations[1].url_citation.title', 'T'],
    ['annotations[1].url', 'text', 'choices[0].message.annotations[1].url_citation.url', 'U'],
  ])
  t.end()
})

t.test('finish reasons', (t) => {
  const cases: readonly [Json | undefined, string | null][] = [
    ...['stop', 'length', 'tool_calls', 'content_filter', 'function_call'].map((reason): [string, string] => [
      reason,
      reason,
    ]),
    ['eos_token', 'stop'],
    ['max_tokens', 'length'],
    ['tool_use', 'tool_calls'],
    ['something else', 'stop'],
    ['', null],
    [null, null],
    [undefined, null],
  ]
  for (const [given, expected] of cases) {
    const choice: JsonObject = { index: 4, delta: {} }
    if (given !== undefined) choice['finish_reason'] = given
    const reply = readEvent(chunk([choice]))
    t.same(reply.body['choices'], [{ index: 4, delta: {}, finish_reason: expected }], String(given))
    t.same(reply.finished, expected === null ? [] : [4])
  }
  for (const given of ['abort', 'aborted', 'cancelled', 'error']) {
    t.throws(() => readEvent(delta({}, { finish_reason: given })), { code: 'upstream_truncated' })
  }
  t.throws(() => readEvent(delta({}, { finish_reason: 1 })), { code: 'upstream_protocol' })
  t.end()
})

t.test('logprobs pass only if the dialect was opened with them', (t) => {
  const token = { token: 'a', logprob: -1, bytes: [97], top_logprobs: [] }
  const logprobs = { content: [token], refusal: null }
  const copied = (asked: boolean, json: JsonObject, kind: 'event' | 'whole'): Json | undefined => {
    const { body } = chatReplies({ logprobs: asked })[kind](json, 'public')
    return (body['choices'] as JsonObject[])[0]?.['logprobs']
  }
  t.same(copied(true, delta({}, { logprobs }), 'event'), logprobs)
  t.same(copied(true, whole({}, { logprobs }), 'whole'), logprobs)
  t.equal(copied(false, delta({}, { logprobs }), 'event'), undefined)
  t.equal(copied(false, whole({}, { logprobs }), 'whole'), null)
  t.end()
})

t.test('arguments that are a deep object become a string', (t) => {
  const text = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`
  const call = { index: 0, function: { arguments: JSON.parse(text) as JsonObject } }
  t.equal(readEvent(delta({ tool_calls: [call] })).texts[0]?.text, text)
  t.end()
})

t.test('a carrier puts held text into the field it came from', (t) => {
  const dialect = open()
  const last = dialect.event(
    chunk([{ index: 0, delta: { reasoning: 'x' }, finish_reason: 'stop' }], { usage: { prompt_tokens: 1 } }),
    'public',
  )
  const cases: readonly [string, JsonObject][] = [
    ['content', { content: 'held' }],
    ['refusal', { refusal: 'held' }],
    ['reasoning', { reasoning: 'held' }],
    ['tool_calls[12].arguments', { tool_calls: [{ index: 12, function: { arguments: 'held' } }] }],
    ['tool_calls[0].input', { tool_calls: [{ index: 0, custom: { input: 'held' } }] }],
    ['function_call.arguments', { function_call: { arguments: 'held' } }],
    ['audio.transcript', { audio: { transcript: 'held' } }],
  ]
  for (const [channel, fields] of cases) {
    const body = dialect.carrier(last, 3, channel, 'held')
    const ours = { id: 'chatcmpl-sallyport', created: 0, model: 'public' }
    t.same(body, { ...chunk([{ index: 3, delta: fields, finish_reason: null }]), ...ours }, channel)
    const again = dialect.event(body, 'public')
    t.same(
      [again.texts[0]?.channel, again.texts[0]?.text],
      [channel, 'held'],
      'and is read back as that channel',
    )
  }
  t.throws(() => dialect.carrier(last, 0, 'annotations[0].title', 'x'), TypeError)
  t.end()
})

t.test('reasoning is carried under the name that the server uses', (t) => {
  for (const name of ['reasoning', 'reasoning_content']) {
    const dialect = open()
    dialect.event(delta({ [name]: 'a' }), 'public')
    const last = dialect.event(delta({}, { finish_reason: 'stop' }), 'public')
    const [choice] = dialect.carrier(last, 0, 'reasoning', 'held')['choices'] as JsonObject[]
    t.same(choice?.['delta'], { [name]: 'held' })
  }
  t.end()
})
