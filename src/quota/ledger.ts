/**
 * The state of limits in memory, which the embedded store keeps. Pure arithmetic; nothing is awaited, so nobody else gets
 * a turn within a decision. Invariants are those of store.ts, and:
 *
 * 1. A rate that flows back to empty is forgotten, which is the state of one that was never used. So is a budget whose
 *    period is over, once it cannot be settled any more.
 * 2. At most `bucketsMax` buckets and `exchangesMax` open exchanges are kept; beyond that an admission is refused as
 *    `overloaded`, and settlements still work.
 * 3. Rates go by a clock that never runs backwards; only budgets go by the calendar.
 */
import { isBudget, type Limit } from '../policy/limit.ts'
import { Refusal } from '../refusal.ts'
import { BudgetCalendar } from './budget-window.ts'
import { type Budget, Budgets } from './budgets.ts'
import { FirstKeys } from './first-keys.ts'
import { Leases } from './leases.ts'
import { Rates } from './rates.ts'
import type { Correction, Decision, Demand, KeyPage, LimitState, Verdict } from './store.ts'

/** Both clocks at one moment, milliseconds. */
export interface Moment {
  /** Never runs backwards. */
  readonly monotonicMs: number
  /** Since the epoch. */
  readonly wallMs: number
}

export interface LedgerOptions {
  readonly bucketsMax?: number
  readonly exchangesMax?: number
}

/** An exchange that has been admitted and not settled. */
interface Open {
  readonly slots: readonly string[]
  /** Counters that it was charged to. */
  readonly budgets: readonly Budget[]
  /** Limits in shadow mode that had no room: nothing was charged. */
  readonly uncharged: readonly Verdict[]
}

/** When a lease ends is not known: long enough for a short exchange to end, far below a client's patience. */
const slotRetryMs = 1_000
/** Settled exchanges that are remembered, so that nothing that comes late is charged. */
const settledMax = 10_000
/** How often everything is looked through for what is over, when there is no room. */
const sweepIntervalMs = 100
/** How often periods that are over are looked for, room or not. */
const tidyIntervalMs = 3_600_000
const none: readonly never[] = []

export class Ledger {
  readonly #bucketsMax: number
  readonly #exchangesMax: number
  readonly #calendar = new BudgetCalendar()
  readonly #rates = new Rates()
  readonly budgets: Budgets
  readonly #leases = new Leases()
  readonly #open = new Map<string, Open>()
  readonly #settled = new Set<string>()
  readonly #ring: (string | undefined)[] = []
  #ringAt = 0
  #sweptMs = Number.NEGATIVE_INFINITY

  constructor({ bucketsMax = 100_000, exchangesMax = 100_000 }: LedgerOptions = {}) {
    this.#bucketsMax = bucketsMax
    this.#exchangesMax = exchangesMax
    this.budgets = new Budgets(this.#calendar)
  }

  get size(): { readonly buckets: number; readonly leases: number } {
    return { buckets: this.#buckets, leases: this.#open.size }
  }

  get #buckets(): number {
    return this.#rates.size + this.budgets.size
  }

  admit(exchangeId: string, demands: readonly Demand[], now: Moment): Decision {
    const refusing = this.#refusing(demands, now)
    const deciding = worstOf(refusing)
    const shadowed = refusing.filter(({ state }) => state.limit.mode === 'shadow')
    if (deciding !== undefined) {
      const states = demands.map(({ limit }) => this.#state(limit, now))
      return { allowed: false, states, deciding, shadowed, by: 'store' }
    }
    if (!this.#settled.has(exchangeId) && !this.#open.has(exchangeId)) {
      this.checkRoom(demands.length, now)
      this.#charge(exchangeId, demands, shadowed, now)
    }
    const states = demands.map(({ limit }) => this.#state(limit, now))
    return { allowed: true, states, shadowed, by: 'store' }
  }

  /** The limit that would refuse these demands now. */
  foresee(demands: readonly Demand[], now: Moment): Verdict | undefined {
    return worstOf(this.#refusing(demands, now))
  }

  /** Returns the budgets that it changed. */
  settle(exchangeId: string, corrections: readonly Correction[], now: Moment): readonly Budget[] {
    if (this.#settled.has(exchangeId)) return []
    this.#remember(exchangeId)
    const open = this.#open.get(exchangeId)
    this.#open.delete(exchangeId)
    for (const key of open?.slots ?? []) this.#leases.leave(key, exchangeId)
    const changed: Budget[] = []
    for (const { limit, reserved, used } of corrections) {
      const { key } = limit
      if (open?.uncharged.some(({ state }) => state.limit.key === key) === true) continue
      const units = open === undefined ? used : used - reserved
      const charged = open?.budgets.find((budget) => budget.key === key)
      const budget = this.#correct(limit, units, charged, now)
      if (budget !== undefined) changed.push(budget)
    }
    return changed
  }

  peek(limits: readonly Limit[], now: Moment): readonly LimitState[] {
    return limits.map((limit) => this.#state(limit, now))
  }

  reset(limit: Limit, now: Moment): void {
    if (limit.counts === 'in_flight') this.#leases.clear(limit.key)
    else if (isBudget(limit)) this.budgets.reset(limit, now.wallMs)
    else this.#rates.reset(limit.key)
  }

  /** Throws `overloaded` when so many more buckets, or one more exchange, are too many. */
  checkRoom(adding: number, now: Moment): void {
    const full = this.#buckets + adding > this.#bucketsMax
    if (now.monotonicMs >= this.#sweptMs + (full ? sweepIntervalMs : tidyIntervalMs)) this.#sweep(now)
    if (this.#buckets + adding > this.#bucketsMax || this.#open.size >= this.#exchangesMax)
      throw new Refusal('overloaded', 'the quota store is full', { retryAfterMs: slotRetryMs })
  }

  /** Keys of buckets in use, in order. */
  keys(prefix: string, cursor: string, countMax: number, now: Moment): KeyPage {
    const page = new FirstKeys(countMax + 1)
    for (const keys of [
      this.#rates.keys(now.monotonicMs),
      this.budgets.keys(now.wallMs),
      this.#leases.keys(),
    ])
      for (const key of keys) if (key > cursor && key.startsWith(prefix)) page.add(key)
    const keys = page.keys.slice(0, countMax)
    return { keys, cursor: page.keys.length > countMax ? (keys.at(-1) ?? '') : '' }
  }

  /** What every limit that has no room says. */
  #refusing(demands: readonly Demand[], now: Moment): readonly Verdict[] {
    let refusing: Verdict[] | undefined
    for (const { limit, amount } of demands) {
      const waitMs = this.#waitMs(limit, amount, now)
      if (waitMs === 0) continue
      refusing ??= []
      refusing.push({ state: this.#state(limit, now), asked: amount, waitMs })
    }
    return refusing ?? none
  }

  #waitMs(limit: Limit, amount: number, now: Moment): number {
    // Nothing asked is never refused, also of a bucket that a settlement has overdrawn.
    if (amount === 0) return 0
    if (amount > limit.burst) return Number.POSITIVE_INFINITY
    if (limit.counts === 'in_flight')
      return this.#leases.count(limit.key) + amount > limit.amount ? slotRetryMs : 0
    if (isBudget(limit)) return this.budgets.waitOf(limit, amount, now.wallMs)
    return this.#rates.waitOf(limit, amount, now.monotonicMs)
  }

  #state(limit: Limit, now: Moment): LimitState {
    if (limit.counts === 'in_flight') {
      const used = this.#leases.count(limit.key)
      return { limit, used, remaining: Math.max(0, limit.amount - used), resetMs: 0 }
    }
    if (isBudget(limit)) return this.budgets.stateOf(limit, now.wallMs)
    return this.#rates.stateOf(limit, now.monotonicMs)
  }

  #charge(exchangeId: string, demands: readonly Demand[], uncharged: readonly Verdict[], now: Moment): void {
    const slots: string[] = []
    const budgets: Budget[] = []
    for (const { limit, amount } of demands) {
      if (uncharged.some(({ state }) => state.limit.key === limit.key)) continue
      if (limit.counts === 'in_flight') {
        this.#leases.enter(limit.key, exchangeId)
        slots.push(limit.key)
      } else if (isBudget(limit)) budgets.push(this.budgets.charge(limit, amount, now.wallMs))
      else this.#rates.charge(limit, amount, now.monotonicMs)
    }
    this.#open.set(exchangeId, { slots, budgets, uncharged })
  }

  #correct(limit: Limit, units: number, charged: Budget | undefined, now: Moment): Budget | undefined {
    if (limit.counts === 'in_flight' || units === 0) return undefined
    if (isBudget(limit)) return this.budgets.correct(limit, units, charged, now.wallMs)
    if (units > 0) this.#rates.charge(limit, units, now.monotonicMs)
    else this.#rates.giveBack(limit, -units, now.monotonicMs)
    return undefined
  }

  /** A ring: taking the oldest out of a set means walking over all that was taken out before. */
  #remember(exchangeId: string): void {
    const oldest = this.#ring[this.#ringAt]
    if (oldest !== undefined) this.#settled.delete(oldest)
    this.#ring[this.#ringAt] = exchangeId
    this.#ringAt = (this.#ringAt + 1) % settledMax
    this.#settled.add(exchangeId)
  }

  #sweep({ monotonicMs, wallMs }: Moment): void {
    this.#sweptMs = monotonicMs
    this.#rates.sweep(monotonicMs)
    this.budgets.sweep(wallMs)
  }
}

/** Of the limits that are enforced, the one with the longest wait. */
function worstOf(verdicts: readonly Verdict[]): Verdict | undefined {
  let worst: Verdict | undefined
  for (const verdict of verdicts)
    if (verdict.state.limit.mode === 'enforce' && (worst === undefined || verdict.waitMs > worst.waitMs))
      worst = verdict
  return worst
}
