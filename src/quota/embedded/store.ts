import type { Clock } from '../../clock.ts'
import { isBudget, type Limit } from '../../policy/limit.ts'
import { KeptDecisions } from '../kept-decisions.ts'
import type { Ledger, Moment } from '../ledger.ts'
import type {
  Correction,
  Decision,
  Demand,
  KeyPage,
  LimitState,
  QuotaStore,
  StoreHealth,
  Verdict,
} from '../store.ts'
import { EmbeddedDocuments } from './documents.ts'
import type { Journal, JournalEntry } from './journal.ts'
import { Marks } from './marks.ts'

export interface EmbeddedStoreParts {
  readonly clock: Clock
  readonly ledger: Ledger
  /** Absent: nothing outlives the process. */
  readonly journal: Journal | undefined
  /** Gives the folder free. */
  release(): Promise<void>
}

/** When a disk that took nothing is tried again. */
const retryMs = 1_000

/**
 * Limits of one process. Rates and slots begin anew with it; budgets and what operators set survive it (marks.ts,
 * journal.ts). Within a decision nothing is awaited.
 */
export class EmbeddedStore implements QuotaStore {
  readonly kind = 'embedded'
  readonly documents: EmbeddedDocuments
  readonly decisions: KeptDecisions
  readonly #parts: EmbeddedStoreParts
  readonly #marks: Marks | undefined

  constructor(parts: EmbeddedStoreParts) {
    this.#parts = parts
    this.documents = new EmbeddedDocuments(parts.journal)
    this.decisions = new KeptDecisions(parts.clock)
    this.#marks = parts.journal && new Marks(parts.journal, parts.ledger.budgets)
    for (const entry of parts.journal?.state.values() ?? []) this.#restore(entry)
  }

  get health(): StoreHealth {
    return { available: this.#parts.journal?.healthy ?? true, replicas: 1, backlog: 0 }
  }

  get size(): { readonly buckets: number; readonly leases: number } {
    return this.#parts.ledger.size
  }

  async admit(exchangeId: string, demands: readonly Demand[]): Promise<Decision> {
    const { ledger } = this.#parts
    /** Limits that go on though the disk does not take their marks. */
    let uncounted: readonly Limit[] = []
    // Others may have taken what was raised while this one waited, so it looks again; and all within one moment.
    for (;;) {
      const now = this.#now
      const demand = this.#uncovered(demands, uncounted, now)
      // What is refused anyway is not worth a write, nor is what finds no room.
      if (demand === undefined || ledger.foresee(demands, now) !== undefined)
        return ledger.admit(exchangeId, demands, now)
      ledger.checkRoom(demands.length, now)
      try {
        await this.#marks?.raise(demand, now.wallMs)
      } catch {
        const { mode, onStoreFailure } = demand.limit
        if (mode === 'enforce' && onStoreFailure !== 'open') return this.#closed(demand, demands)
        uncounted = [...uncounted, demand.limit]
      }
    }
  }

  foresee(demands: readonly Demand[]): Verdict | undefined {
    return this.#parts.ledger.foresee(demands, this.#now)
  }

  async settle(exchangeId: string, corrections: readonly Correction[]): Promise<void> {
    const changed = this.#parts.ledger.settle(exchangeId, corrections, this.#now)
    if (this.#marks === undefined) return
    let writing: Promise<void>[] | undefined
    for (const budget of changed) {
      const write = this.#marks.follow(budget)
      if (write === undefined) continue
      writing ??= []
      writing.push(write)
    }
    // A disk that takes nothing is told by `health`; the exchange is over either way.
    if (writing !== undefined) await Promise.allSettled(writing)
  }

  async peek(limits: readonly Limit[]): Promise<readonly LimitState[]> {
    return this.#parts.ledger.peek(limits, this.#now)
  }

  async reset(limit: Limit): Promise<void> {
    if (isBudget(limit) && this.#marks !== undefined) await this.#marks.reset(limit, this.#now.wallMs)
    else this.#parts.ledger.reset(limit, this.#now)
  }

  async keys(prefix: string, cursor: string, countMax: number): Promise<KeyPage> {
    return this.#parts.ledger.keys(prefix, cursor, countMax, this.#now)
  }

  async close(): Promise<void> {
    const { journal, ledger, release } = this.#parts
    const last = [...ledger.budgets.entries()].map(
      ({ bucket, used, endMs }): JournalEntry => ({ kind: 'budget', bucket, used, endMs }),
    )
    try {
      await journal?.close(last)
    } finally {
      await release()
    }
  }

  get #now(): Moment {
    const { clock } = this.#parts
    return { monotonicMs: Math.floor(clock.monotonic()), wallMs: Math.floor(clock.now()) }
  }

  #restore(entry: JournalEntry): void {
    if (entry.kind === 'budget') this.#parts.ledger.budgets.restore(entry.bucket, entry.used, entry.endMs)
  }

  /** A budget whose mark on the disk is too low for its demand. */
  #uncovered(
    demands: readonly Demand[],
    uncounted: readonly Limit[],
    { wallMs }: Moment,
  ): Demand | undefined {
    const marks = this.#marks
    if (marks === undefined) return undefined
    for (const demand of demands)
      if (isBudget(demand.limit) && !marks.covers(demand, wallMs) && !uncounted.includes(demand.limit))
        return demand
    return undefined
  }

  #closed({ limit, amount }: Demand, demands: readonly Demand[]): Decision {
    const states = this.#parts.ledger.peek(
      demands.map((demand) => demand.limit),
      this.#now,
    )
    const state = states.find((one) => one.limit === limit) as LimitState
    const deciding = { state, asked: amount, waitMs: retryMs }
    return { allowed: false, states, deciding, shadowed: [], by: 'closed' }
  }
}
