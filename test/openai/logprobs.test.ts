import t from 'tap'

import type { Json, JsonObject } from '../../src/openai/call.ts'
import { copyLogprobs } from '../../src/openai/logprobs.ts'

const token = (more: JsonObject = {}): JsonObject => ({ token: 'a', logprob: -1, bytes: [97], ...more })

t.test('both forms are copied', (t) => {
  const full = token({ top_logprobs: [token()] })
  t.same(copyLogprobs({ content: [full], refusal: null, extra: 1 }), { content: [full], refusal: null })
  t.same(copyLogprobs({ content: [{ token: 'a', logprob: -1, id: 7 }] }), {
    content: [{ token: 'a', logprob: -1, bytes: null, top_logprobs: [] }],
  })
  const legacy = { tokens: ['a'], token_logprobs: [null], top_logprobs: [null, { a: -1 }] }
  t.same(copyLogprobs({ ...legacy, text_offset: [0] }), legacy)
  t.equal(copyLogprobs(null), null)
  t.equal(copyLogprobs(undefined), null)
  t.end()
})

t.test('a token that is named like a prototype is only a token', (t) => {
  const given = JSON.parse('{"top_logprobs":[{"__proto__":-1,"constructor":-2}]}')
  t.equal(JSON.stringify(copyLogprobs(given)), '{"top_logprobs":[{"__proto__":-1,"constructor":-2}]}')
  t.end()
})

t.test('what is refused', (t) => {
  const many = (length: number): Json[] => new Array(length).fill(-1)
  const cases: readonly [string, unknown][] = [
    ['text', 'x'],
    ['a list', []],
    ['content that is an object', { content: {} }],
    ['a token that is null', { content: [null] }],
    ['a token that is a number', { content: [token({ token: 1 })] }],
    ['a logprob that is text', { content: [token({ logprob: 'x' })] }],
    ['bytes that are text', { content: [token({ bytes: 'x' })] }],
    ['a byte too large', { content: [token({ bytes: [256] })] }],
    ['too many bytes', { content: [token({ bytes: new Array(1_025).fill(0) })] }],
    ['too many alternatives', { content: [token({ top_logprobs: new Array(129).fill(token()) })] }],
    ['too many legacy alternatives', { top_logprobs: [Object.fromEntries(many(129).map((n, i) => [i, n]))] }],
    ['too many tokens', { token_logprobs: many(65_537) }],
  ]
  for (const [name, json] of cases) t.throws(() => copyLogprobs(json), { code: 'upstream_protocol' }, name)
  t.end()
})
