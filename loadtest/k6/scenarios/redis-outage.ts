// Two gateways share the rate of one tenant in Redis, which the runner kills and starts again with nothing in it. Nobody
// sees an error; the tenant gets no more than its rate and the stated bound (docs/operations/quota-store.md), and no less
// than two thirds of its rate: its part at each gateway is half, and callers do not choose evenly.
import { Counter } from 'k6/metrics'
import { callerOf, stream } from '../calls.ts'
import { latency } from '../measures.ts'
import { report, type SummaryData } from '../report.ts'
import { fact, settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

const passed = new Counter('metered_passed')
const { rate, seconds } = settings
const reply = { words: 6, firstTokenMs: 20, gapMs: 5 }
const perSecond = fact('perMinute') / 60
const burst = fact('burst')
/** One burst, one more for the outage, one more for a Redis that comes back empty; a second for calls that came late. */
const passedMax = 3 * burst + Math.ceil(perSecond * (seconds + 1))
const passedMin = Math.floor((perSecond * seconds * 2) / 3)

export const options = suite(
  {
    metered: arrival({ exec: 'metered', rate, seconds, callSeconds: 1 }),
    free: arrival({ exec: 'free', rate: Math.ceil(rate / 4), seconds, callSeconds: 1 }),
  },
  {
    ...latency({ of: '{scenario:free}', addedP95Ms: 1_000, overheadP95Ms: 500 }),
    metered_passed: [`count<=${passedMax}`, `count>=${passedMin}`],
    'refused_calls{scenario:metered}': ['count>0'],
  },
)

export function metered(): void {
  const { status } = stream(
    callerOf(({ tenant }) => tenant === 'metered'),
    { reply, refusals: [429] },
  )
  if (status === 200) passed.add(1)
}

export function free(): void {
  stream(
    callerOf(({ tenant }) => tenant === 'free'),
    { reply },
  )
}

export function handleSummary(data: SummaryData): Record<string, string> {
  const count = data.metrics['metered_passed']?.values['count'] ?? 0
  const rated = burst + Math.ceil(perSecond * seconds)
  return report(data, [
    `${count} calls of the metered tenant passed; its rate and burst alone allow ${rated}, with the outage at most ${passedMax}`,
  ])
}
