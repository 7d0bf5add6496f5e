import t from 'tap'

import type { Json, JsonObject } from '../../src/openai/call.ts'
import { embeddingReplies } from '../../src/openai/embedding-reply.ts'

const reply = (data: Json, more: JsonObject = {}): JsonObject => ({
  object: 'list',
  data,
  model: 'upstream',
  ...more,
})
const vector = (embedding: Json, index: Json = 0): JsonObject =>
  reply([{ object: 'embedding', index, embedding }])

t.test('vectors and their base64 form', (t) => {
  const usage = { prompt_tokens: 3, total_tokens: 3, prompt_tokens_details: { cached_tokens: 1 } }
  const given = reply(
    [
      { object: 'embedding', index: 0, embedding: [0.1, -2], text: 'secret' },
      { index: 1, embedding: 'AAAAPw==' },
    ],
    { id: 'embd-1', created: 1, usage },
  )
  const { body, ...rest } = embeddingReplies.whole(given, 'public')
  t.same(body, {
    object: 'list',
    data: [
      { object: 'embedding', index: 0, embedding: [0.1, -2] },
      { object: 'embedding', index: 1, embedding: 'AAAAPw==' },
    ],
    model: 'public',
    usage: { prompt_tokens: 3, total_tokens: 3 },
  })
  const counts = { inputTokens: 3, outputTokens: 0, cachedInputTokens: 1 }
  t.same(rest, { texts: [], finished: [], usage: counts, usageOnly: false })
  t.end()
})

t.test('what is refused', (t) => {
  const cases: readonly [string, unknown][] = [
    ['null', null],
    ['a chat reply', { object: 'chat.completion', choices: [] }],
    ['no index', reply([{ embedding: [1] }])],
    ['an index too large', vector([1], 2_048)],
    ['text', vector('not base64!')],
    ['text in a vector', vector([1, 'secret'])],
    ['null in a vector', vector([null])],
    ['a vector in a vector', vector([[1]])],
    ['too many dimensions', vector(new Array(65_537).fill(0))],
    ['too much base64', vector('A'.repeat(65_536 * 6 + 4))],
    ['too many vectors', reply(new Array(2_049).fill({ index: 0, embedding: [] }))],
    ['a number', vector(1)],
  ]
  for (const [name, json] of cases) {
    t.throws(() => embeddingReplies.whole(json, 'm'), { code: 'upstream_protocol' }, name)
  }
  t.throws(() => embeddingReplies.whole({ error: { code: 501 } }, 'm'), { code: 'upstream_refused' })
  t.end()
})

t.test('there is no stream of embeddings', (t) => {
  const last = embeddingReplies.whole(vector([1]), 'public')
  t.throws(() => embeddingReplies.event(vector([1]), 'm'), { code: 'upstream_protocol' })
  t.throws(() => embeddingReplies.carrier(last, 0, 'content', 'x'), { code: 'upstream_protocol' })
  t.end()
})
