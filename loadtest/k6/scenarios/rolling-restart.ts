// Two gateways behind HAProxy, of which the runner restarts one after the other. No stream is cut and no call fails. A
// connection that is idle during the whole drain is closed at its end: a request may meet that moment, and is sent again.
// That stays rare.
import { anyone, stream, whole } from '../calls.ts'
import { checked, latency } from '../measures.ts'
import { settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

export { handleSummary } from '../report.ts'

const { rate, seconds } = settings

export const options = suite(
  {
    streams: arrival({ exec: 'streams', rate: rate / 2, seconds, callSeconds: 3 }),
    calls: arrival({ exec: 'calls', rate: rate / 2, seconds, callSeconds: 1 }),
  },
  {
    ...latency({ addedP95Ms: 1_000, overheadP95Ms: 400 }),
    ...checked,
    closed_under_caller: [`count<=${Math.ceil((rate * seconds) / 100)}`],
  },
)

export function streams(): void {
  stream(anyone(), { reply: { words: 20, firstTokenMs: 100, gapMs: 100 }, repeats: true })
}

export function calls(): void {
  whole(anyone(), { reply: { words: 4, firstTokenMs: 40 }, repeats: true })
}
