// What a refusal by a limit says to people and to programs, and that following its advice helps.
import assert from 'node:assert/strict'

import fc from 'fast-check'
import t from 'tap'
import { openAiError } from '../../src/openai/error-body.ts'
import type { Limit } from '../../src/policy/limit.ts'
import { demandsOf } from '../../src/quota/demands.ts'
import { LimitRefusal } from '../../src/quota/limit-refusal.ts'
import { type CallSize, smallerCall } from '../../src/quota/smaller-call.ts'
import { limitOf } from './simulated-limit.ts'

const never = Number.POSITIVE_INFINITY

interface Said {
  readonly used?: number
  readonly asked?: number
  readonly waitMs?: number
  readonly size?: CallSize
}

function refusal(fields: Partial<Limit>, { used = 0, asked = 1, waitMs = never, size }: Said = {}) {
  const limit = limitOf(fields)
  const state = { limit, used, remaining: Math.max(0, limit.burst - used), resetMs: 0 }
  return new LimitRefusal({ state, asked, waitMs }, [state], size)
}
const bodyOf = (said: LimitRefusal) => openAiError(said, { requestId: 'r1' })

t.test('tokens of a minute', async (t) => {
  const said = refusal(
    { counts: 'total_tokens', amount: 10_000, name: 'role.app.total_tokens' },
    { used: 9000, asked: 2000, waitMs: 6000 },
  )
  t.same(bodyOf(said), {
    error: {
      message:
        'Rate limit reached on tokens per minute: limit 10000, used 9000, requested 2000. Please try again in 6s. ' +
        'See docs/reference/errors.md#rate_limit_exceeded.',
      type: 'tokens',
      code: 'rate_limit_exceeded',
      param: null,
    },
    gateway: {
      source: 'gateway',
      request_id: 'r1',
      retryable: true,
      doc: 'docs/reference/errors.md#rate_limit_exceeded',
      limit: {
        counts: 'total_tokens',
        per: 'minute',
        amount: 10_000,
        burst: 10_000,
        used: 9000,
        asked: 2000,
        wait_ms: 6000,
      },
    },
  })
  t.equal(said.retryAfterMs, 6000)
})

t.test('requests, with a burst that is not the amount', async (t) => {
  const said = refusal({ amount: 60, burst: 10 }, { used: 10, waitMs: 1000 })
  t.match(said, { code: 'rate_limit_exceeded', type: 'requests' })
  t.equal(
    said.told,
    'Rate limit reached on requests per minute: limit 60 (at most 10 at once), used 10, requested 1. Please try again in 1s.',
  )
})

t.test('requests in flight', async (t) => {
  const said = refusal({ counts: 'in_flight', amount: 3 }, { used: 3, waitMs: 1000 })
  t.match(said, {
    code: 'concurrency_limit_exceeded',
    type: 'requests',
    limit: { counts: 'in_flight', per: null },
  })
  t.match(said.told, 'Rate limit reached on requests in flight: limit 3, used 3, requested 1.')
})

t.test(
  'a budget: the words that LangChain looks for, and the currency as the configuration has it',
  async (t) => {
    const said = refusal(
      { counts: 'cost', per: 'month', amount: 50_000_000_000 },
      { used: 49_990_000_001, asked: 20_000_000, waitMs: 11_045_000 },
    )
    t.match(said, { code: 'insufficient_quota', type: 'insufficient_quota', retryAfterMs: 11_045_000 })
    t.match(said.told, /quota (?:has been )?exhausted/i)
    t.equal(
      said.told,
      'Quota exhausted on cost per month: limit 50, used 49.990000001, requested 0.02. It begins anew in 3h4m5s.',
    )
    t.match(said.limit, { amount: 50, used: 49.990000001, asked: 0.02, wait_ms: 11_045_000 })
  },
)

t.test('what clients search the message for is there only where it is meant', async (t) => {
  const wait = /try again in (\d+(?:\.\d+)?)(ms|s|m)\b/
  t.match(refusal({}, { waitMs: 350 }).told, wait)
  t.match(refusal({}, { waitMs: 7660 }).told, wait)
  t.notMatch(refusal({}, { waitMs: 7660 }).told, /quota|billing/i, 'LangChain would give up')
  t.notMatch(refusal({ per: 'day' }, { used: 60, waitMs: 7660 }).told, /try again/)
})

t.test('a bucket that tenants share says nothing of its use', async (t) => {
  const said = refusal(
    { counts: 'total_tokens', amount: 1000, key: 'all|total_tokens/minute|model=demo' },
    { used: 987, asked: 200, waitMs: 11_220 },
  )
  t.notMatch(JSON.stringify(bodyOf(said)), /987/)
  t.match(said.told, 'limit 1000, which all callers share, requested 200. Please try again in 11.22s.')
})

t.test('neither the name nor the key of a limit is told', async (t) => {
  const said = refusal({
    name: 'role.secret.requests',
    key: 'role.secret.requests|requests/minute|tenant=hidden',
  })
  t.notMatch(JSON.stringify(bodyOf(said)), /secret|hidden/)
  t.match(said.detail, 'role.secret.requests', 'the log knows')
})

t.test('a call that never passes is told what to lower, and to what', async (t) => {
  const size = { inputTokens: 40, outputTokensMax: 500, choices: 1 }
  const total = refusal({ counts: 'total_tokens', amount: 100 }, { asked: 540, size })
  t.match(total, { code: 'request_above_limit', type: 'invalid_request_error', param: 'max_tokens' })
  t.equal(total.retryAfterMs, undefined)
  t.equal(
    total.told,
    'This call is too large for your limit on tokens per minute: limit 100, used 0, requested 540. ' +
      'Lower max_tokens (or max_completion_tokens) to 60 or less.',
  )
  t.match(total.limit, { lower: { max_tokens: 60 } })
  t.notOk('wait_ms' in total.limit)

  const choices = refusal(
    { counts: 'output_tokens', amount: 100 },
    { asked: 2000, size: { ...size, choices: 4 } },
  )
  t.same(choices.limit.lower, { max_tokens: 25 })
  const tooMany = refusal(
    { counts: 'output_tokens', amount: 3 },
    { asked: 2000, size: { ...size, choices: 4 } },
  )
  t.same(tooMany.limit.lower, { max_tokens: 3, n: 1 })
  t.match(tooMany.told, 'to 3 or less, with n at 1 and one prompt.')

  const long = refusal({ counts: 'total_tokens', amount: 30 }, { asked: 540, size })
  t.match(long, { param: undefined, limit: { lower: { prompt_tokens: 29 } } })
  t.match(long.told, 'Shorten the prompt to 29 tokens or less.')

  const price = { input: 1, output: 1_000_000 }
  const dear = refusal({ counts: 'cost', per: 'day', amount: 10 }, { asked: 99, size: { ...size, price } })
  t.match(dear.told, 'No call fits into it: ask for a higher limit.')
})

t.test('whoever follows the advice passes all limits; one token more, and one refuses', async (t) => {
  const limit = fc
    .record({
      counts: fc.constantFrom('input_tokens', 'output_tokens', 'total_tokens', 'cost'),
      burst: fc.integer({ min: 1, max: 5000 }),
      mode: fc.constantFrom('enforce', 'enforce', 'shadow'),
    })
    .map(({ counts, burst, mode }) =>
      limitOf({
        counts,
        mode,
        burst,
        amount: burst,
        per: counts === 'cost' ? 'day' : 'minute',
      } as Partial<Limit>),
    )
  const price = fc.option(
    fc.record({ input: fc.constantFrom(0, 0.001, 0.5), output: fc.constantFrom(0, 0.001, 2) }),
    { nil: undefined },
  )
  const size = fc.record({
    inputTokens: fc.nat({ max: 3000 }),
    outputTokensMax: fc.nat({ max: 3000 }),
    choices: fc.integer({ min: 1, max: 5 }),
    price,
  })
  const fits = (
    limits: readonly Limit[],
    { inputTokens, outputTokensMax, choices, price }: CallSize,
  ): boolean =>
    demandsOf(limits, { inputTokens, outputTokens: outputTokensMax * choices }, price).every(
      ({ limit, amount }) => limit.mode === 'shadow' || amount <= limit.burst,
    )
  const property = fc.property(fc.array(limit, { minLength: 1, maxLength: 4 }), size, (limits, size) => {
    fc.pre(!fits(limits, size))
    const lower: { max_tokens?: number; n?: number; prompt_tokens?: number } = smallerCall(limits, size)
    if (lower.prompt_tokens !== undefined) {
      const outputTokensMax = Math.min(1, size.outputTokensMax)
      const call = { ...size, outputTokensMax, choices: 1 }
      const longest = lower.prompt_tokens
      if (longest > 0) assert.ok(fits(limits, { ...call, inputTokens: longest }), 'the shorter prompt fits')
      assert.ok(longest < size.inputTokens || longest === 0)
      assert.ok(!fits(limits, { ...call, inputTokens: longest + 1 }), 'no longer one does')
      return
    }
    const choices = lower.n ?? size.choices
    const outputTokensMax = lower.max_tokens as number
    assert.ok(outputTokensMax >= 1)
    assert.ok(fits(limits, { ...size, choices, outputTokensMax }), 'the smaller call fits')
    if (lower.n === undefined)
      assert.ok(!fits(limits, { ...size, outputTokensMax: outputTokensMax + 1 }), 'no larger one does')
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})
