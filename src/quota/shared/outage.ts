/**
 * What one gateway does alone while Redis is away. Each limit is divided over the gateways that share it: whole numbers
 * that add up to the limit, exactly (`share.ts`), by the ranks of the last heartbeat (`members.ts`). Invariants, for
 * a limit of `burst` and `amount` per period, N gateways and `lease`:
 *
 * 1. All cut off: in an outage of t milliseconds all of them together let pass <= burst + amount * t / period, less their
 *    parts of what Redis last said was in use.
 * 2. Everything that passed here is charged to Redis, less what has flowed back meanwhile, before Redis decides again; so
 *    the end of an outage adds nothing. Outages that follow one another share one allowance (`before`). In any window,
 *    over all gateways and any number of outages: admitted minus returned <= burst + amount * t / period + one burst.
 * 3. k of N cut off while the others reach Redis: their k parts of the rate, so long as that lasts, come on top.
 * 4. Budgets: <= a twentieth of what was left (of the whole where that is not known), for each outage and period. Slots:
 *    new ones only while this gateway holds fewer than its part, so never more than twice the limit over all.
 * 5. A gateway without a place (it has just joined, or never saw Redis) has no part: it refuses, as `closed` does.
 *    `open` passes without asking; its use is charged to Redis as well.
 * 6. All or nothing, and nothing is awaited.
 *
 * A gateway that dies in an outage takes along what it let pass: its part of one burst more. Redis that comes back empty
 * takes along what it held: one burst more. While members come or go, views differ for at most two heartbeats: one unit
 * for each gateway.
 */
import { isBudget, type Limit } from '../../policy/limit.ts'
import type { BudgetCalendar, BudgetWindow } from '../budget-window.ts'
import { charged, type Debt, debtAt, levelOf, returned, unitOf, waitOf } from '../rate.ts'
import type { Decision, Demand, LimitState, Verdict } from '../store.ts'
import type { HeldSlots } from './held-slots.ts'
import type { KnownBucket } from './known-buckets.ts'
import { type Place, shareOf } from './share.ts'
import { decided, windowOf } from './wire.ts'

/** Both clocks at one moment, milliseconds; `redisMs` is what Redis's clock says by all that was heard of it. */
export interface OutageMoment {
  readonly monotonicMs: number
  readonly redisMs: number
}

export interface OutageParts {
  readonly calendar: BudgetCalendar
  readonly slots: HeldSlots
  /** Undefined: this gateway has no part. */
  place(): Place | undefined
  known(key: string): KnownBucket | undefined
  /** Until Redis is tried again. */
  retryMs(): number
}

/** What is to be charged to Redis. */
export interface Charge {
  readonly limit: Limit
  readonly units: number
  readonly window: BudgetWindow | undefined
}

interface RateBucket {
  readonly limit: Limit
  /** Counted against this gateway's part: what was in use before, and what passed here. */
  debt: Debt
  /** What passed here alone. It begins to flow back when what was in use before has: Redis sees one bucket. */
  own: Debt
}

interface BudgetBucket {
  readonly limit: Limit
  readonly window: BudgetWindow
  readonly ceiling: number
  used: number
  charged: number
}

const whole: Place = { rank: 0, replicas: 1 }

export class Outage {
  readonly #parts: OutageParts
  readonly #rates = new Map<string, RateBucket>()
  readonly #budgets = new Map<string, BudgetBucket>()
  /** The outage before: what passed in it counts, whether or not Redis has said so since. */
  #before: Outage | undefined

  constructor(parts: OutageParts, before?: Outage) {
    this.#parts = parts
    this.#before = before
  }

  /** Nothing is asked of it any more but what it let pass. */
  end(): void {
    this.#before = undefined
  }

  get size(): number {
    return this.#rates.size + this.#budgets.size
  }

  admit(exchangeId: string, demands: readonly Demand[], now: OutageMoment): Decision {
    if (demands.some(({ limit }) => this.#isClosed(limit))) return this.#closed(demands, now)
    const verdicts = demands.map((demand) => this.#verdict(demand, now))
    const refused = verdicts.some(({ state, waitMs }) => state.limit.mode === 'enforce' && waitMs > 0)
    if (refused) return decided(verdicts, false, 'lease')
    for (const [index, { limit, amount }] of demands.entries()) {
      if (verdicts[index]?.waitMs === 0) this.#take(exchangeId, limit, { amount, now })
    }
    const after = verdicts.map((verdict) => ({ ...verdict, state: this.#state(verdict.state.limit, now) }))
    return decided(after, true, demands.some(({ limit }) => this.#isCounted(limit)) ? 'lease' : 'open')
  }

  /** Charges units that nobody asked for, or returns them where they are negative. */
  add({ limit, units, window }: Charge, now: OutageMoment): void {
    if (limit.counts === 'in_flight' || units === 0) return
    if (window !== undefined) {
      this.#budgetOf(limit, window).used += units
      return
    }
    const bucket = this.#rateOf(limit, now)
    const rate = this.#partOf(limit)
    const change = (debt: Debt): Debt =>
      units > 0 ? charged(debt, units, now.monotonicMs, rate) : returned(debt, -units, now.monotonicMs, rate)
    bucket.debt = change(bucket.debt)
    bucket.own = change(bucket.own)
  }

  peek(limits: readonly Limit[], now: OutageMoment): readonly LimitState[] {
    return limits.map((limit) => this.#state(limit, now))
  }

  /** What passed here and Redis has not been charged with; from now on it counts as charged. */
  drain(now: OutageMoment): readonly Charge[] {
    const charges: Charge[] = []
    for (const bucket of this.#rates.values()) {
      const rate = this.#partOf(bucket.limit)
      const debt = debtAt(bucket.own, now.monotonicMs, rate)
      const units = Math.ceil(debt / unitOf(rate))
      if (units === 0) continue
      charges.push({ limit: bucket.limit, units, window: undefined })
      const flowsMs = rate.amount === 0 ? 0 : Math.ceil(debt / rate.amount)
      bucket.own = { debt: 0, atMs: Math.max(now.monotonicMs, bucket.own.atMs) + flowsMs }
    }
    for (const bucket of this.#budgets.values()) {
      const units = bucket.used - bucket.charged
      if (units !== 0) charges.push({ limit: bucket.limit, units, window: bucket.window })
      bucket.charged = bucket.used
    }
    return charges
  }

  /** Asked, and not known to have room: `closed`, or no part to take it from. */
  #isClosed({ mode, onStoreFailure }: Limit): boolean {
    if (mode !== 'enforce' || onStoreFailure === 'open') return false
    return onStoreFailure === 'closed' || this.#parts.place() === undefined
  }

  #isCounted({ onStoreFailure }: Limit): boolean {
    return onStoreFailure === 'lease' && this.#parts.place() !== undefined
  }

  #closed(demands: readonly Demand[], now: OutageMoment): Decision {
    const waitMs = this.#parts.retryMs()
    const verdicts = demands.map(({ limit, amount }): Verdict => {
      const state = this.#state(limit, now)
      return this.#isClosed(limit)
        ? { state: { ...state, remaining: 0 }, asked: amount, waitMs }
        : { state, asked: amount, waitMs: 0 }
    })
    return decided(verdicts, false, 'closed')
  }

  #verdict({ limit, amount }: Demand, now: OutageMoment): Verdict {
    const state = this.#state(limit, now)
    if (!this.#isCounted(limit) || amount === 0) return { state, asked: amount, waitMs: 0 }
    if (amount > limit.burst) return { state, asked: amount, waitMs: Number.POSITIVE_INFINITY }
    const waitMs = this.#waitMs(limit, amount, now)
    // Redis may have room for what is too much for a part.
    return { state, asked: amount, waitMs: Number.isFinite(waitMs) ? waitMs : this.#parts.retryMs() }
  }

  #waitMs(limit: Limit, amount: number, now: OutageMoment): number {
    if (limit.counts === 'in_flight')
      return this.#parts.slots.count(limit) + amount > this.#partOf(limit).amount ? this.#parts.retryMs() : 0
    const window = windowOf(limit, this.#parts.calendar, now.redisMs)
    if (window === undefined)
      return waitOf(this.#rateOf(limit, now).debt, amount, now.monotonicMs, this.#partOf(limit))
    const { used, ceiling } = this.#budgetOf(limit, window)
    return used + amount > ceiling ? this.#parts.retryMs() : 0
  }

  #state(limit: Limit, now: OutageMoment): LimitState {
    const window = windowOf(limit, this.#parts.calendar, now.redisMs)
    if (window !== undefined) {
      const { used, ceiling } = this.#budgetOf(limit, window)
      const resetMs = Math.max(0, Math.ceil(window.endMs - now.redisMs))
      return { limit, used, remaining: Math.max(0, ceiling - used), resetMs }
    }
    const part = this.#partOf(limit)
    if (limit.counts === 'in_flight') {
      const used = this.#parts.slots.count(limit)
      return { limit, used, remaining: Math.max(0, part.amount - used), resetMs: 0 }
    }
    const level = levelOf(this.#rateOf(limit, now).debt, now.monotonicMs, part)
    return { limit, ...level, resetMs: Number.isFinite(level.resetMs) ? level.resetMs : 0 }
  }

  #take(
    exchangeId: string,
    limit: Limit,
    { amount, now }: { readonly amount: number; readonly now: OutageMoment },
  ): void {
    if (limit.counts === 'in_flight') this.#parts.slots.take(limit, exchangeId, now.redisMs)
    else this.add({ limit, units: amount, window: windowOf(limit, this.#parts.calendar, now.redisMs) }, now)
  }

  #partOf(limit: Limit): Limit {
    return shareOf(limit, this.#parts.place() ?? whole, undefined)
  }

  #rateOf(limit: Limit, now: OutageMoment): RateBucket {
    const found = this.#rates.get(limit.key)
    // An operator may have changed the amount meanwhile: the newest counts.
    const bucket: RateBucket =
      found?.limit === limit ? found : { ...(found ?? this.#newRate(limit, now)), limit }
    this.#rates.set(limit.key, bucket)
    return bucket
  }

  #newRate(limit: Limit, now: OutageMoment): RateBucket {
    const known = this.#parts.known(limit.key)
    const flowsMs =
      known === undefined ? 0 : Math.max(0, known.state.resetMs - (now.monotonicMs - known.atMs))
    const part = this.#partOf(limit)
    const heard = Math.ceil(flowsMs * limit.amount * (part.burst / limit.burst))
    const debt = Math.max(heard, this.#before?.debtLeft(limit.key, now) ?? 0)
    const emptyMs = part.amount === 0 ? 0 : Math.ceil(debt / part.amount)
    return {
      limit,
      debt: { debt, atMs: now.monotonicMs },
      own: { debt: 0, atMs: now.monotonicMs + emptyMs },
    }
  }

  /** What is still held against this gateway's part, for the outage that follows this one. */
  debtLeft(key: string, now: OutageMoment): number {
    const bucket = this.#rates.get(key)
    return bucket === undefined ? 0 : debtAt(bucket.debt, now.monotonicMs, this.#partOf(bucket.limit))
  }

  #budgetOf(limit: Limit, window: BudgetWindow): BudgetBucket {
    const key = `${limit.key}@${window.id}`
    const found = this.#budgets.get(key)
    if (found !== undefined) return found
    const known = this.#parts.known(limit.key)
    const remaining = known?.period === window.id ? known.state.remaining : undefined
    const { amount } = shareOf(limit, this.#parts.place() ?? whole, remaining)
    const bucket = { limit, window, ceiling: isBudget(limit) ? amount : 0, used: 0, charged: 0 }
    this.#budgets.set(key, bucket)
    return bucket
  }
}
