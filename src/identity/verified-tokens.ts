/**
 * Remembers tokens whose signature has been verified, so that a caller's next request costs one hash.
 *
 * Invariants (test/identity/verified-tokens.test.ts has a property for each):
 * 1. Never more than `entriesMax` entries; the one that was used longest ago goes first.
 * 2. An entry is never given out once its time to live has passed.
 * 3. What is given out was stored under the same token: the key is the SHA-256 of the whole token.
 *
 * Nothing but the signature is remembered: dates, binding, revocation and the key set are checked at each use.
 */
import { hash } from 'node:crypto'
import type { Clock } from '../clock.ts'

/** Longest time that a verification is remembered. */
const ttlMsMax = 60_000

export interface VerifiedTokensOptions {
  readonly clock: Clock
  readonly entriesMax: number
}

interface Entry<Value> {
  readonly value: Value
  readonly until: number
}

export class VerifiedTokens<Value> {
  readonly #clock: Clock
  readonly #entriesMax: number
  readonly #entries = new Map<string, Entry<Value>>()

  constructor({ clock, entriesMax }: VerifiedTokensOptions) {
    this.#clock = clock
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#entries.size
  }

  /** What was remembered of this token, if it still counts. */
  recall(token: string): Value | undefined {
    const key = digestOf(token)
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (this.#clock.monotonic() >= entry.until) return undefined
    this.#entries.set(key, entry) // now the newest
    return entry.value
  }

  /** Remembers a token until it expires, a minute at most. `ttlMs` is the life it has left. */
  remember(token: string, value: Value, ttlMs: number): void {
    if (!(ttlMs > 0) || this.#entriesMax < 1) return
    const key = digestOf(token)
    this.#entries.delete(key)
    // A monotonic deadline: a wall clock that is set back must not lengthen it.
    this.#entries.set(key, { value, until: this.#clock.monotonic() + Math.min(ttlMs, ttlMsMax) })
    if (this.#entries.size > this.#entriesMax) this.#forgetOldest()
  }

  /** Forgets this token, because what was remembered no longer holds. */
  forget(token: string): void {
    this.#entries.delete(digestOf(token))
  }

  #forgetOldest(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key)
      return
    }
  }
}

const digestOf = (token: string): string => hash('sha256', token, 'base64url')
