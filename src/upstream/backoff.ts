/** How long to wait before a call is sent again. */
export interface Backoff {
  readonly delayMsMin: number
  readonly delayMsMax: number
}

/** Far below the time to a first token, and above the time in which a burst of failures comes. */
export const backoff: Backoff = { delayMsMin: 25, delayMsMax: 100 }

/**
 * Milliseconds before the retry with this number, from 1. The first goes to another server at once: that one has not
 * failed. Every other waits, at random, so that calls which failed together do not come back together.
 */
export function retryDelayMs(
  retry: number,
  to: 'another server' | 'the same server',
  random: () => number,
  { delayMsMin, delayMsMax }: Backoff = backoff,
): number {
  if (retry <= 1 && to === 'another server') return 0
  return delayMsMin + (delayMsMax - delayMsMin) * random()
}
