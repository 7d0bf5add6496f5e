import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'

/** The only source of time in `src/`. Tests pass a fake. */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. Can jump; use it only for claims, dates and records. */
  now(): number
  /** Milliseconds that never run backwards. Use it for durations, rates and deadlines. */
  monotonic(): number
  /** Resolves after `ms`; rejects with the signal's reason when the signal aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal, ref: false } : { ref: false }),
}
