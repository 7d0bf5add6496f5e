import type { Limit } from '../policy/policy.ts'

/** What a caller is told about the limit that is nearest to its end (`x-ratelimit-*`, `RateLimit`). */
export interface LimitState {
  readonly limit: Limit
  readonly remaining: number
  /** Until the bucket is full again. */
  readonly resetMs: number
}

/** Leave to enter. Held until the last byte; released once, on every ending (`await using`). */
export interface Admission extends AsyncDisposable {
  readonly states: readonly LimitState[]
}

/** Tokens set aside for one exchange. */
export interface Reservation extends AsyncDisposable {
  /** Estimated prompt tokens, erring upwards. */
  readonly inputTokens: number
  /** Most output tokens over all choices and prompts. */
  readonly outputTokens: number
}

export interface Consumption {
  readonly inputTokens: number
  readonly outputTokens: number
}

/**
 * Limits and their state. The in-memory store is the first; a Redis store passes the same contract suite later.
 * All or nothing: a refusal changes no bucket.
 */
export interface Quota {
  /**
   * Takes one request from every `requests` limit and one slot from every `in_flight` limit, or throws
   * `rate_limit_exceeded` / `concurrency_limit_exceeded` naming the deciding limit in `detail` and the exact wait.
   */
  admit(exchangeId: string, limits: readonly Limit[]): Promise<Admission>
  /** Sets tokens aside for the exchange. */
  reserve(exchangeId: string, limits: readonly Limit[], tokens: Consumption): Promise<Reservation>
  /** The truth, at the end. Idempotent by exchange id: a second settlement of the same exchange changes nothing. */
  settle(exchangeId: string, used: Consumption): Promise<void>
  /** Live counts for metrics: in-flight slots and buckets now held. */
  readonly inFlight: number
  readonly buckets: number
}
