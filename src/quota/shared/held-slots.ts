/**
 * Slots that exchanges of this gateway hold, whoever gave them. Invariants:
 *
 * 1. An exchange holds a slot from its admission until its settlement, or until an operator empties the limit.
 * 2. A limit without holders takes no memory.
 */
import type { Limit } from '../../policy/limit.ts'

interface Holders {
  readonly limit: Limit
  /** Since when, by the time of Redis, by exchange. */
  readonly since: Map<string, number>
}

export class HeldSlots {
  readonly #byLimit = new Map<string, Holders>()

  get size(): number {
    let count = 0
    for (const { since } of this.#byLimit.values()) count += since.size
    return count
  }

  count({ key }: Pick<Limit, 'key'>): number {
    return this.#byLimit.get(key)?.since.size ?? 0
  }

  take(limit: Limit, exchangeId: string, redisMs: number): void {
    const holders = this.#byLimit.get(limit.key) ?? { limit, since: new Map() }
    holders.since.set(exchangeId, redisMs)
    this.#byLimit.set(limit.key, holders)
  }

  leave({ key }: Pick<Limit, 'key'>, exchangeId: string): void {
    const holders = this.#byLimit.get(key)
    if (holders?.since.delete(exchangeId) && holders.since.size === 0) this.#byLimit.delete(key)
  }

  empty({ key }: Pick<Limit, 'key'>): void {
    this.#byLimit.delete(key)
  }

  entries(): readonly (readonly [Limit, ReadonlyMap<string, number>])[] {
    return [...this.#byLimit.values()].map(({ limit, since }) => [limit, since] as const)
  }
}
