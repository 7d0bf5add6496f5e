/**
 * Settlements that Redis has not answered. Invariants:
 *
 * 1. A settlement leaves when Redis has answered it. They leave in the order in which they came.
 * 2. At most `entriesMax` are kept. The oldest gives way, and `overflowed` is told: what it would have returned stays
 *    charged, what it would have charged is charged by its bucket.
 */
import type { BudgetWindow } from '../budget-window.ts'
import type { Correction } from '../store.ts'

/** A correction, and the calendar period of its budget. */
export interface DatedCorrection extends Correction {
  readonly window: BudgetWindow | undefined
}

export interface Settlement {
  readonly exchangeId: string
  /** Key of what remembers that it was made. */
  readonly marker: string
  readonly corrections: readonly DatedCorrection[]
  /** Keys of further sets of slots that the exchange leaves. */
  readonly slots: readonly string[]
  /** What is charged when Redis does not know the exchange: all that it used, or what it used beyond the reservation. */
  readonly unknown: 'used' | 'difference'
}

export class Backlog {
  readonly #entriesMax: number
  readonly #overflowed: (oldest: Settlement) => void
  readonly #entries = new Map<string, Settlement>()

  constructor(overflowed: (oldest: Settlement) => void, entriesMax = 100_000) {
    this.#overflowed = overflowed
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#entries.size
  }

  /** The first settlement of an exchange counts. */
  add(settlement: Settlement): void {
    if (this.#entries.has(settlement.marker)) return
    this.#entries.set(settlement.marker, settlement)
    if (this.#entries.size <= this.#entriesMax) return
    const [oldest] = this.#entries.values()
    this.#entries.delete((oldest as Settlement).marker)
    this.#overflowed(oldest as Settlement)
  }

  /** The oldest, at most so many. They stay until `done`. */
  first(count: number): readonly Settlement[] {
    return this.#entries.values().take(count).toArray()
  }

  done({ marker }: Settlement): void {
    this.#entries.delete(marker)
  }
}
