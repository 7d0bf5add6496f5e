// Callers who read slowly get all of their streams; callers who stop reading are cut after three seconds; callers who
// read as they should notice neither.
import { check } from 'k6'
import { Counter } from 'k6/metrics'
import { anyone, isWhole, stream } from '../calls.ts'
import { checked, latency } from '../measures.ts'
import { fact, settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

export { handleSummary } from '../report.ts'

const wholeSlow = new Counter('slow_streams_whole')
const deafCut = new Counter('deaf_streams_cut')
const { rate, seconds } = settings
const maxTokens = fact('outputTokensMax')

export const options = suite(
  {
    usual: arrival({ exec: 'usual', rate, seconds, callSeconds: 1 }),
    slow: arrival({ exec: 'slow', rate: 0.5, seconds, callSeconds: 15 }),
    deaf: arrival({ exec: 'deaf', rate: 0.2, seconds, callSeconds: 25 }),
  },
  {
    ...latency({ of: '{scenario:usual}', addedP95Ms: 500 }),
    slow_streams_whole: ['count>0'],
    deaf_streams_cut: ['count>0'],
    ...checked,
  },
)

export function usual(): void {
  stream(anyone(), { reply: { words: 24 }, spoken: 'say 24 4 15' })
}

/** 0.7 MB at 120 KB a second. */
export function slow(): void {
  const slow = { readPauseMs: 100, readBytes: 12_000 }
  const outcome = stream(anyone(), { reply: { words: 1500 }, maxTokens, spoken: 'say 1500 200 0', slow })
  if (isWhole(outcome)) wholeSlow.add(1)
}

/** Reads nothing for longer than the gateway waits, of more than the buffers of the system hold, and then all there is. */
export function deaf(): void {
  const slow = { readPauseMs: 12_000, readPauses: 1 }
  const spoken = 'say 4000 4000 0'
  const outcome = stream(anyone(), { reply: { words: 4000 }, maxTokens, spoken, slow, leaves: true })
  const isCut = outcome.ended === 'error'
  deafCut.add(isCut ? 1 : 0)
  check(outcome, { 'who does not read is cut': () => isCut })
}
