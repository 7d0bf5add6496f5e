// The bound on what passes too much while Redis is away (src/quota/shared/outage.ts), in any history.
import fc from 'fast-check'
import t from 'tap'
import type { Limit } from '../../../src/policy/limit.ts'
import { BudgetCalendar } from '../../../src/quota/budget-window.ts'
import { unitOf } from '../../../src/quota/rate.ts'
import { HeldSlots } from '../../../src/quota/shared/held-slots.ts'
import { Membership } from '../../../src/quota/shared/members.ts'
import { Outage } from '../../../src/quota/shared/outage.ts'
import { partOf } from '../../../src/quota/shared/share.ts'
import { limitOf } from '../simulated-limit.ts'
import { SimulatedReplicas } from './simulated-replicas.ts'

const crowd = fc.record({
  do: fc.constant('crowd' as const),
  by: fc.nat(3),
  units: fc.integer({ min: 1, max: 9 }),
})
const advance = fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 20_000 }) })
const settle = fc.record({
  do: fc.constant('settle' as const),
  which: fc.nat(50),
  part: fc.constantFrom(0, 0.5, 1),
})
const one = fc.record({ do: fc.constantFrom('cut' as const, 'join' as const), by: fc.nat(3) })
const all = fc.record({ do: fc.constantFrom('cut all' as const, 'join all' as const) })
const loss = fc.oneof(
  fc.record({ do: fc.constant('lose' as const) }),
  fc.record({ do: fc.constant('die' as const), by: fc.nat(3) }),
)
const plain = fc.oneof(crowd, crowd, advance, settle, one, all)
const fatal = fc.oneof(crowd, crowd, advance, settle, one, all, loss)
type Event = typeof fatal extends fc.Arbitrary<infer E> ? E : never

const limits = fc
  .record({ amount: fc.integer({ min: 1, max: 90 }), burst: fc.integer({ min: 1, max: 30 }) })
  .map((fields) => limitOf({ ...fields, per: 'minute' }))

function play(world: SimulatedReplicas, step: Event): void {
  const everyone = world.replicas.keys().toArray()
  const which = 'by' in step ? step.by % everyone.length : 0
  const actions = {
    // As many as pass: histories that try less hard find less.
    crowd: () => {
      while (world.admit(which, 'units' in step ? step.units : 1));
    },
    advance: () => world.advance('ms' in step ? step.ms : 0),
    settle: () => {
      if (step.do === 'settle') world.settle(step.which, step.part)
    },
    lose: () => world.lose(),
    'cut all': () => everyone.forEach((index) => void world.cut(index)),
    'join all': () => everyone.forEach((index) => void world.join(index)),
    cut: () => world.cut(which),
    join: () => world.join(which),
    die: () => world.die(which),
  }
  actions[step.do]()
}

/** The window in which most passed above the bound; units of debt. */
function excessOf(world: SimulatedReplicas): number {
  const unit = unitOf(world.limit)
  let worst = Number.NEGATIVE_INFINITY
  for (const [first, { atMs: fromMs }] of world.happened.entries()) {
    let sum = 0
    for (const { atMs, units } of world.happened.slice(first)) {
      sum += units * unit
      if (units > 0) worst = Math.max(worst, sum - world.boundOf(fromMs, atMs))
    }
  }
  return worst
}

const cases = {
  'never more than the rate, one burst and one for each outage: 10 000 histories': {
    runs: 10_000,
    event: plain,
  },
  'and one for each Redis that came back empty, one part for each replica that died': {
    runs: 3_000,
    event: fatal,
  },
}
for (const [title, { runs, event }] of Object.entries(cases)) {
  t.test(title, (t) => {
    let cuts = 0
    const histories = fc.array<Event>(event, { minLength: 5, maxLength: 24 })
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 4 }), histories, (limit, count, steps) => {
        const world = new SimulatedReplicas(limit, count)
        for (const step of steps) play(world, step)
        cuts += world.cuts.length
        return excessOf(world) <= 0
      }),
      { numRuns: runs },
    )
    t.ok(cuts > runs, `${cuts} times a replica was cut off`)
    t.end()
  })
}

t.test('the bound is no wider than it must be: a history that reaches it', (t) => {
  const world = new SimulatedReplicas(limitOf({ amount: 60, burst: 20 }), 2)
  while (world.admit(0, 1));
  const [, other] = world.replicas
  t.equal(other?.known.size, 0, 'one replica has heard nothing')
  world.cut(0)
  world.cut(1)
  while (world.admit(0, 1));
  while (world.admit(1, 1));
  t.equal(world.open.length, 30, 'it has its part of a burst; the other knows that nothing is left')
  world.advance(60_000)
  while (world.admit(0, 1));
  while (world.admit(1, 1));
  t.equal(world.open.length, 50, 'a burst flowed back to them')
  world.join(0)
  t.equal(world.redisLevel.used, 10)
  world.join(1)
  t.equal(world.redisLevel.used, 20)
  t.notOk(world.admit(0, 1), 'and none is left when Redis decides again')
  t.end()
})

t.test('what was in use before flows back first, then what passed meanwhile: as of one bucket', (t) => {
  const world = new SimulatedReplicas(limitOf({ amount: 60, burst: 20 }), 1)
  for (let n = 0; n < 10; n += 1) world.admit(0, 1)
  world.cut(0)
  while (world.admit(0, 1));
  t.equal(world.open.length, 20)
  world.advance(10_000)
  world.join(0)
  t.equal(world.redisLevel.used, 10)
  t.end()
})

t.test('a long outage closes nobody out: what has flowed back is not charged', (t) => {
  fc.assert(
    fc.property(
      limits,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 50 }),
      (limit, count, rounds) => {
        const world = new SimulatedReplicas(limit, count)
        for (const index of world.replicas.keys()) world.cut(index)
        for (let round = 0; round < rounds; round += 1) {
          for (const index of world.replicas.keys()) while (world.admit(index, 1));
          world.advance(10_000)
        }
        for (const index of world.replicas.keys()) world.join(index)
        return world.redisLevel.used <= limit.burst + count
      },
    ),
    { numRuns: 300 },
  )
  t.pass('at most the burst is in use, however much passed')
  t.end()
})

t.test('parts of any number over any number of replicas add up to it', (t) => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 200 }), (whole, replicas) => {
      const parts = Array.from({ length: replicas }, (_, rank) => partOf(whole, { rank, replicas }))
      const sum = parts.reduce((total, part) => total + BigInt(part), 0n)
      return sum === BigInt(whole) && Math.max(...parts) - Math.min(...parts) <= 1
    }),
    { numRuns: 500 },
  )
  t.equal(partOf(7, { rank: 0, replicas: 1 }), 7)
  t.end()
})

t.test('a replica has a part when others have had time to hear of it', (t) => {
  const membership = new Membership()
  const beat = { redisMs: 0, changes: 0, rank: 1, replicas: 3 }
  const places = [false, true, true, true, false, true, true].map((wasMember) => {
    membership.heard({ ...beat, wasMember })
    return membership.place !== undefined
  })
  t.same(places, [false, false, true, true, false, false, true])
  t.equal(membership.replicas, 3)
  t.same(new Membership().place, undefined)
  const restarted = new Membership()
  restarted.heard({ ...beat, wasMember: true })
  t.equal(restarted.place, undefined, 'nor is it one that another process of the same name left')
  t.end()
})

const now = { monotonicMs: 5_000, redisMs: Date.UTC(2026, 10, 28, 12) }
function outageOf(
  rank: number,
  replicas: number,
  fields: Partial<ConstructorParameters<typeof Outage>[0]> = {},
) {
  const slots = new HeldSlots()
  const calendar = new BudgetCalendar()
  const place = () => ({ rank, replicas })
  return {
    slots,
    outage: new Outage({ slots, calendar, place, known: () => undefined, retryMs: () => 100, ...fields }),
  }
}
const admitAll = (outage: Outage, limit: Limit, amount: number): number => {
  let passed = 0
  while (passed < 1_000 && outage.admit(`e${passed}`, [{ limit, amount }], now).allowed) passed += 1
  return passed
}

t.test('budgets: a twentieth of what was left, divided, for each period', (t) => {
  const limit = limitOf({ name: 'daily', counts: 'cost', per: 'day', amount: 1_000 })
  const state = { limit, used: 600, remaining: 400, resetMs: 1 }
  const known = () => ({ state, atMs: 0, period: '2026-11-28' })
  t.same(
    [0, 1, 2].map((rank) => admitAll(outageOf(rank, 3, { known }).outage, limit, 1)),
    [6, 7, 7],
  )
  const { outage } = outageOf(0, 2, { known: () => ({ state, atMs: 0, period: '2026-11-27' }) })
  t.equal(admitAll(outage, limit, 1), 25, 'what was said of another day counts for nothing')
  outage.add({ limit, units: -5, window: new BudgetCalendar().windowOf(limit, now.redisMs) }, now)
  t.match(outage.drain(now), [{ units: 20 }])
  t.same(outage.drain(now), [])
  t.end()
})

t.test('slots: those that are held count, and all together stay below twice the limit', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.nat(12), { minLength: 1, maxLength: 5 }),
      (amount, held) => {
        const limit = limitOf({ name: 'slots', counts: 'in_flight', amount })
        let [given, all] = [amount, 0]
        for (const [rank, wish] of held.entries()) {
          const { slots, outage } = outageOf(rank, held.length)
          const before = Math.min(wish, given)
          given -= before
          for (let n = 0; n < before; n += 1) slots.take(limit, `before${n}`, 0)
          admitAll(outage, limit, 1)
          all += slots.count(limit)
          for (let n = 0; n < 50; n += 1) for (const id of [`before${n}`, `e${n}`]) slots.leave(limit, id)
          if (slots.size > 0) return false
        }
        return all <= 2 * amount
      },
    ),
    { numRuns: 500 },
  )
  t.pass('and every slot is given back')
  t.end()
})

t.test('a refusal changes nothing, and says how long', (t) => {
  const { outage, slots } = outageOf(0, 2)
  const [rate, slot] = [
    limitOf({ amount: 60, burst: 4 }),
    limitOf({ name: 's', counts: 'in_flight', amount: 2 }),
  ]
  const both = [
    { limit: rate, amount: 1 },
    { limit: slot, amount: 1 },
  ]
  t.ok(outage.admit('a', both, now).allowed)
  t.match(outage.admit('b', both, now), { allowed: false, by: 'lease', deciding: { waitMs: 100 } })
  t.match(outage.peek([rate, slot], now), [
    { used: 1, remaining: 1 },
    { used: 1, remaining: 0 },
  ])
  t.match(
    outage.admit('c', [{ limit: rate, amount: 3 }], now).deciding,
    { waitMs: 100 },
    'Redis may have room for it',
  )
  t.match(outage.admit('d', [{ limit: rate, amount: 5 }], now).deciding, { waitMs: Number.POSITIVE_INFINITY })
  t.ok(outage.admit('e', [{ limit: rate, amount: 1 }], now).allowed)
  const { deciding } = outage.admit('f', [{ limit: rate, amount: 1 }], now)
  t.equal(deciding?.waitMs, 2_000, 'half of 60 a minute is one in two seconds')
  t.ok(outage.admit('g', [{ limit: { ...rate, mode: 'shadow' }, amount: 1 }], now).allowed)
  t.equal(slots.size, 1)
  t.end()
})
