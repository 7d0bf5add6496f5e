import assert from 'node:assert/strict'

import fc from 'fast-check'
import t from 'tap'
import { counted, type Limit } from '../../src/policy/limit.ts'
import { goDuration } from '../../src/quota/go-duration.ts'
import { limitHeaders, retryHeaders } from '../../src/quota/headers.ts'
import type { LimitState } from '../../src/quota/store.ts'
import { limitOf } from './simulated-limit.ts'

const state = (limit: Partial<Limit>, remaining: number, resetMs = 0): LimitState => ({
  limit: limitOf(limit),
  used: 0,
  remaining,
  resetMs,
})

t.test('durations as Go prints them', async (t) => {
  const samples: readonly (readonly [ms: number, text: string])[] = [
    [0, '0s'],
    [-5, '0s'],
    [0.2, '1ms'],
    [1, '1ms'],
    [120, '120ms'],
    [999, '999ms'],
    [999.5, '1s'],
    [1000, '1s'],
    [7660, '7.66s'],
    [59_999, '59.999s'],
    [60_000, '1m0s'],
    [360_000, '6m0s'],
    [90_500, '1m30.5s'],
    [3_600_000, '1h0m0s'],
    [7_384_000, '2h3m4s'],
    [90_000_000, '25h0m0s'],
  ]
  for (const [ms, text] of samples) t.equal(goDuration(ms), text, `${ms} ms`)
})

t.test('any duration reads back as its milliseconds', async (t) => {
  const factors: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
  const read = (text: string): number =>
    [...text.matchAll(/([\d.]+)(ms|[hms])/g)].reduce(
      (sum, [, n, unit]) => sum + Number(n) * Number(factors[String(unit)]),
      0,
    )
  const property = fc.property(fc.nat({ max: 1e9 }), (ms) => {
    assert.match(goDuration(ms), /^(\d+h)?(\d+m)?(\d+(\.\d{1,3})?s)$|^\d+ms$/)
    assert.equal(Math.round(read(goDuration(ms))), ms)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
})

t.test('requests: both families', async (t) => {
  t.same(limitHeaders([state({ amount: 60, burst: 10 }, 7, 2500)]), {
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '7',
    'x-ratelimit-reset-requests': '2.5s',
    'ratelimit-policy': '"requests/minute";q=60;w=60',
    ratelimit: '"requests/minute";r=7;t=3',
  })
})

t.test('tokens: the nearest of input, output and total', async (t) => {
  const headers = limitHeaders([
    state({ counts: 'input_tokens', amount: 9000 }, 4000, 5000),
    state({ counts: 'total_tokens', amount: 10_000, per: 'hour' }, 1200, 90_000),
    state({ counts: 'output_tokens', amount: 3000 }, 1300, 100),
  ])
  t.same(headers, {
    'x-ratelimit-limit-tokens': '10000',
    'x-ratelimit-remaining-tokens': '1200',
    'x-ratelimit-reset-tokens': '1m30s',
    'ratelimit-policy':
      '"input_tokens/minute";q=9000;qu="tokens";w=60, "total_tokens/hour";q=10000;qu="tokens";w=3600, ' +
      '"output_tokens/minute";q=3000;qu="tokens";w=60',
    ratelimit:
      '"input_tokens/minute";r=4000;t=5, "total_tokens/hour";r=1200;t=90, "output_tokens/minute";r=1300;t=1',
  })
})

t.test('in flight and cost: the IETF family only', async (t) => {
  t.same(limitHeaders([state({ counts: 'in_flight', amount: 8 }, 3)]), {
    'ratelimit-policy': '"in_flight";q=8;qu="concurrent-requests"',
    ratelimit: '"in_flight";r=3',
  })
  t.same(limitHeaders([state({ counts: 'cost', per: 'month', amount: 50e9 }, 1_234_567, 86_400_001)]), {
    'ratelimit-policy': '"cost/month";q=50000000;qu="micro-units";w=2678400',
    ratelimit: '"cost/month";r=1234;t=86401',
  })
})

t.test('of several limits of a kind, the one nearest to its end is shown', async (t) => {
  const headers = limitHeaders([
    state({ name: 'tenant', amount: 600, burst: 100 }, 90, 1000),
    state({ counts: 'in_flight', amount: 8 }, 3),
    state({ name: 'role.app.requests', amount: 60, burst: 10 }, 2, 8000),
    state({ name: 'role.b.requests', amount: 30, burst: 10 }, 2, 16_000),
  ])
  t.match(headers, {
    'x-ratelimit-limit-requests': '30',
    'x-ratelimit-remaining-requests': '2',
    'x-ratelimit-reset-requests': '16s',
    'ratelimit-policy': '"requests/minute";q=30;w=60, "in_flight";q=8;qu="concurrent-requests"',
    ratelimit: '"requests/minute";r=2;t=16, "in_flight";r=3',
  })
})

t.test('a refusal shows the limit that decided, even where another is nearer to its end', async (t) => {
  const deciding = state({ name: 'total', counts: 'total_tokens', amount: 10_000 }, 1000, 54_000)
  const other = state({ name: 'output', counts: 'output_tokens', amount: 900 }, 800, 100)
  const requests = state({}, 5, 700)
  t.match(limitHeaders([other, requests, deciding], deciding), {
    'x-ratelimit-limit-tokens': '10000',
    'x-ratelimit-remaining-tokens': '1000',
    'x-ratelimit-remaining-requests': '5',
  })
})

t.test('nothing is said of limits in shadow mode, and of buckets that tenants share', async (t) => {
  t.same(limitHeaders([state({ mode: 'shadow' }, 0)]), {})
  const shared = state({ key: 'everybody|requests/minute|' }, 3)
  t.same(limitHeaders([shared]), {})
  t.same(limitHeaders([shared], shared), {})
  t.same(limitHeaders([state({ key: 'per-model|requests/minute|model=demo' }, 3)]), {})
  t.same(
    limitHeaders([state({ key: 'a,tenant=x|requests/minute|role=app' }, 3)]),
    {},
    'a name is no dimension',
  )
  t.not(
    limitHeaders([state({ key: 'by|requests/minute|model=demo,organization=umbrella' }, 3)])['ratelimit'],
    undefined,
  )
  t.not(limitHeaders([state({ key: 'by|requests/minute|principal=p,tenant=a' }, 3)])['ratelimit'], undefined)
})

t.test('whatever the limits are: no name, no key, and valid structured fields', async (t) => {
  const limits = fc.record({
    name: fc.constantFrom('secret-name', 'role.secret-role.requests'),
    counts: fc.constantFrom(...counted),
    per: fc.constantFrom('second', 'minute', 'hour', 'day', 'month'),
    tenant: fc.constantFrom('acme', 'other'),
    amount: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    remaining: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    resetMs: fc.nat({ max: 2_678_400_000 }),
  })
  const item = /^"[a-z_/]+"(?:;[a-z]+=(?:\d{1,15}|"[a-z-]+"))+$/
  const property = fc.property(fc.array(limits, { maxLength: 12 }), (all) => {
    const headers = limitHeaders(
      all.map(({ name, counts, per, tenant, amount, remaining, resetMs }) => {
        const period = counts === 'in_flight' ? undefined : per
        const key = `${name}|${counts}/${per}|tenant=${tenant}`
        return state({ name, counts, per: period, key, amount }, remaining, resetMs)
      }),
    )
    assert.doesNotMatch(JSON.stringify(headers), /secret|acme|other/)
    const policies = headers['ratelimit-policy']?.split(', ') ?? []
    const states = headers['ratelimit']?.split(', ') ?? []
    for (const part of [...policies, ...states]) assert.match(part, item)
    const names = (parts: readonly string[]) => parts.map((part) => part.split(';')[0])
    assert.deepEqual(names(policies), names(states), 'the same in both')
    assert.equal(new Set(names(policies)).size, policies.length, 'each once')
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
})

t.test('no limits, no headers', async (t) => {
  t.same(limitHeaders([]), {})
})

t.test('how long to wait: never less than it takes, and no SDK retry beyond a minute', async (t) => {
  t.same(retryHeaders(200), { 'retry-after': '1', 'retry-after-ms': '200' })
  t.same(retryHeaders(1000.1), { 'retry-after': '2', 'retry-after-ms': '1001' })
  t.same(retryHeaders(60_000), { 'retry-after': '60', 'retry-after-ms': '60000' })
  t.same(retryHeaders(60_001), { 'retry-after': '61', 'retry-after-ms': '60001', 'x-should-retry': 'false' })
  t.same(retryHeaders(0), { 'retry-after': '0', 'retry-after-ms': '0' })
})
