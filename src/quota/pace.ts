/**
 * A bound on how often something happens for each of many keys, in this process alone: for what is no limit of a caller.
 *
 * 1. Of one key, in every window of t seconds, at most `burst + perSecond * t` pass.
 * 2. At most `keysMax` keys are remembered; the one that was asked least recently is forgotten.
 */
import type { Clock } from '../clock.ts'
import { charged, type Debt, waitOf } from './rate.ts'

export interface PaceOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly perSecond: number
  readonly burst: number
  readonly keysMax?: number
}

const unused: Debt = { debt: 0, atMs: 0 }

export class Pace {
  readonly #options: Required<PaceOptions>
  readonly #spent = new Map<string, Debt>()

  constructor({ keysMax = 10_000, ...options }: PaceOptions) {
    this.#options = { keysMax, ...options }
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#spent.size
  }

  /** 0: it passes, and is counted. Otherwise the milliseconds until it would. */
  take(key: string): number {
    const { clock, perSecond, burst, keysMax } = this.#options
    const nowMs = Math.floor(clock.monotonic())
    const rate = { per: 'second', amount: perSecond, burst } as const
    const spent = this.#spent.get(key) ?? unused
    const waitMs = waitOf(spent, 1, nowMs, rate)
    this.#spent.delete(key)
    this.#spent.set(key, waitMs > 0 ? spent : charged(spent, 1, nowMs, rate))
    const [oldest] = this.#spent.keys()
    if (this.#spent.size > keysMax) this.#spent.delete(oldest as string)
    return waitMs
  }
}
