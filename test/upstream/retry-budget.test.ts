// Retries of a pool: one property for each invariant, and what a dying server and a quiet pool get.
import { array, assert, constantFrom, integer, property, record } from 'fast-check'
import t from 'tap'
import { RetryBudget } from '../../src/upstream/retry-budget.ts'

const steppingTime = () => {
  const clock = { ms: 123_456, monotonic: () => clock.ms }
  return clock
}

const step = record({
  what: constantFrom('attempt', 'retry', 'retry', 'wait'),
  times: integer({ min: 1, max: 30 }),
  ms: constantFrom(0, 1, 99, 100, 101, 500, 999, 1_000, 1_001, 2_500),
})
const options = record({
  retryPercent: integer({ min: 0, max: 100 }),
  retriesPerSecondMin: integer({ min: 0, max: 5 }),
})
const history = array(step, { maxLength: 120, size: 'max' })
const windowMs = 1_000

interface Event {
  readonly at: number
  readonly kind: 'attempt' | 'retry'
}

/** What happened, in order. */
function play(
  steps: readonly { what: string; times: number; ms: number }[],
  fields: { retryPercent: number; retriesPerSecondMin: number },
): { events: Event[]; elapsedMs: number } {
  const clock = steppingTime()
  const start = clock.ms
  const budget = new RetryBudget({ clock, windowMs, ...fields })
  const events: Event[] = []
  const acts: Readonly<Record<string, () => void>> = {
    attempt: () => {
      budget.attempted()
      events.push({ at: clock.ms, kind: 'attempt' })
    },
    retry: () => {
      if (budget.take()) events.push({ at: clock.ms, kind: 'retry' })
    },
  }
  for (const { what, times, ms } of steps) {
    if (what === 'wait') clock.ms += ms
    else for (let n = 0; n < times; n++) acts[what]?.()
  }
  return { events, elapsedMs: clock.ms - start }
}

const count = (events: readonly Event[], kind: Event['kind']): number =>
  events.filter((event) => event.kind === kind).length

t.test('1: in every window, no more retries than its attempts and the reserve allow', (t) => {
  assert(
    property(history, options, (steps, fields) => {
      const { events } = play(steps, fields)
      return events.every(({ at, kind }, index) => {
        if (kind === 'attempt') return true
        const seen = events.slice(0, index + 1)
        // What is younger than nine of ten slots counts for certain, what is older than ten for certain does not.
        const retries = count(
          seen.filter((event) => event.at > at - windowMs * 0.9),
          'retry',
        )
        const attempts = count(
          seen.filter((event) => event.at > at - windowMs),
          'attempt',
        )
        return retries <= (attempts * fields.retryPercent) / 100 + fields.retriesPerSecondMin
      })
    }),
  )
  t.pass()
  t.end()
})

t.test('2: over any history, no more than the share of all attempts and one reserve a window', (t) => {
  assert(
    property(history, options, (steps, fields) => {
      const { events, elapsedMs } = play(steps, fields)
      // A slot counts from its begin, so a window can be a slot shorter.
      const windows = Math.floor(elapsedMs / (windowMs * 0.9)) + 1
      const allowed =
        (count(events, 'attempt') * fields.retryPercent) / 100 + windows * fields.retriesPerSecondMin
      return count(events, 'retry') <= allowed
    }),
  )
  t.pass()
  t.end()
})

t.test('3: those who ask at once get what there is, together', async (t) => {
  const budget = new RetryBudget({ clock: steppingTime() })
  for (let n = 0; n < 100; n++) budget.attempted()
  t.equal(budget.left, 50)
  const granted = await Promise.all(Array.from({ length: 500 }, async () => budget.take()))
  t.equal(granted.filter(Boolean).length, 50, '20 of 100 attempts, and the reserve of 30')
  t.equal(budget.left, 0)
})

t.test('a quiet pool may retry, one without a reserve may not', (t) => {
  t.ok(new RetryBudget({ clock: steppingTime() }).take())
  t.notOk(new RetryBudget({ clock: steppingTime(), retriesPerSecondMin: 0 }).take())
  t.end()
})

t.test('attempts and retries are forgotten together', (t) => {
  const clock = steppingTime()
  const budget = new RetryBudget({ clock, retriesPerSecondMin: 0 })
  for (let n = 0; n < 50; n++) budget.attempted()
  for (let n = 0; n < 10; n++) budget.take()
  clock.ms += 5_000
  t.notOk(budget.take(), 'still of the same window')
  clock.ms += 5_001
  t.notOk(budget.take(), 'nothing is earned without attempts')
  for (let n = 0; n < 5; n++) budget.attempted()
  t.ok(budget.take())
  t.notOk(budget.take())
  t.end()
})
