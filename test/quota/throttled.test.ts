import fc from 'fast-check'
import t from 'tap'
import { Throttled } from '../../src/quota/throttled.ts'
import { fakeClock } from './fake-clock.ts'

t.test('1. counts the last five minutes, to ten seconds', (t) => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 100_000 }),
    limit: fc.constantFrom('a', 'b'),
    kind: fc.constantFrom('refused' as const, 'shadowed' as const),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = fakeClock()
      const throttled = new Throttled({ clock })
      const events: { limit: string; kind: string; at: number }[] = []
      for (const { waitMs, limit, kind } of steps) {
        clock.advance(waitMs)
        throttled[kind](limit, 'acme')
        events.push({ limit, kind, at: clock.now() })
      }
      const count = (limit: string, kind: string, withinMs: number): number =>
        events.filter(
          (event) => event.limit === limit && event.kind === kind && clock.now() - event.at < withinMs,
        ).length
      return ['a', 'b'].every((limit) => {
        const told = throttled.list().find((each) => each.limit === limit)
        return (['refused', 'shadowed'] as const).every((kind) => {
          const told_ = told?.[kind] ?? 0
          return told_ >= count(limit, kind, 290_000) && told_ <= count(limit, kind, 310_000)
        })
      })
    }),
  )
  const clock = fakeClock()
  const throttled = new Throttled({ clock })
  throttled.refused('a', 'acme')
  t.match(throttled.list(), [{ limit: 'a', tenant: 'acme', refused: 1, shadowed: 0, lastAt: clock.now() }])
  clock.advance(310_000)
  t.same(throttled.list(), [])
  t.end()
})

t.test('2. bounded, whatever names tenants have; those most refused first', (t) => {
  const throttled = new Throttled({ clock: fakeClock(), entriesMax: 10 })
  for (let tenant = 0; tenant < 1_000; tenant += 1) throttled.refused('a', `t-${tenant}`)
  t.equal(throttled.list().length, 10)
  throttled.refused('a', 't-995')
  t.match(throttled.list()[0], { tenant: 't-995', refused: 2 })
  t.end()
})
