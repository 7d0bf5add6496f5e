import t from 'tap'

import { LimitRefusal } from '../../src/quota/limit-refusal.ts'
import { memoryQuota } from '../../src/quota/memory-quota.ts'
import { quotaContract } from './contract.ts'
import { fakeClock } from './fake-clock.ts'
import { inFlight, requests } from './subject.ts'

quotaContract('memory', async () => {
  const clock = fakeClock()
  return {
    quota: memoryQuota({ clock }),
    elapse: async (ms) => clock.advance(ms),
    close: async () => undefined,
  }
})

t.test('the wait is exact to the millisecond', async (t) => {
  const clock = fakeClock()
  const quota = memoryQuota({ clock })
  const limits = [requests('tenant:acme/role:app', 7, 1)]
  await quota.admit('e1', limits)
  clock.advance(1)
  const refusal = {
    code: 'rate_limit_exceeded',
    detail: 'limit tenant:acme/role:app: 7 requests a minute, burst 1',
  }
  // 60 s / 7 = 8571.43 ms
  await t.rejects(quota.admit('e2', limits), { ...refusal, retryAfterMs: 8571 })
  clock.advance(8570)
  await t.rejects(quota.admit('e3', limits), { ...refusal, retryAfterMs: 1 })
  clock.advance(1)
  await quota.admit('e4', limits)
})

t.test('a refusal carries the states of all limits as they are, nothing taken', async (t) => {
  const quota = memoryQuota({ clock: fakeClock() })
  const limits = [requests('a', 60, 3), requests('b', 60, 1), inFlight('a', 4)]
  await quota.admit('e1', limits)
  const refused = await quota.admit('e2', limits).catch((error: unknown) => error)
  t.ok(refused instanceof LimitRefusal)
  t.match(refused, {
    code: 'rate_limit_exceeded',
    states: [
      { remaining: 2, resetMs: 1000 },
      { remaining: 0, resetMs: 1000 },
      { remaining: 3, resetMs: 0 },
    ],
  })
})

t.test('a full bucket of slots asks for a second', async (t) => {
  const quota = memoryQuota({ clock: fakeClock() })
  const limits = [inFlight('tenant:acme', 1)]
  await quota.admit('e1', limits)
  await t.rejects(quota.admit('e2', limits), {
    code: 'concurrency_limit_exceeded',
    detail: 'limit tenant:acme: 1 exchanges in flight',
    retryAfterMs: 1000,
  })
})

t.test('one limit named twice takes twice: never more than it says', async (t) => {
  const quota = memoryQuota({ clock: fakeClock() })
  const limit = requests('a', 60, 3)
  const { states } = await quota.admit('e1', [limit, limit])
  t.match(states, [{ remaining: 1 }, { remaining: 1 }])
  await t.rejects(quota.admit('e2', [limit, limit]), { code: 'rate_limit_exceeded' })
})

t.test(
  'memory is bounded: new keys are refused while every bucket is in use, and let in when one is full',
  async (t) => {
    const clock = fakeClock()
    const quota = memoryQuota({ clock, bucketsMax: 10 })
    for (let n = 0; n < 10; n++) await quota.admit(`e${n}`, [requests(`key:${n}`, 60, 5)])
    const slot = inFlight('slots', 5)
    await t.rejects(quota.admit('e10', [requests('key:10', 60, 5), slot]), {
      code: 'overloaded',
      retryAfterMs: 1000,
    })
    t.same([quota.buckets, quota.inFlight], [10, 10], 'the refusal left nothing behind')
    await quota.admit('e11', [requests('key:3', 60, 5)])
    clock.advance(1000)
    await quota.admit('e12', [requests('key:10', 60, 5)])
    t.equal(quota.buckets, 2, 'the one that was taken twice, and the new one')
  },
)

t.test('leases are bounded', async (t) => {
  const quota = memoryQuota({ clock: fakeClock(), exchangesMax: 2 })
  const admission = await quota.admit('e1', [])
  await quota.admit('e2', [])
  await t.rejects(quota.admit('e3', [requests('a', 60, 1)]), { code: 'overloaded' })
  t.equal(quota.buckets, 0, 'no request was taken')
  await admission[Symbol.asyncDispose]()
  await quota.admit('e3', [requests('a', 60, 1)])
})

t.test('await using gives the slot back when the exchange fails', async (t) => {
  const quota = memoryQuota({ clock: fakeClock() })
  const exchange = async (): Promise<void> => {
    await using admission = await quota.admit('e1', [inFlight('a', 1)])
    t.equal(quota.inFlight, 1)
    throw new Error(`failed with ${admission.states.length} limit`)
  }
  await t.rejects(exchange(), /failed with 1 limit/)
  t.equal(quota.inFlight, 0)
})

t.test('a limit without meaning is a failure, and nothing is taken', async (t) => {
  const quota = memoryQuota({ clock: fakeClock() })
  await t.rejects(quota.admit('e1', [requests('a', 60, 1), requests('b', 0, 1)]), RangeError)
  t.same([quota.buckets, quota.inFlight], [0, 0])
})
