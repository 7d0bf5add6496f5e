/**
 * The keys behind an issuer's JWKS URL.
 *
 * Invariants (test/identity/jwks.test.ts has a property for each):
 * 1. At most one fetch is in flight.
 * 2. Unknown key ids cause at most one fetch in a cool-down and no more than the bucket holds, whoever asks.
 * 3. A fetch that fails and a set that is refused leave the set in force as it was.
 * 4. No key is given out from a set that was confirmed longer than `staleSecondsMax` ago.
 * 5. A caller whose key is in the set in force never waits for a fetch.
 */
import { hash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { Refusal } from '../refusal.ts'
import type { PublicKey } from './jwk.ts'
import type { KeyFetcher } from './key-fetching.ts'
import { type KeySet, type KeysFault, KeysRefused, keySetBytesMax, parseKeySet } from './key-set.ts'
import type { ChosenKey, KeySource, RefreshListener } from './key-source.ts'
import { TokenBucket } from './token-bucket.ts'
import { tokenRefusal } from './token-refusal.ts'

export interface RemoteKeysOptions {
  readonly url: string
  readonly fetcher: KeyFetcher
  readonly clock: Clock
  readonly onRefresh?: RefreshListener | undefined
  /** Age at which the keys must have been confirmed again: the time that a removed key lives on. */
  readonly maxAgeSeconds?: number | undefined
  /** How long the keys serve while their source is down. */
  readonly staleSecondsMax?: number | undefined
  readonly timeoutMs?: number | undefined
}

const coolDownMs = 30_000
const refreshAtShare = 0.8
const retryMsMax = 30_000
/** Fetches for unknown key ids in a row, and the time until one more is granted. */
const unknownKeyBucket = { capacity: 4, refillMs: 120_000 }

interface Held {
  readonly set: KeySet
  readonly digest: string
  readonly confirmedAt: number
}

/** Starts to fetch at once and keeps the keys fresh until it is closed. */
export class RemoteKeys implements KeySource {
  readonly #options: RemoteKeysOptions
  readonly #clock: Clock
  readonly #maxAgeMs: number
  readonly #staleMsMax: number
  readonly #bucket: TokenBucket
  readonly #stop = new AbortController()
  readonly #loop: Promise<void>
  #held: Held | undefined
  #flight: Promise<void> | undefined
  #lastTryAt = Number.NEGATIVE_INFINITY
  #failures = 0

  constructor(options: RemoteKeysOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#maxAgeMs = (options.maxAgeSeconds ?? 300) * 1000
    this.#staleMsMax = (options.staleSecondsMax ?? 86_400) * 1000
    this.#bucket = new TokenBucket({ clock: options.clock, ...unknownKeyBucket })
    this.#loop = this.#keepFresh()
  }

  get current(): KeySet | undefined {
    const held = this.#held
    if (held === undefined || this.#clock.monotonic() - held.confirmedAt > this.#staleMsMax) return undefined
    return held.set
  }

  get ageSeconds(): number | undefined {
    return this.#held && (this.#clock.monotonic() - this.#held.confirmedAt) / 1000
  }

  async find(kid: string | undefined): Promise<ChosenKey> {
    const known = this.#choose(kid)
    if (known) return known
    await this.#seek()
    if (this.current === undefined) throw new Refusal('keys_unavailable', 'no_keys', { retryAfterMs: 1000 })
    const found = this.#choose(kid)
    if (found === undefined) throw tokenRefusal('unknown_key')
    return found
  }

  refresh(): Promise<void> {
    this.#flight ??= this.#fetch().finally(() => {
      this.#flight = undefined
    })
    return this.#flight
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#loop
    await this.#flight
  }

  #choose(kid: string | undefined): ChosenKey | undefined {
    const set = this.current
    const key: PublicKey | undefined = set?.choose(kid)
    return set && key && { set, key }
  }

  /** Joins a fetch that is under way, or starts one if the limits for unknown keys allow. */
  async #seek(): Promise<void> {
    if (this.#flight) return this.#flight
    // Without any key the loop retries by itself; callers must not make it faster.
    const isCool = this.current !== undefined && this.#clock.monotonic() - this.#lastTryAt >= coolDownMs
    if (isCool && !this.#stop.signal.aborted && this.#bucket.take()) await this.refresh()
  }

  async #fetch(): Promise<void> {
    this.#lastTryAt = this.#clock.monotonic()
    try {
      const bytes = await this.#options.fetcher.fetchKeys(this.#options.url, {
        signal: this.#stop.signal,
        bytesMax: keySetBytesMax,
        timeoutMs: this.#options.timeoutMs ?? 5000,
      })
      if (typeof bytes === 'string') throw new KeysRefused(bytes)
      this.#accept(bytes)
    } catch (error) {
      this.#failures += 1
      this.#tell('failed', error instanceof KeysRefused ? error.fault : 'fetch_failed')
    }
  }

  #accept(bytes: Uint8Array): void {
    const digest = hash('sha256', bytes, 'base64url')
    const isSame = this.#held?.digest === digest
    // The same bytes keep the same set, and with it everything that was verified under it.
    const set = isSame && this.#held ? this.#held.set : parseKeySet(bytes)
    this.#held = { set, digest, confirmedAt: this.#clock.monotonic() }
    this.#failures = 0
    this.#tell(isSame ? 'unchanged' : 'changed')
  }

  #tell(result: 'changed' | 'unchanged' | 'failed', fault?: KeysFault): void {
    if (!this.#stop.signal.aborted) this.#options.onRefresh?.(result, fault)
  }

  async #keepFresh(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.refresh()
      await this.#clock.sleep(this.#nextTryMs(), signal).catch(() => undefined)
    }
  }

  #nextTryMs(): number {
    const refreshMs = this.#maxAgeMs * refreshAtShare
    return this.#failures === 0
      ? refreshMs
      : Math.min(retryMsMax, refreshMs, 1000 * 2 ** Math.min(this.#failures - 1, 10))
  }
}
