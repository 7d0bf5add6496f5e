// Ten times the rate for a sixth of the time. In it callers may be turned away, told so by 503 or 429; before and after it
// nobody is, and no stream is cut at any time.
import { type Ask, anyone, stream } from '../calls.ts'
import { latency } from '../measures.ts'
import { settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

export { handleSummary } from '../report.ts'

const { rate, seconds } = settings
const FACTOR = 10
const third = Math.max(3, Math.round(seconds / 3))
const spikeSeconds = Math.max(2, Math.round(seconds / 6))
/** Streams of the spike run out before what comes after it is judged. */
const afterSeconds = third + spikeSeconds + 2
const ask: Ask = { reply: { words: 24, firstTokenMs: 50, gapMs: 15 } }
const part = (name: string) => ({ tags: { part: name } })

export const options = suite(
  {
    before: arrival({ exec: 'usual', rate, seconds: third, callSeconds: 1, ...part('before') }),
    spike: arrival({
      exec: 'crowd',
      rate: rate * FACTOR,
      seconds: spikeSeconds,
      startSeconds: third,
      // Those who wait are there, too.
      callSeconds: 4,
      ...part('spike'),
    }),
    after: arrival({
      exec: 'usual',
      rate,
      seconds: third,
      startSeconds: afterSeconds,
      callSeconds: 1,
      ...part('after'),
    }),
  },
  {
    ...latency({ of: '{part:before}' }),
    ...latency({ of: '{part:after}' }),
    'added_time_to_first_token{part:spike}': ['p(95)>=0'],
    'refused_calls{part:spike}': ['count>=0'],
  },
)

export function usual(): void {
  stream(anyone(), ask)
}

export function crowd(): void {
  stream(anyone(), { ...ask, refusals: [429, 503] })
}
