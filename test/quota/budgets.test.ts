import fc from 'fast-check'
import t from 'tap'
import { BudgetCalendar } from '../../src/quota/budget-window.ts'
import { type Budget, Budgets } from '../../src/quota/budgets.ts'
import { limitOf } from './simulated-limit.ts'

const daily = limitOf({ name: 'daily', counts: 'total_tokens', per: 'day', amount: 1_000 })
const dayMs = 86_400_000
const noon = Date.UTC(2026, 10, 28, 12)
const usedOn = (budgets: Budgets, day: number, limit = daily): number =>
  budgets.stateOf(limit, noon + day * dayMs).used

t.test('a wall clock that jumps, however often, finds every day as it left it', async (t) => {
  const step = fc.record({ day: fc.integer({ min: -3, max: 3 }), units: fc.nat(50), back: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const budgets = new Budgets(new BudgetCalendar())
      const truth = new Map<number, number>()
      const charged: { budget: Budget; day: number; units: number }[] = []
      for (const { day, units, back } of steps) {
        const last = back ? charged.pop() : undefined
        if (last === undefined) {
          charged.push({ budget: budgets.charge(daily, units, noon + day * dayMs), day, units })
          truth.set(day, (truth.get(day) ?? 0) + units)
        } else {
          budgets.correct(daily, -last.units, last.budget, noon + day * dayMs)
          truth.set(last.day, (truth.get(last.day) ?? 0) - last.units)
        }
        const names = [...budgets.entries()].map(({ bucket }) => bucket)
        if (new Set(names).size !== names.length) return false
      }
      return [...truth].every(([day, used]) => usedOn(budgets, day) === used)
    }),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('what was read from the disk in any order is found on its day', async (t) => {
  for (const days of [
    [27, 28, 29],
    [29, 28, 27],
    [28, 29, 27],
  ]) {
    const budgets = new Budgets(new BudgetCalendar())
    for (const day of days) budgets.restore(`${daily.key}@2026-11-${day}`, day, Date.UTC(2026, 10, day + 1))
    t.same(
      [-1, 0, 1].map((day) => usedOn(budgets, day)),
      [27, 28, 29],
    )
  }
})

t.test('another time zone: the day of the same date goes on, and is not had twice', async (t) => {
  const budgets = new Budgets(new BudgetCalendar())
  const tokyo = { ...daily, timeZone: 'Asia/Tokyo' }
  budgets.charge(daily, 700, noon)
  t.equal(usedOn(budgets, 0, tokyo), 700)
  budgets.charge(tokyo, 200, noon)
  t.equal(usedOn(budgets, 0), 900)
  t.equal(budgets.size, 1)
})

t.test('a day that is over and was settled late is forgotten a day later; keys are of today', async (t) => {
  const budgets = new Budgets(new BudgetCalendar())
  const yesterday = budgets.charge(daily, 10, noon)
  t.same([...budgets.keys(noon)], [daily.key])
  t.same([...budgets.keys(noon + dayMs)], [])
  budgets.charge(daily, 1, noon + dayMs)
  budgets.correct(daily, -4, yesterday, noon + dayMs)
  t.equal(usedOn(budgets, 0), 6)
  budgets.sweep(noon + dayMs)
  t.equal(budgets.size, 2, 'not yet')
  budgets.sweep(noon + 2 * dayMs)
  t.equal(budgets.size, 1)
  t.equal(budgets.correct(daily, -6, yesterday, noon + 2 * dayMs), undefined)
})
