import fc from 'fast-check'
import t from 'tap'
import { BudgetCalendar } from '../../src/quota/budget-window.ts'

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/Sao_Paulo',
  'Asia/Kolkata',
  'Pacific/Apia',
  'Australia/Lord_Howe',
]
const hour = 3_600_000
const lengthOf = (per: 'day' | 'month', timeZone: string, at: number): number => {
  const { startMs, endMs } = new BudgetCalendar().windowOf({ per, timeZone }, at)
  return (endMs - startMs) / hour
}

t.test('days and months as people have them', async (t) => {
  t.equal(lengthOf('day', 'UTC', Date.UTC(2026, 2, 29, 12)), 24)
  t.equal(lengthOf('day', 'Europe/Berlin', Date.UTC(2026, 2, 29, 12)), 23, 'clocks go forward')
  t.equal(lengthOf('day', 'Europe/Berlin', Date.UTC(2026, 9, 25, 12)), 25, 'clocks go back')
  t.equal(lengthOf('month', 'UTC', Date.UTC(2028, 1, 5)), 29 * 24, 'February of a leap year')
  const calendar = new BudgetCalendar()
  t.match(calendar.windowOf({ per: 'day', timeZone: 'Asia/Kolkata' }, Date.UTC(2026, 10, 27, 20)), {
    id: '2026-11-28',
    startMs: Date.UTC(2026, 10, 27, 18, 30),
  })
  t.equal(calendar.windowOf({ per: 'month', timeZone: 'UTC' }, Date.UTC(2026, 11, 31)).id, '2026-12')
})

t.test('every instant lies in one period, and the next begins where it ends', async (t) => {
  const at = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2060, 0, 1) })
  const per = fc.constantFrom('day' as const, 'month' as const)
  fc.assert(
    fc.property(at, per, fc.constantFrom(...zones), (at, per, timeZone) => {
      const calendar = new BudgetCalendar()
      const { startMs, endMs, id } = calendar.windowOf({ per, timeZone }, at)
      const next = calendar.windowOf({ per, timeZone }, endMs)
      const last = calendar.windowOf({ per, timeZone }, endMs - 1)
      return startMs <= at && at < endMs && next.startMs === endMs && next.id > id && last.id === id
    }),
    { numRuns: 300 },
  )
  t.pass()
})

t.test('what was computed is not computed again; strangers do not fill the memory', async (t) => {
  const calendar = new BudgetCalendar()
  const limit = { per: 'day', timeZone: 'UTC' } as const
  const at = Date.UTC(2026, 10, 28, 12)
  t.equal(calendar.windowOf(limit, at), calendar.windowOf(limit, at + hour))
  t.throws(() => calendar.windowOf({ per: 'day', timeZone: 'Mars/Olympus' }, at), RangeError)
})
