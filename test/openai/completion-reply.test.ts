import t from 'tap'

import type { Json, JsonObject } from '../../src/openai/call.ts'
import { completionReplies } from '../../src/openai/completion-reply.ts'

const dialect = completionReplies({ logprobs: false })
const reply = (choices: Json, more: JsonObject = {}): JsonObject => ({
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1,
  model: 'upstream',
  choices,
  ...more,
})

t.test('an event and a whole reply have one shape', (t) => {
  const given = reply(
    [
      {
        text: 'a',
        index: 0,
        logprobs: { tokens: ['secret'], text_offset: [0] },
        finish_reason: null,
        prompt_logprobs: [],
      },
      { text: 'b', index: 300, finish_reason: 'length', stop_reason: 'x', token_ids: [1] },
    ],
    { system_fingerprint: 'x', prompt_text: 'x', usage: { prompt_tokens: 1, completion_tokens: 2 } },
  )
  for (const kind of ['event', 'whole'] as const) {
    const { body, texts, finished, usage, usageOnly } = dialect[kind](given, 'public')
    t.same(body, {
      id: 'cmpl-sallyport',
      object: 'text_completion',
      created: 0,
      model: 'public',
      choices: [
        { text: 'a', index: 0, logprobs: null, finish_reason: null },
        { text: 'b', index: 300, logprobs: null, finish_reason: 'length' },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    })
    t.same(
      { finished, usage, usageOnly },
      { finished: [300], usage: { inputTokens: 1, outputTokens: 2 }, usageOnly: false },
    )
    t.same(
      texts.map(({ choice, channel, kind, path, text }) => [choice, channel, kind, path, text]),
      [
        [0, 'text', 'text', 'choices[0].text', 'a'],
        [300, 'text', 'text', 'choices[300].text', 'b'],
      ],
    )
    for (const slot of texts) slot.replace('*')
    t.notMatch(JSON.stringify(body), /"[ab]"/)
  }
  t.end()
})

t.test('edges', (t) => {
  t.equal(dialect.event(reply([]), 'public').usageOnly, true)
  const [choice] = dialect.event(reply([{ index: 0, text: null, finish_reason: '' }]), 'public').body[
    'choices'
  ] as Json[]
  t.same(choice, { text: '', index: 0, logprobs: null, finish_reason: null })
  const mine = completionReplies({ logprobs: false, exchangeId: 'e-1', createdAtSeconds: 17, choicesMax: 2 })
  t.match(mine.whole(reply([]), 'public').body, { id: 'cmpl-e-1', created: 17 })
  const strange = reply([{ index: 2, text: '', finish_reason: 'stop' }])
  t.throws(() => mine.event(strange, 'public'), { code: 'upstream_protocol' }, 'a choice not asked for')
  t.end()
})

t.test('logprobs when they were asked for, without offsets', (t) => {
  const logprobs = { tokens: ['a'], token_logprobs: [-1], top_logprobs: [{ a: -1, b: -2 }], text_offset: [0] }
  const { body } = completionReplies({ logprobs: true }).event(
    reply([{ text: 'a', index: 0, logprobs }]),
    'public',
  )
  const { text_offset: _, ...expected } = logprobs
  t.same((body['choices'] as JsonObject[])[0]?.['logprobs'], expected)
  t.end()
})

t.test('what is refused', (t) => {
  const cases: readonly [string, unknown][] = [
    ['null', null],
    ['no choices', {}],
    ['text that is a number', reply([{ index: 0, text: 1 }])],
    ['no index', reply([{ text: 'a' }])],
    ['an index too large', reply([{ text: 'a', index: 32_768 }])],
    [
      'a choice twice',
      reply([
        { text: 'a', index: 0 },
        { text: 'b', index: 0 },
      ]),
    ],
  ]
  for (const [name, json] of cases)
    t.throws(() => dialect.event(json, 'm'), { code: 'upstream_protocol' }, name)
  t.throws(() => dialect.event({ error: { code: 400 } }, 'm'), { code: 'upstream_refused' })
  t.end()
})

t.test('a carrier', (t) => {
  const last = dialect.event(reply([], { usage: { prompt_tokens: 1 } }), 'public')
  const body = dialect.carrier(last, 2, 'text', 'held')
  t.same(body, {
    ...reply([{ text: 'held', index: 2, logprobs: null, finish_reason: null }]),
    id: 'cmpl-sallyport',
    created: 0,
    model: 'public',
  })
  t.throws(() => dialect.carrier(last, 2, 'content', 'x'), TypeError)
  t.end()
})
