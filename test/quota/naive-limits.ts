/**
 * Limits as a textbook has them, slow and exact: every charge and return is kept for ever, rates are replayed from the
 * beginning in whole fractions. What a store decides and shows must be what this does.
 */
import type { Limit } from '../../src/policy/limit.ts'
import type { Demand } from '../../src/quota/store.ts'

/** Both clocks, milliseconds: rates go by the first, days by the second. */
export interface Moment {
  readonly monotonicMs: number
  readonly wallMs: number
}

interface Change {
  readonly atMs: number
  readonly units: number
}

const periods: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000 }

export class NaiveLimits {
  readonly #changes = new Map<string, Change[]>()
  readonly #holders = new Map<string, Set<string>>()
  readonly #open = new Map<
    string,
    { demands: readonly Demand[]; dayOf: string; refusedShadows: Set<string> }
  >()
  readonly #settled = new Set<string>()

  /** Milliseconds to wait; 0: charged. */
  admit(id: string, demands: readonly Demand[], now: Moment): number {
    const waits = demands.map(({ limit, amount }) => this.#waitOf(limit, amount, now))
    const refused = Math.max(0, ...waits.filter((_, index) => demands[index]?.limit.mode === 'enforce'))
    if (refused > 0 || this.#settled.has(id) || this.#open.has(id)) return refused
    const refusedShadows = new Set<string>()
    for (const [index, { limit, amount }] of demands.entries()) {
      if (Number(waits[index]) > 0) refusedShadows.add(limit.key)
      else this.#charge(id, limit, amount, now)
    }
    this.#open.set(id, { demands, dayOf: day(now.wallMs), refusedShadows })
    return 0
  }

  settle(id: string, used: ReadonlyMap<string, number>, { monotonicMs }: Moment): void {
    if (this.#settled.has(id)) return
    this.#settled.add(id)
    const open = this.#open.get(id)
    this.#open.delete(id)
    for (const { limit, amount } of open?.demands ?? []) {
      if (open?.refusedShadows.has(limit.key)) continue
      if (limit.counts === 'in_flight') this.#holders.get(limit.key)?.delete(id)
      else this.#change(nameOf(limit, open?.dayOf ?? ''), (used.get(limit.key) ?? 0) - amount, monotonicMs)
    }
  }

  usedOf(limit: Limit, { monotonicMs, wallMs }: Moment): number {
    if (limit.counts === 'in_flight') return this.#holders.get(limit.key)?.size ?? 0
    const changes = this.#changes.get(nameOf(limit, day(wallMs))) ?? []
    if (limit.per === 'day') return changes.reduce((sum, { units }) => Math.max(0, sum + units), 0)
    return Number(ceilDiv(this.#debt(limit, monotonicMs), BigInt(periods[limit.per as string] as number)))
  }

  #waitOf(limit: Limit, units: number, now: Moment): number {
    if (units === 0) return 0
    if (units > limit.burst) return Number.POSITIVE_INFINITY
    if (limit.counts === 'in_flight') return this.usedOf(limit, now) + units > limit.amount ? 1_000 : 0
    if (limit.per === 'day') {
      const left = (Math.floor(now.wallMs / 86_400_000) + 1) * 86_400_000 - now.wallMs
      return this.usedOf(limit, now) + units > limit.amount ? left : 0
    }
    const period = BigInt(periods[limit.per as string] as number)
    const over = this.#debt(limit, now.monotonicMs) + BigInt(units - limit.burst) * period
    return over <= 0n ? 0 : Number(ceilDiv(over, BigInt(limit.amount)))
  }

  /** Units times milliseconds of the period: each millisecond as many flow back as the amount. */
  #debt(limit: Limit, nowMs: number): bigint {
    const period = BigInt(periods[limit.per as string] as number)
    let debt = 0n
    let atMs = 0
    for (const change of [...(this.#changes.get(limit.key) ?? []), { atMs: nowMs, units: 0 }]) {
      debt = atLeastZero(debt - BigInt(change.atMs - atMs) * BigInt(limit.amount))
      debt = atLeastZero(debt + BigInt(change.units) * period)
      atMs = change.atMs
    }
    return debt
  }

  #charge(id: string, limit: Limit, units: number, { monotonicMs, wallMs }: Moment): void {
    if (limit.counts !== 'in_flight') this.#change(nameOf(limit, day(wallMs)), units, monotonicMs)
    else this.#holders.set(limit.key, (this.#holders.get(limit.key) ?? new Set()).add(id))
  }

  #change(name: string, units: number, atMs: number): void {
    this.#changes.set(name, [...(this.#changes.get(name) ?? []), { atMs, units }])
  }
}

const day = (ms: number): string => String(Math.floor(ms / 86_400_000))
const nameOf = (limit: Limit, day: string): string =>
  limit.per === 'day' ? `${limit.key}@${day}` : limit.key
const atLeastZero = (value: bigint): bigint => (value < 0n ? 0n : value)
const ceilDiv = (value: bigint, by: bigint): bigint => (value + by - 1n) / by
