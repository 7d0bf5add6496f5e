/**
 * Calendar periods of budgets.
 *
 * 1. Every instant lies in exactly one period of a time zone, also when its clocks are changed: a period ends where the
 *    next one begins.
 * 2. Computed once for each period and zone and then remembered: an exchange costs a comparison.
 */
import type { Limit } from '../policy/limit.ts'

/** `[startMs, endMs)`, milliseconds since the epoch. `id` is its first day, `2026-11-28`, or month, `2026-11`. */
export interface BudgetWindow {
  readonly id: string
  readonly startMs: number
  readonly endMs: number
}

/** Zones that are remembered for each period; then all are forgotten. */
const rememberedMax = 256

export class BudgetCalendar {
  readonly #days = new Map<string, BudgetWindow>()
  readonly #months = new Map<string, BudgetWindow>()

  /** The period that `nowMs` lies in. Throws a RangeError for a zone that this machine does not know. */
  windowOf({ per, timeZone }: Pick<Limit, 'per' | 'timeZone'>, nowMs: number): BudgetWindow {
    const windows = per === 'month' ? this.#months : this.#days
    const known = windows.get(timeZone)
    if (known !== undefined && nowMs >= known.startMs && nowMs < known.endMs) return known
    const window = computed(per === 'month' ? 'month' : 'day', timeZone, nowMs)
    if (windows.size >= rememberedMax) windows.clear()
    windows.set(timeZone, window)
    return window
  }
}

function computed(per: 'day' | 'month', timeZone: string, nowMs: number): BudgetWindow {
  const today = Temporal.Instant.fromEpochMilliseconds(Math.floor(nowMs))
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
  const first = per === 'month' ? today.with({ day: 1 }) : today
  const next = first.add(per === 'month' ? { months: 1 } : { days: 1 })
  const startOf = (date: Temporal.PlainDate): number => date.toZonedDateTime({ timeZone }).epochMilliseconds
  const text = first.toString()
  return { id: per === 'month' ? text.slice(0, 7) : text, startMs: startOf(first), endMs: startOf(next) }
}
