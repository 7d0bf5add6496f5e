import assert from 'node:assert/strict'

import fc from 'fast-check'
import t from 'tap'

import { amountMax, burstMax, intervalUs, levelOf, type Rate, take } from '../../src/quota/bucket.ts'

const rate: fc.Arbitrary<Rate> = fc.record({
  amount: fc.oneof(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: amountMax })),
  burst: fc.integer({ min: 1, max: 12 }),
})

/** Times of calls: steps of the order of the interval, many of them zero. */
const steps = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3, noNaN: true })), {
  minLength: 1,
  maxLength: 60,
})

function timesOf(shares: readonly number[], interval: number): number[] {
  let nowUs = 1_000_000_000
  return shares.map((share) => {
    nowUs += Math.floor(share * interval)
    return nowUs
  })
}

/** Times at which takes were allowed. */
function allowedAt(times: readonly number[], limit: Rate): number[] {
  let tatUs = 0
  return times.filter((nowUs) => {
    const taken = take(tatUs, nowUs, limit)
    tatUs = taken.tatUs
    return taken.allowed
  })
}

t.test('60 a minute, burst 3: three at once, then one a second', async (t) => {
  const limit = { amount: 60, burst: 3 }
  t.same(
    allowedAt([0, 0, 0, 0, 999_999, 1_000_000, 1_000_000, 2_000_000, 9_000_000, 9_000_000], limit),
    [0, 0, 0, 1_000_000, 2_000_000, 9_000_000, 9_000_000],
  )
  t.same(take(3_000_000, 0, limit), { allowed: false, tatUs: 3_000_000, waitUs: 1_000_000 })
  t.same(levelOf(0, 0, limit), { remaining: 3, resetUs: 0 })
  t.same(levelOf(2_000_001, 0, limit), { remaining: 0, resetUs: 2_000_001 })
})

t.test('1: in no window are there more than burst + t / interval', async (t) => {
  const property = fc.property(rate, steps, (limit, shares) => {
    const interval = intervalUs(limit)
    const allowed = allowedAt(timesOf(shares, interval), limit)
    allowed.forEach((start, first) => {
      for (let last = first; last < allowed.length; last++) {
        const windowUs = Number(allowed[last]) - start
        assert.ok(last - first + 1 <= limit.burst + windowUs / interval)
        // The same against the rate that was configured: rounding may take from a caller, never give.
        assert.ok(last - first + 1 <= limit.burst + (windowUs * limit.amount) / 60_000_000)
      }
    })
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
})

t.test('1: a caller who is always exactly on time gets the rate, never more', async (t) => {
  const property = fc.property(rate, (limit) => {
    let tatUs = 0
    let nowUs = 0
    for (let passed = 1; passed <= 60; passed++) {
      nowUs += take(tatUs, nowUs, limit).waitUs
      tatUs = take(tatUs, nowUs, limit).tatUs
      assert.ok(passed <= limit.burst + (nowUs * limit.amount) / 60_000_000)
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 100 }))
})

t.test('2: a refusal changes nothing, and its wait is exact to the microsecond', async (t) => {
  let refusals = 0
  const property = fc.property(rate, steps, (limit, shares) => {
    let tatUs = 0
    for (const nowUs of timesOf(shares, intervalUs(limit))) {
      const taken = take(tatUs, nowUs, limit)
      if (!taken.allowed) {
        refusals += 1
        assert.equal(taken.tatUs, tatUs)
        assert.equal(take(tatUs, nowUs + taken.waitUs, limit).allowed, true)
        assert.equal(take(tatUs, nowUs + taken.waitUs - 1, limit).allowed, false)
      }
      tatUs = taken.tatUs
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
  t.ok(refusals > 100)
})

t.test(
  '3: as many as remain are allowed at once, and not one more; after the reset it is full',
  async (t) => {
    const property = fc.property(
      rate,
      fc.nat({ max: 20 }),
      fc.nat({ max: 1_000_000 }),
      (limit, takes, laterUs) => {
        let tatUs = 0
        for (let n = 0; n < takes; n++) tatUs = take(tatUs, 0, limit).tatUs
        const { remaining, resetUs } = levelOf(tatUs, laterUs, limit)
        assert.equal(levelOf(tatUs, laterUs + resetUs, limit).remaining, limit.burst)
        for (let n = 0; n < remaining; n++) {
          const taken = take(tatUs, laterUs, limit)
          assert.equal(taken.allowed, true)
          tatUs = taken.tatUs
        }
        assert.equal(take(tatUs, laterUs, limit).allowed, false)
      },
    )
    t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
  },
)

t.test('numbers stay exact for a process that runs for ten years', async (t) => {
  const tenYearsUs = 10 * 366 * 86_400 * 1_000_000
  t.ok(Number.isSafeInteger(tenYearsUs + intervalUs({ amount: 1, burst: 1 }) * burstMax))
})

t.test('a rate without meaning is refused', async (t) => {
  const bad: readonly Rate[] = [
    { amount: 0, burst: 1 },
    { amount: 1, burst: 0 },
    { amount: 1.5, burst: 1 },
    { amount: Number.NaN, burst: 1 },
    { amount: amountMax + 1, burst: 1 },
    { amount: 1, burst: burstMax + 1 },
  ]
  for (const limit of bad) t.throws(() => take(0, 0, limit), RangeError, JSON.stringify(limit))
})
