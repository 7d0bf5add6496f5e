/**
 * The counters of calendar periods, by limit and period. Invariants:
 *
 * 1. `used` is never below 0 and never above what was charged.
 * 2. A settlement goes to the counter that was charged, also after its period's end.
 * 3. A period has one counter, however the wall clock jumps: a day that comes again finds what was used of it.
 * 4. A counter is forgotten `keptMs` after its period's end, and not before.
 */
import type { Limit } from '../policy/limit.ts'
import type { BudgetCalendar } from './budget-window.ts'
import type { LimitState } from './store.ts'

/** Longest that an exchange may live: its settlement finds the counter that it was charged to. */
const keptMs = 86_400_000

/** The counter of one limit in one calendar period. */
export interface Budget {
  /** The limit's. */
  readonly key: string
  /** The limit's key, `@`, and the period: its name on the disk. */
  readonly bucket: string
  endMs: number
  used: number
  /** Of the embedded store (marks.ts), which alone writes them. */
  readonly marks: BudgetMarks
}

export interface BudgetMarks {
  /** What the disk has at least. */
  durable: number
  /** What the disk was asked to take last. */
  asked: number
  /** Units of admissions that wait for the disk. */
  waiting: number
  /** How far the last mark was ahead of what was charged. */
  ahead: number
  /** Marks on their way to the disk. */
  writing: number
}

export class Budgets {
  readonly #calendar: BudgetCalendar
  /** By the key of the limit: an exchange looks here, and nothing is put together for it. */
  readonly #present = new Map<string, Budget>()
  /** By name: periods that are over and may still be settled, or that the wall clock has left. */
  readonly #past = new Map<string, Budget>()

  constructor(calendar: BudgetCalendar) {
    this.#calendar = calendar
  }

  get size(): number {
    return this.#present.size + this.#past.size
  }

  /** Of limits that were used in the present period. */
  *keys(nowMs: number): Iterable<string> {
    for (const [key, { used, endMs }] of this.#present) if (used > 0 && endMs > nowMs) yield key
  }

  /** Until so many units pass: until the next period begins, when they do not now. */
  waitOf(limit: Limit, units: number, nowMs: number): number {
    const used = this.find(limit, nowMs)?.used ?? 0
    if (used + units <= limit.amount) return 0
    return Math.max(1, Math.ceil(this.#calendar.windowOf(limit, nowMs).endMs - nowMs))
  }

  stateOf(limit: Limit, nowMs: number): LimitState {
    const used = this.find(limit, nowMs)?.used ?? 0
    const resetMs = Math.max(0, Math.ceil(this.#calendar.windowOf(limit, nowMs).endMs - nowMs))
    return { limit, used, remaining: Math.max(0, limit.amount - used), resetMs }
  }

  /** The counter of the period that `nowMs` lies in, if there is one. */
  find(limit: Limit, nowMs: number): Budget | undefined {
    const { id, endMs } = this.#calendar.windowOf(limit, nowMs)
    const present = this.#present.get(limit.key)
    if (present === undefined || present.endMs === endMs) return present
    const bucket = bucketOf(limit, id)
    return present.bucket === bucket ? present : this.#past.get(bucket)
  }

  /** The counter that an admission is charged to now; made when there is none. */
  at(limit: Limit, nowMs: number): Budget {
    const { id, endMs } = this.#calendar.windowOf(limit, nowMs)
    const present = this.#present.get(limit.key)
    if (present?.endMs === endMs) return present
    const bucket = bucketOf(limit, id)
    const budget = this.find(limit, nowMs) ?? unused(limit.key, bucket, endMs)
    // Of a limit whose time zone was changed, the day of the same date goes on.
    budget.endMs = endMs
    if (present !== undefined) this.#past.set(present.bucket, present)
    this.#past.delete(bucket)
    this.#present.set(limit.key, budget)
    return budget
  }

  /** Counts units, and returns the counter that settlements go to. */
  charge(limit: Limit, units: number, nowMs: number): Budget {
    const budget = this.at(limit, nowMs)
    add(budget, units)
    return budget
  }

  /** Adds to (or, below 0, takes from) what was charged; returns the counter that it went to. */
  correct(limit: Limit, units: number, charged: Budget | undefined, nowMs: number): Budget | undefined {
    const known = charged !== undefined && this.#knows(charged)
    if (known) add(charged, units)
    // A counter that is gone was reset, or its period is long over: nothing to give back.
    else if (units > 0) return this.charge(limit, units, nowMs)
    return known ? charged : undefined
  }

  /** Takes over a counter from the disk. */
  restore(bucket: string, used: number, endMs: number): void {
    const key = bucket.slice(0, bucket.lastIndexOf('@'))
    const budget = unused(key, bucket, endMs)
    budget.used = used
    budget.marks.durable = used
    budget.marks.asked = used
    const present = this.#present.get(key)
    if (present === undefined || present.endMs < endMs) {
      if (present !== undefined) this.#past.set(present.bucket, present)
      this.#present.set(key, budget)
    } else this.#past.set(bucket, budget)
  }

  /** Forgets the counter of the present period; returns the empty one in its place. */
  reset(limit: Limit, nowMs: number): Budget {
    const { bucket, endMs } = this.at(limit, nowMs)
    const budget = unused(limit.key, bucket, endMs)
    this.#present.set(limit.key, budget)
    return budget
  }

  sweep(nowMs: number): void {
    for (const counters of [this.#present, this.#past])
      for (const [key, { endMs }] of counters) if (endMs + keptMs <= nowMs) counters.delete(key)
  }

  *entries(): Iterable<Readonly<Budget>> {
    yield* this.#present.values()
    yield* this.#past.values()
  }

  #knows(budget: Budget): boolean {
    return this.#present.get(budget.key) === budget || this.#past.get(budget.bucket) === budget
  }
}

const bucketOf = ({ key }: Limit, period: string): string => `${key}@${period}`

const unused = (key: string, bucket: string, endMs: number): Budget => ({
  key,
  bucket,
  endMs,
  used: 0,
  marks: { durable: 0, asked: 0, waiting: 0, ahead: 0, writing: 0 },
})

function add(budget: Budget, units: number): void {
  budget.used = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, budget.used + units))
}
