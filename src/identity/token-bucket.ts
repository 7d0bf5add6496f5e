import type { Clock } from '../clock.ts'

export interface TokenBucketOptions {
  readonly clock: Clock
  readonly capacity: number
  /** Time until one more is granted. */
  readonly refillMs: number
}

/** Grants at most `capacity` at once and one more for each `refillMs` that has passed. Starts full. */
export class TokenBucket {
  readonly #options: TokenBucketOptions
  #level: number
  #at: number

  constructor(options: TokenBucketOptions) {
    this.#options = options
    this.#level = options.capacity
    this.#at = options.clock.monotonic()
  }

  /** Takes one, if there is one. */
  take(): boolean {
    const { clock, capacity, refillMs } = this.#options
    const now = clock.monotonic()
    this.#level = Math.min(capacity, this.#level + (now - this.#at) / refillMs)
    this.#at = now
    if (this.#level < 1) return false
    this.#level -= 1
    return true
  }
}
