import type { Clock } from '../clock.ts'

export interface BreakerOptions {
  /** So many failures in a row open it. */
  readonly failuresMax: number
  /** How long it stays open before one request may try again. */
  readonly openMs: number
  readonly clock: Clock
}

/**
 * Spares a service that does not answer, and its callers the wait. After `failuresMax` failures in a row nothing is
 * sent for `openMs`; then one request is, and its end decides for all others.
 */
export class CircuitBreaker {
  readonly #options: BreakerOptions
  #failures = 0
  #openUntil = Number.NEGATIVE_INFINITY
  #probing = false

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  get #isTripped(): boolean {
    return this.#failures >= this.#options.failuresMax
  }

  /** Whether a request may be sent now; each that may must `settle`. */
  enter(): boolean {
    if (!this.#isTripped) return true
    if (this.#probing || this.#options.clock.monotonic() < this.#openUntil) return false
    this.#probing = true
    return true
  }

  /** `abandoned`: the caller left, which says nothing about the service. */
  settle(end: 'answered' | 'failed' | 'abandoned'): void {
    this.#probing = false
    if (end === 'answered') this.#failures = 0
    if (end !== 'failed') return
    this.#failures++
    if (this.#isTripped) this.#openUntil = this.#options.clock.monotonic() + this.#options.openMs
  }
}
