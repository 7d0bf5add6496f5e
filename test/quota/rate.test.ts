import fc from 'fast-check'
import t from 'tap'
import { charged, debtAt, levelOf, returned, unitOf, waitOf } from '../../src/quota/rate.ts'

const rate = fc.record({
  per: fc.constantFrom('second' as const, 'minute' as const, 'hour' as const),
  amount: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1_000_000_000 })),
  burst: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1_000_000_000 })),
})
const unused = { debt: 0, atMs: 0 }
const now = 5_000_000_000_000
const takes = fc.array(
  fc.record({ afterMs: fc.nat(5_000), units: fc.integer({ min: 1, max: 30 }), back: fc.nat(30) }),
  {
    maxLength: 40,
  },
)

t.test(
  'in every window, what was taken and not returned is within burst + amount * t / period',
  async (t) => {
    fc.assert(
      fc.property(rate, takes, (rate, takes) => {
        let bucket = unused
        let at = now
        const kept: { at: number; units: number }[] = []
        for (const { afterMs, units, back } of takes) {
          at += afterMs
          if (waitOf(bucket, units, at, rate) > 0) continue
          bucket = charged(bucket, units, at, rate)
          const given = Math.min(back, units)
          bucket = returned(bucket, given, at, rate)
          kept.push({ at, units: units - given })
        }
        return kept.every((first, from) => {
          let sum = 0
          return kept.slice(from).every(({ at, units }) => {
            sum += units
            const period = BigInt(unitOf(rate))
            return BigInt(sum - rate.burst) * period <= BigInt(rate.amount) * BigInt(at - first.at)
          })
        })
      }),
      { numRuns: 500 },
    )
    t.pass()
  },
)

t.test('the wait is exact: at its end the same passes, a millisecond before not', async (t) => {
  fc.assert(
    fc.property(
      rate,
      fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 20 }),
      (rate, charges, units) => {
        const bucket = charges.reduce((bucket, units) => charged(bucket, units, now, rate), unused)
        const waitMs = waitOf(bucket, units, now, rate)
        if (waitMs === Number.POSITIVE_INFINITY) return units > rate.burst
        const late = waitOf(bucket, units, now + waitMs, rate) === 0
        return late && (waitMs === 0 || waitOf(bucket, units, now + waitMs - 1, rate) > 0)
      },
    ),
    { numRuns: 1_000 },
  )
  t.pass()
})

t.test('what is shown is exact: so many pass now, and not one more', async (t) => {
  fc.assert(
    fc.property(
      rate,
      fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 30 }),
      fc.nat(10_000),
      (rate, charges, afterMs) => {
        const bucket = charges.reduce((bucket, units) => charged(bucket, units, now, rate), unused)
        const at = now + afterMs
        const { remaining, resetMs, used } = levelOf(bucket, at, rate)
        return (
          waitOf(bucket, remaining, at, rate) === 0 &&
          waitOf(bucket, remaining + 1, at, rate) > 0 &&
          debtAt(bucket, at + resetMs, rate) === 0 &&
          used >= 0 &&
          (resetMs === 0) === (used === 0)
        )
      },
    ),
    { numRuns: 1_000 },
  )
  t.pass()
})

t.test('returns make no credit, clocks that jump back make none either', async (t) => {
  const rate = { per: 'minute', amount: 60, burst: 5 } as const
  const full = charged(unused, 5, now, rate)
  t.same(returned(full, 50, now, rate), { debt: 0, atMs: now })
  t.equal(debtAt(full, now - 3_600_000, rate), full.debt)
  t.equal(charged(full, 1, now - 5_000, rate).atMs, now)
})

t.test('everything stays a whole number below 2^53', async (t) => {
  const largest = { per: 'hour', amount: 1_000_000_000, burst: 1_000_000_000 } as const
  let bucket = unused
  for (let n = 0; n < 5; n += 1) bucket = charged(bucket, 1_000_000_000, now, largest)
  t.ok(Number.isSafeInteger(bucket.debt))
  t.ok(Number.isSafeInteger(bucket.debt + largest.burst * unitOf(largest)))
  t.ok(waitOf(bucket, 1, now, largest) > 0)
})
