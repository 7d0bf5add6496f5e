/**
 * What Redis last said of buckets. Invariants:
 *
 * 1. At most `bucketsMax` are kept; the one that was heard of least recently is forgotten.
 * 2. A refusal is repeated only while Redis would refuse as well: for requests, which nobody returns; not past the wait
 *    counted from when the question left; not for less than was asked; not past `repeatedMs`, so that what an operator
 *    changes is not held up.
 */
import type { BudgetWindow } from '../budget-window.ts'
import type { Decision, Demand, LimitState, Verdict } from '../store.ts'

const bucketsMax = 10_000
const repeatedMs = 1_000

export interface KnownBucket {
  readonly state: LimitState
  /** When it was so, by the monotonic clock. */
  readonly atMs: number
  /** The calendar period that was meant. */
  readonly period: string | undefined
}

interface Refused {
  readonly verdict: Verdict
  readonly untilMs: number
  readonly passesMs: number
}

export class KnownBuckets {
  readonly #buckets = new Map<string, KnownBucket>()
  readonly #refused = new Map<string, Refused>()

  get size(): number {
    return this.#buckets.size
  }

  of(key: string): KnownBucket | undefined {
    return this.#buckets.get(key)
  }

  /** `sentMs` and `nowMs`: when the question left and when the answer came, by the monotonic clock. */
  learn(
    { states, deciding }: Pick<Decision, 'states' | 'deciding'>,
    windows: readonly (BudgetWindow | undefined)[],
    { sentMs, nowMs }: { readonly sentMs: number; readonly nowMs: number },
  ): void {
    for (const [index, state] of states.entries())
      put(this.#buckets, state.limit.key, { state, atMs: nowMs, period: windows[index]?.id })
    if (deciding?.state.limit.counts !== 'requests') return
    const passesMs = sentMs + deciding.waitMs
    const untilMs = Math.min(passesMs, nowMs + repeatedMs)
    put(this.#refused, deciding.state.limit.key, { verdict: deciding, untilMs, passesMs })
  }

  /** A limit that refuses these demands still. */
  refusing(demands: readonly Demand[], nowMs: number): Verdict | undefined {
    if (this.#refused.size === 0) return undefined
    for (const demand of demands) {
      const refused = this.#refused.get(demand.limit.key)
      if (refused === undefined) continue
      if (nowMs >= refused.untilMs) this.#refused.delete(demand.limit.key)
      else if (isNoLess(demand, refused.verdict))
        return { ...refused.verdict, waitMs: Math.max(1, Math.ceil(refused.passesMs - nowMs)) }
    }
    return undefined
  }

  forget(key: string): void {
    this.#buckets.delete(key)
    this.#refused.delete(key)
  }

  /** Nothing that was said counts any more. */
  forgetRefusals(): void {
    this.#refused.clear()
  }
}

function isNoLess({ limit, amount }: Demand, { asked, state }: Verdict): boolean {
  const then = state.limit
  return (
    limit.mode === 'enforce' && amount >= asked && limit.amount === then.amount && limit.burst === then.burst
  )
}

function put<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= bucketsMax) return
  const [oldest] = map.keys()
  map.delete(oldest as string)
}
