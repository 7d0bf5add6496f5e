/**
 * The generic cell rate algorithm (ITU-T I.371) in its continuous-state leaky-bucket form, in whole numbers. A bucket's
 * debt is counted in unit-milliseconds: one unit is worth the milliseconds of the limit's period, and in each
 * millisecond `amount` of them flow back. So nothing is ever rounded, whatever the amount and the period.
 *
 * 1. In any window of t milliseconds, units taken minus units returned <= burst + amount * t / period.
 * 2. A refused take changes nothing; the same take exactly `waitMs` later passes, one millisecond earlier not.
 * 3. `remainingOf` is exact: so many further units pass now, and not one more.
 * 4. A return never makes a bucket emptier than one that was never used; time that runs backwards flows nothing back.
 * 5. With amount and burst up to 10^9 every product is below 2^53.
 */
import type { Limit } from '../policy/limit.ts'

/** A bucket. One that was never used is `{debt: 0, atMs: 0}`. */
export interface Debt {
  readonly debt: number
  readonly atMs: number
}

/** So many units in a period, and so many at once. */
export type Rate = Pick<Limit, 'per' | 'amount' | 'burst'>

const periodMs: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000 }

/** Most debt that a charge without asking can make: far above any burst, below 2^53. */
const debtMax = 2 ** 52

/** What one unit adds to the debt. */
export const unitOf = ({ per }: Pick<Limit, 'per'>): number => periodMs[per as string] as number

/** The debt at a time. */
export const debtAt = ({ debt, atMs }: Debt, nowMs: number, { amount }: Rate): number =>
  Math.max(0, debt - Math.max(0, nowMs - atMs) * amount)

/** Until so many units would pass if nothing else happened; `Infinity` above the burst. */
export function waitOf(bucket: Debt, units: number, nowMs: number, rate: Rate): number {
  if (units === 0) return 0
  if (units > rate.burst) return Number.POSITIVE_INFINITY
  const unit = unitOf(rate)
  const over = debtAt(bucket, nowMs, rate) + units * unit - rate.burst * unit
  return over <= 0 ? 0 : Math.ceil(over / rate.amount)
}

/** Adds units, asked or not: a charge may go beyond the burst, then others wait for it to flow back. */
export const charged = (bucket: Debt, units: number, nowMs: number, rate: Rate): Debt => ({
  debt: Math.min(debtMax, debtAt(bucket, nowMs, rate) + units * unitOf(rate)),
  atMs: Math.max(nowMs, bucket.atMs),
})

/** Gives units back. */
export const returned = (bucket: Debt, units: number, nowMs: number, rate: Rate): Debt => ({
  debt: Math.max(0, debtAt(bucket, nowMs, rate) - units * unitOf(rate)),
  atMs: Math.max(nowMs, bucket.atMs),
})

/** Units in the bucket, those that would pass, and the time until it is as if never used. */
export function levelOf(bucket: Debt, nowMs: number, rate: Rate) {
  const debt = debtAt(bucket, nowMs, rate)
  const unit = unitOf(rate)
  return {
    used: Math.ceil(debt / unit),
    remaining: Math.max(0, Math.floor((rate.burst * unit - debt) / unit)),
    resetMs: Math.ceil(debt / rate.amount),
  }
}
