/**
 * The contract between the path and whatever keeps the state of limits. Every store passes the same suite
 * (test/quota/store-contract.ts). What a store holds is *charged* amounts only: a reservation is charged whole when it is
 * made and corrected by its settlement, so a gateway that dies in between has charged too much, never too little.
 *
 * 1. All or nothing: a refused `admit` changes no bucket. Limits in shadow mode never refuse; one that would have is
 *    charged nothing and reported in `shadowed`.
 * 2. One decision: `admit` is atomic against every other call on the same store, whoever sends it.
 * 3. Exact: `waitMs` after a refusal, with nothing else happening, the same admission passes; a millisecond before, not.
 *    When a lease ends is not known: for `in_flight` the wait is a guess of one second.
 * 4. For every rate and every window of length t: admitted minus returned <= burst + amount * t / period.
 *    For every budget and calendar period: charged <= amount, but for what settlements charge above the reservation.
 *    For every `in_flight` limit: live leases <= amount.
 * 5. `settle` is idempotent by exchange id, and nothing is charged or returned twice, in whatever order calls arrive.
 *    It ends the exchange's leases.
 * 6. Everything kept is bounded in number or expires.
 */
import type { Limit } from '../policy/limit.ts'

/** What one exchange asks of one limit, in the units that it counts; 1 for `requests` and `in_flight`. Whole, >= 0. */
export interface Demand {
  readonly limit: Limit
  readonly amount: number
}

/** Where one bucket stands. */
export interface LimitState {
  readonly limit: Limit
  /** Units in use: the part of the burst that has not flowed back, charged in this period, or leases that live. */
  readonly used: number
  /** Units that could be taken now. */
  readonly remaining: number
  /** Until the bucket is as if never used; for a budget, until its period ends; 0 for `in_flight`. */
  readonly resetMs: number
}

/** What one limit says to one demand. */
export interface Verdict {
  readonly state: LimitState
  /** Units that were asked for. */
  readonly asked: number
  /** Until the same would pass if nothing else happened; `Infinity` when it never can (more than the burst or budget). */
  readonly waitMs: number
}

export interface Decision {
  readonly allowed: boolean
  /** Every limit that was asked, in the order of the demands, as it stands after the decision. */
  readonly states: readonly LimitState[]
  /** The refusal with the longest wait; present when not allowed. */
  readonly deciding?: Verdict
  /** Limits in shadow mode that would have refused. */
  readonly shadowed: readonly Verdict[]
  /** Who decided: the store itself, or this replica alone while the store was away. */
  readonly by: 'store' | 'lease' | 'open' | 'closed'
}

/** What an exchange really took, against what was charged. `reserved` is 0 where nothing was reserved. */
export interface Correction {
  readonly limit: Limit
  readonly reserved: number
  readonly used: number
}

export interface StoreHealth {
  /** `true` also for the embedded store. */
  readonly available: boolean
  /** Since when the shared store is away, milliseconds since the epoch. */
  readonly awaySince?: number
  /** Replicas that share the limits, this one included; 1 for the embedded store. */
  readonly replicas: number
  /** Settlements that wait for the store to come back. */
  readonly backlog: number
}

export interface QuotaStore {
  readonly kind: 'embedded' | 'redis'
  /** Charges every demand, or none. Never throws for a store that is away: then `by` says who decided. */
  admit(exchangeId: string, demands: readonly Demand[]): Promise<Decision>
  /**
   * What this process knows without asking: a limit that will refuse these demands now, or nothing. May say nothing,
   * never refuses what `admit` would allow but for an operator's change of the last second.
   */
  foresee(demands: readonly Demand[]): Verdict | undefined
  /** Corrects to the truth, once per exchange, and ends its leases. Also for an exchange that was never admitted. */
  settle(exchangeId: string, corrections: readonly Correction[]): Promise<void>
  /** Where these buckets stand, without a change. */
  peek(limits: readonly Limit[]): Promise<readonly LimitState[]>
  /** Empties one bucket, as if it had never been used. Live leases end for the count. */
  reset(limit: Limit): Promise<void>
  readonly health: StoreHealth
  /** Buckets and leases that this process keeps, for metrics. */
  readonly size: { readonly buckets: number; readonly leases: number }
  /**
   * The operators' documents (quotas and overrides), by name, small JSON texts. `put` with the version that was read
   * (undefined: it must not exist) is atomic; false means that somebody else was faster.
   */
  readonly documents: DocumentStore
  /** Why exchanges were refused, for a day: bounded in number, best effort, shared where the store is. */
  readonly decisions: DecisionStore
  /** Keys of buckets that are in use and begin with `prefix`, a page at a time; the cursor of the first page is ''. */
  keys(prefix: string, cursor: string, countMax: number): Promise<KeyPage>
  close(): Promise<void>
}

export interface KeyPage {
  readonly keys: readonly string[]
  /** Of the next page; '' after the last. */
  readonly cursor: string
}

export interface DecisionStore {
  /** Never waits and never throws. */
  keep(exchangeId: string, text: string): void
  find(exchangeId: string): Promise<string | undefined>
}

export interface StoredDocument {
  readonly version: number
  readonly text: string
}

/** Small shared documents with optimistic locking. */
export interface DocumentStore {
  get(name: string): Promise<StoredDocument | undefined>
  list(prefix: string): Promise<ReadonlyMap<string, StoredDocument>>
  /** Writes version + 1 when `expected` is the version there now (0: none). Resolves to the new version, or undefined. */
  put(name: string, text: string, expected: number): Promise<number | undefined>
  delete(name: string, expected: number): Promise<boolean>
  /** Called when documents of this prefix may have changed, by whoever changed them, within two seconds. */
  watch(prefix: string, changed: () => void): Disposable
}
