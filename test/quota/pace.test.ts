import fc from 'fast-check'
import t from 'tap'
import { Pace } from '../../src/quota/pace.ts'
import { fakeClock } from './fake-clock.ts'

t.test('1. in every window at most burst + perSecond * t pass', (t) => {
  const step = fc.record({ waitMs: fc.integer({ min: 0, max: 3_000 }), key: fc.constantFrom('a', 'b') })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(step, { maxLength: 200 }),
      (perSecond, burst, steps) => {
        const clock = fakeClock()
        const pace = new Pace({ clock, perSecond, burst })
        const passed = new Map<string, number[]>()
        for (const { waitMs, key } of steps) {
          clock.advance(waitMs)
          const times = passed.get(key) ?? []
          passed.set(key, times)
          if (pace.take(key) === 0) times.push(clock.monotonic())
          for (const [index, since] of times.entries()) {
            const seconds = (clock.monotonic() - since) / 1000
            if (times.length - index > burst + perSecond * seconds + 1e-6) return false
          }
        }
        return true
      },
    ),
  )
  t.pass('no window held more')
  t.end()
})

t.test('the wait is exact to a millisecond, and being refused costs nothing', (t) => {
  const clock = fakeClock()
  const pace = new Pace({ clock, perSecond: 4, burst: 2 })
  t.same([pace.take('a'), pace.take('a'), pace.take('a'), pace.take('a')], [0, 0, 250, 250])
  t.equal(pace.take('b'), 0, 'another key has its own')
  clock.advance(249)
  t.equal(pace.take('a'), 1)
  clock.advance(1)
  t.equal(pace.take('a'), 0)
  t.equal(pace.take('a'), 250)
  t.end()
})

t.test('2. at most keysMax keys are remembered, those asked last', (t) => {
  const clock = fakeClock()
  const pace = new Pace({ clock, perSecond: 1, burst: 1, keysMax: 3 })
  for (const key of ['a', 'b', 'c']) pace.take(key)
  pace.take('a')
  pace.take('d')
  t.equal(pace.size, 3)
  t.equal(pace.take('b'), 0, 'b was forgotten')
  t.ok(pace.take('a') > 0 || pace.take('d') > 0)
  t.end()
})
