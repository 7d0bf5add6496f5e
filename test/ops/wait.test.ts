import fc from 'fast-check'
import t from 'tap'
import { waitFor } from '../../src/ops/wait.ts'
import type { Limit } from '../../src/policy/limit.ts'

const limit = (changes: Partial<Limit>): Limit => ({
  name: 'l',
  key: 'l|requests/minute|',
  shard: 'all',
  counts: 'requests',
  per: 'minute',
  amount: 60,
  burst: 60,
  mode: 'enforce',
  onStoreFailure: 'lease',
  timeZone: 'UTC',
  source: 'config',
  ...changes,
})

t.test('of a rate: at most a millisecond off the exact wait, never too short by more', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(['second', 1_000] as const, ['minute', 60_000] as const, ['hour', 3_600_000] as const),
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      ([per, period], amount, burst, full, share) => {
        const debt = Math.floor(full * burst * period)
        const asked = Math.max(1, Math.floor(share * burst))
        const state = {
          limit: limit({ per, amount, burst }),
          used: Math.ceil(debt / period),
          remaining: Math.floor((burst * period - debt) / period),
          resetMs: Math.ceil(debt / amount),
        }
        const exact = Math.max(0, Math.ceil((debt + asked * period - burst * period) / amount))
        return Math.abs(waitFor(state, asked) - exact) <= 1
      },
    ),
  )
  t.pass('as the stores say')
  t.end()
})

t.test('of a budget until its end, of a slot a guess, of what is larger than the limit for ever', (t) => {
  const budget = {
    limit: limit({ per: 'day', amount: 10, burst: 10 }),
    used: 9,
    remaining: 1,
    resetMs: 5_000,
  }
  t.equal(waitFor(budget, 1), 0)
  t.equal(waitFor(budget, 2), 5_000)
  t.equal(waitFor(budget, 11), Number.POSITIVE_INFINITY)
  const slot = {
    limit: limit({ counts: 'in_flight', per: undefined, amount: 1, burst: 1 }),
    used: 1,
    remaining: 0,
    resetMs: 0,
  }
  t.equal(waitFor(slot, 1), 1_000)
  t.end()
})
