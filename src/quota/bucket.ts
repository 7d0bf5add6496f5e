/**
 * The generic cell rate algorithm as arithmetic on whole microseconds. A bucket is one number, its
 * theoretical arrival time (`tatUs`): the time at which it is full again. Invariants:
 *
 * 1. In any window of length t, at most burst + t / interval takes are allowed.
 * 2. A refused take changes nothing; the same take exactly `waitUs` later is allowed, one microsecond earlier
 *    refused.
 * 3. `levelOf` is exact: so many further takes at this moment are allowed, and not one more.
 */

/** A rate of `amount` a minute with `burst` at once. Whole numbers. */
export interface Rate {
  readonly amount: number
  readonly burst: number
}

export interface Take {
  readonly allowed: boolean
  /** The bucket afterwards. */
  readonly tatUs: number
  /** Until this take would be allowed; 0 when it was. */
  readonly waitUs: number
}

/** What is in a bucket. */
export interface Level {
  readonly remaining: number
  /** Until the bucket is full. */
  readonly resetUs: number
}

const minuteUs = 60_000_000
/** Faster, and the interval is no whole number of microseconds that means anything. */
export const amountMax = 1_000_000
export const burstMax = 1_000_000

/**
 * Time between two takes at the sustained rate. Rounded up, so that rounding never lets more through than the
 * limit says.
 */
export function intervalUs({ amount, burst }: Rate): number {
  const sound = [amount, burst].every((value) => Number.isInteger(value) && value >= 1)
  if (!sound || amount > amountMax || burst > burstMax) {
    throw new RangeError(`a rate is 1 to ${amountMax} a minute with a burst of 1 to ${burstMax}`)
  }
  return Math.ceil(minuteUs / amount)
}

/**
 * Takes one from a bucket, or says how long to wait. A bucket that was never used has any `tatUs` up to now.
 */
export function take(tatUs: number, nowUs: number, rate: Rate): Take {
  const interval = intervalUs(rate)
  const next = Math.max(tatUs, nowUs) + interval
  const waitUs = Math.max(0, next - interval * rate.burst - nowUs)
  return waitUs === 0 ? { allowed: true, tatUs: next, waitUs } : { allowed: false, tatUs, waitUs }
}

/** Looks into a bucket without taking. */
export function levelOf(tatUs: number, nowUs: number, rate: Rate): Level {
  const interval = intervalUs(rate)
  const resetUs = Math.max(0, tatUs - nowUs)
  return { remaining: Math.max(0, Math.floor((interval * rate.burst - resetUs) / interval)), resetUs }
}
