import assert from 'node:assert/strict'

import fc from 'fast-check'
import t from 'tap'

import { goDuration, limitHeaders, retryHeaders } from '../../src/quota/headers.ts'
import { inFlight, requests } from './subject.ts'

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
  t.same(limitHeaders([{ limit: requests('tenant:acme/role:app', 60, 10), remaining: 7, resetMs: 2500 }]), {
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '7',
    'x-ratelimit-reset-requests': '2.5s',
    'ratelimit-policy': '"requests";q=60;w=60',
    ratelimit: '"requests";r=7;t=3',
  })
})

t.test('in flight: the IETF family only', async (t) => {
  t.same(limitHeaders([{ limit: inFlight('tenant:acme', 8), remaining: 3, resetMs: 0 }]), {
    'ratelimit-policy': '"in_flight";q=8;qu="concurrent-requests"',
    ratelimit: '"in_flight";r=3',
  })
})

t.test('of several limits of a name, the one nearest to its end is shown', async (t) => {
  const headers = limitHeaders([
    { limit: requests('tenant:acme', 600, 100), remaining: 90, resetMs: 1000 },
    { limit: inFlight('tenant:acme', 8), remaining: 3, resetMs: 0 },
    { limit: requests('tenant:acme/role:app', 60, 10), remaining: 2, resetMs: 8000 },
    { limit: requests('tenant:acme/role:b', 30, 10), remaining: 2, resetMs: 16_000 },
  ])
  t.match(headers, {
    'x-ratelimit-limit-requests': '30',
    'x-ratelimit-remaining-requests': '2',
    'x-ratelimit-reset-requests': '16s',
    'ratelimit-policy': '"requests";q=30;w=60, "in_flight";q=8;qu="concurrent-requests"',
    ratelimit: '"requests";r=2;t=16, "in_flight";r=3',
  })
  t.notMatch(JSON.stringify(headers), 'acme', 'no key is shown')
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
