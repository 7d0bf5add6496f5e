import type { Clock } from '../../src/clock.ts'

/** A clock that stands still until it is told. */
export interface FakeClock extends Clock {
  advance(ms: number): void
}

export function fakeClock(startMs = 5_000_000): FakeClock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms
    },
    advance: (ms) => {
      nowMs += ms
    },
  }
}
