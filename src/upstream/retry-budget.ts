/**
 * Retries that a pool of model servers is spared: a server in trouble is not helped by more calls. As Finagle's budget:
 * first attempts earn a share of a retry each, and a reserve lets a pool with few calls retry at all.
 *
 * 1. In any `windowMs`, retries are at most `retryPercent` of the first attempts in it, plus the reserve of
 *    `retriesPerSecondMin` times the window.
 * 2. Over any history, retries are at most `retryPercent` of all first attempts plus one reserve for each window begun.
 * 3. A retry is granted or refused in one step: however many ask at once, no more are granted than there are.
 * 4. It holds `slots` pairs of numbers, whatever happens.
 */
import type { Clock } from '../clock.ts'

export interface RetryBudgetOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Retries per 100 first attempts: 20 by default, 0 to 100. */
  readonly retryPercent?: number
  /**
   * Retries per second that are always granted: 3 by default, which lets the 30 calls that wait for the first byte of one
   * server be sent to another when it dies. Model servers do few calls a second; more would be a load of its own.
   */
  readonly retriesPerSecondMin?: number
  /** How long a first attempt counts: 10 s by default. */
  readonly windowMs?: number
}

interface Slot {
  /** Number of the slot since the beginning of time. */
  readonly at: number
  attempts: number
  retries: number
}

const slots = 10

export class RetryBudget {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #percent: number
  readonly #reserve: number
  readonly #slotMs: number
  /** Oldest first. */
  #slots: Slot[] = []

  constructor({ clock, retryPercent = 20, retriesPerSecondMin = 3, windowMs = 10_000 }: RetryBudgetOptions) {
    this.#clock = clock
    this.#percent = retryPercent
    this.#reserve = Math.floor((retriesPerSecondMin * windowMs) / 1000)
    this.#slotMs = windowMs / slots
  }

  /** A call is sent for the first time. */
  attempted(): void {
    this.#now().attempts += 1
  }

  /** Takes one retry; `false` when there is none, and the failure is the caller's to hear. */
  take(): boolean {
    const slot = this.#now()
    if (this.left < 1) return false
    slot.retries += 1
    return true
  }

  /** Retries that would be granted now, at least 0. */
  get left(): number {
    this.#now()
    let [attempts, retries] = [0, 0]
    for (const slot of this.#slots) {
      attempts += slot.attempts
      retries += slot.retries
    }
    return Math.max(0, Math.floor((attempts * this.#percent) / 100) + this.#reserve - retries)
  }

  #now(): Slot {
    const at = Math.floor(this.#clock.monotonic() / this.#slotMs)
    const last = this.#slots.at(-1)
    if (last?.at === at) return last
    const slot = { at, attempts: 0, retries: 0 }
    this.#slots = [...this.#slots.filter((each) => each.at > at - slots), slot]
    return slot
  }
}
