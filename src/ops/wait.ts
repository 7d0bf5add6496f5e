import { isBudget, isRate, type Period } from '../policy/limit.ts'
import type { LimitState } from '../quota/store.ts'

const periodMs: Readonly<Record<Period, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 0,
  month: 0,
}

/** When a slot becomes free is not known: what the path tells callers. */
const slotRetryMs = 1_000

/**
 * Milliseconds until `asked` units would pass if nothing else happened, from the state alone; 0 when they pass now,
 * `Infinity` when they never can. Of a rate at most a millisecond off.
 */
export function waitFor({ limit, remaining, resetMs }: LimitState, asked: number): number {
  if (asked <= remaining) return 0
  if (!isRate(limit) && !isBudget(limit)) return slotRetryMs
  if (asked > limit.burst) return Number.POSITIVE_INFINITY
  if (isBudget(limit)) return Math.max(1, Math.ceil(resetMs))
  const period = periodMs[limit.per ?? 'minute']
  return Math.max(1, Math.ceil(resetMs) - Math.floor(((limit.burst - asked) * period) / limit.amount))
}
