import fc from 'fast-check'
import t from 'tap'
import { TokenBucket } from '../../src/identity/token-bucket.ts'
import { FakeClock } from './fake-clock.ts'

t.test('grants its capacity at once, then one for each refill time', async (t) => {
  const clock = new FakeClock()
  const bucket = new TokenBucket({ clock, capacity: 2, refillMs: 1000 })
  t.same([bucket.take(), bucket.take(), bucket.take()], [true, true, false])
  await clock.advance(999)
  t.equal(bucket.take(), false)
  await clock.advance(1)
  t.same([bucket.take(), bucket.take()], [true, false])
  await clock.advance(60_000)
  t.same(
    [bucket.take(), bucket.take(), bucket.take()],
    [true, true, false],
    'never holds more than its capacity',
  )
})

t.test('property: never more than capacity plus what the time has refilled', async (t) => {
  const held = fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 20 }), async (pauses) => {
      const clock = new FakeClock()
      const bucket = new TokenBucket({ clock, capacity: 3, refillMs: 1000 })
      let granted = 0
      for (const ms of pauses) {
        await clock.advance(ms)
        for (let asked = 0; asked < 5; asked += 1) granted += bucket.take() ? 1 : 0
      }
      return granted <= 3 + clock.monotonic() / 1000
    }),
    { numRuns: 50 },
  )
  await t.resolves(held)
})
