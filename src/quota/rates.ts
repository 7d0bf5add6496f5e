/**
 * The buckets of rates, by key. Invariants:
 *
 * 1. A bucket is forgotten only when it is empty, which is the state of one that was never there.
 * 2. Work per charge is bounded: two steps of a sweep that goes round.
 */
import type { Limit } from '../policy/limit.ts'
import { charged, type Debt, levelOf, returned, waitOf } from './rate.ts'
import type { LimitState } from './store.ts'

const stepsPerCharge = 2
const unused: Debt = { debt: 0, atMs: 0 }

interface Bucket extends Debt {
  /** When it is empty. */
  readonly emptyAtMs: number
}

export class Rates {
  readonly #buckets = new Map<string, Bucket>()
  #cursor: MapIterator<[string, Bucket]> | undefined

  get size(): number {
    return this.#buckets.size
  }

  /** Of buckets that are not empty. */
  *keys(nowMs: number): Iterable<string> {
    for (const [key, { emptyAtMs }] of this.#buckets) if (emptyAtMs > nowMs) yield key
  }

  /** Until so many units pass; `Infinity` above the burst. */
  waitOf(limit: Limit, units: number, nowMs: number): number {
    return waitOf(this.#at(limit.key), units, nowMs, limit)
  }

  stateOf(limit: Limit, nowMs: number): LimitState {
    const { used, remaining, resetMs } = levelOf(this.#at(limit.key), nowMs, limit)
    return { limit, used, remaining, resetMs }
  }

  charge(limit: Limit, units: number, nowMs: number): void {
    this.#set(limit, charged(this.#at(limit.key), units, nowMs, limit))
    this.#step(nowMs)
  }

  giveBack(limit: Limit, units: number, nowMs: number): void {
    this.#set(limit, returned(this.#at(limit.key), units, nowMs, limit))
  }

  reset(key: string): void {
    this.#buckets.delete(key)
  }

  /** Forgets every bucket that is empty. */
  sweep(nowMs: number): void {
    for (const [key, { emptyAtMs }] of this.#buckets) if (emptyAtMs <= nowMs) this.#buckets.delete(key)
  }

  #at(key: string): Debt {
    return this.#buckets.get(key) ?? unused
  }

  #set({ key, amount }: Limit, { debt, atMs }: Debt): void {
    if (debt === 0) this.#buckets.delete(key)
    else this.#buckets.set(key, { debt, atMs, emptyAtMs: atMs + Math.ceil(debt / amount) })
  }

  /** Looks at a few entries and forgets those that are empty; goes round. */
  #step(nowMs: number): void {
    for (let step = 0; step < stepsPerCharge; step += 1) {
      this.#cursor ??= this.#buckets.entries()
      const { done, value } = this.#cursor.next()
      if (done) this.#cursor = undefined
      else if (value[1].emptyAtMs <= nowMs) this.#buckets.delete(value[0])
    }
  }
}
