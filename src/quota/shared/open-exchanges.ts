/**
 * Exchanges of this gateway that were admitted and not settled, and who charged them. Invariants:
 *
 * 1. An exchange is charged in one place: in Redis, or here while Redis is away.
 * 2. What was settled here is remembered, so that nothing that comes twice or late is charged. Redis remembers the rest.
 * 3. At most `openMax` and `settledMax` are kept. Of an exchange beyond that Redis knows what it was charged; of one that
 *    was charged here the reservation stays charged.
 */
import type { Limit } from '../../policy/limit.ts'
import type { BudgetWindow } from '../budget-window.ts'
import type { Decision } from '../store.ts'
import type { HeldSlots } from './held-slots.ts'

const openMax = 100_000
const settledMax = 10_000

export interface OpenExchange {
  readonly by: 'redis' | 'here'
  readonly shard: string
  readonly slots: readonly Limit[]
  /** The calendar periods that budgets were charged for, by the key of the limit. */
  readonly windows: ReadonlyMap<string, BudgetWindow>
  /** Keys of limits in shadow mode that had no room: nothing was charged. */
  readonly uncharged: ReadonlySet<string>
}

export interface Admitted {
  readonly by: OpenExchange['by']
  readonly shard: string
  readonly decision: Decision
  /** In the order of the decision's states. */
  readonly windows: readonly (BudgetWindow | undefined)[]
  /** What Redis's clock says: slots are held since. */
  readonly redisMs: number
}

export class OpenExchanges {
  readonly #slots: HeldSlots
  readonly #open = new Map<string, OpenExchange>()
  readonly #settled = new Set<string>()

  constructor(slots: HeldSlots) {
    this.#slots = slots
  }

  has(exchangeId: string): boolean {
    return this.#open.has(exchangeId)
  }

  wasSettledHere(exchangeId: string): boolean {
    return this.#settled.has(exchangeId)
  }

  admitted(exchangeId: string, { by, shard, decision, windows, redisMs }: Admitted): void {
    if (this.#open.has(exchangeId) || this.#open.size >= openMax) return
    const uncharged = new Set(decision.shadowed.map(({ state }) => state.limit.key))
    const charged = decision.states.filter(({ limit }) => !uncharged.has(limit.key))
    const slots = charged.map(({ limit }) => limit).filter(({ counts }) => counts === 'in_flight')
    for (const limit of slots) this.#slots.take(limit, exchangeId, redisMs)
    const periods = decision.states.flatMap(({ limit }, index) => {
      const window = windows[index]
      return window === undefined ? [] : [[limit.key, window] as const]
    })
    this.#open.set(exchangeId, { by, shard, slots, windows: new Map(periods), uncharged })
  }

  /** The exchange ends, and leaves its slots. */
  end(exchangeId: string): OpenExchange | undefined {
    const open = this.#open.get(exchangeId)
    this.#open.delete(exchangeId)
    for (const limit of open?.slots ?? []) this.#slots.leave(limit, exchangeId)
    return open
  }

  settledHere(exchangeId: string): void {
    this.#settled.add(exchangeId)
    if (this.#settled.size <= settledMax) return
    const [oldest] = this.#settled
    this.#settled.delete(oldest as string)
  }
}
