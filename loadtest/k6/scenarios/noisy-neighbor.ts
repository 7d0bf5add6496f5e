// A pool with eight places. Two tenants ask for a quarter of it each, one for more than the whole. The quiet ones are never
// turned away, and wait no longer than for a turn to end; the noisy one is refused what is too much.
import { callerOf, stream } from '../calls.ts'
import { latency } from '../measures.ts'
import { settings } from '../settings.ts'
import { arrival, suite } from '../suite.ts'

export { handleSummary } from '../report.ts'

const { rate, seconds } = settings
const FACTOR = 10
/** A second: eight places serve eight calls a second, and the processor is not what is short. */
const reply = { words: 20, firstTokenMs: 50, gapMs: 50 }
const part = (name: string) => ({ tags: { part: name } })

export const options = suite(
  {
    quiet1: arrival({ exec: 'quiet1', rate, seconds, callSeconds: 2, ...part('quiet') }),
    quiet2: arrival({ exec: 'quiet2', rate, seconds, callSeconds: 2, ...part('quiet') }),
    noisy: arrival({ exec: 'noisy', rate: rate * FACTOR, seconds, callSeconds: 3, ...part('noisy') }),
  },
  {
    // A turn: who comes first in line waits for one to end, and turns that began together end together.
    ...latency({ of: '{part:quiet}', addedP95Ms: 1_200 }),
    'refused_calls{part:quiet}': ['count==0'],
    // Otherwise the pool was never full, and nothing was tested.
    'refused_calls{part:noisy}': ['count>0'],
    'added_time_to_first_token{part:noisy}': ['p(95)>=0'],
  },
)

const call = (tenant: string, refusals: readonly number[] = []): void => {
  stream(
    callerOf((caller) => caller.tenant === tenant),
    { reply, refusals },
  )
}

export const quiet1 = (): void => call('quiet-1')
export const quiet2 = (): void => call('quiet-2')
export const noisy = (): void => call('noisy', [429, 503])
