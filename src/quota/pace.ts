/**
 * A bound on how often something happens for each of many keys, in this process alone: for what is no limit of a caller.
 *
 * 1. Of one key, in every window of t seconds, at most `burst + perSecond * t` pass.
 * 2. At most `keysMax` keys are remembered; the one that was asked least recently is forgotten.
 */
import type { Clock } from '../clock.ts'

export interface PaceOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly perSecond: number
  readonly burst: number
  readonly keysMax?: number
}

export class Pace {
  readonly #options: Required<PaceOptions>
  /** Key -> time at which all of its burst has flowed back, in milliseconds. */
  readonly #fullAt = new Map<string, number>()

  constructor({ keysMax = 10_000, ...options }: PaceOptions) {
    this.#options = { keysMax, ...options }
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#fullAt.size
  }

  /** 0: it passes, and is counted. Otherwise the milliseconds until it would. */
  take(key: string): number {
    const { clock, perSecond, burst, keysMax } = this.#options
    const now = clock.monotonic()
    const eachMs = 1000 / perSecond
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now)
    this.#fullAt.delete(key)
    const waitMs = fullAt + eachMs - burst * eachMs - now
    this.#fullAt.set(key, waitMs > 0 ? fullAt : fullAt + eachMs)
    const [oldest] = this.#fullAt.keys()
    if (this.#fullAt.size > keysMax) this.#fullAt.delete(oldest as string)
    return waitMs > 0 ? Math.ceil(waitMs) : 0
  }
}
