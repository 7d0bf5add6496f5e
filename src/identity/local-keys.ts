import { hash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { type KeySet, KeysRefused, parseKeySet } from './key-set.ts'
import type { ChosenKey, KeySource, RefreshListener } from './key-source.ts'
import { tokenRefusal } from './token-refusal.ts'

export interface LocalKeysOptions {
  /** Reads the file: a JWKS or one PEM public key. Called once at the start and at each refresh. */
  readonly read: () => Uint8Array
  readonly clock: Clock
  readonly onRefresh?: RefreshListener | undefined
}

/** Keys that lie beside the gateway, for a network without a way to the issuer. Throws `KeysRefused` at the start. */
export class LocalKeys implements KeySource {
  readonly #options: LocalKeysOptions
  #set: KeySet
  #digest: string
  #confirmedAt: number

  constructor(options: LocalKeysOptions) {
    const bytes = options.read()
    this.#options = options
    this.#set = parseKeySet(bytes)
    this.#digest = digestOf(bytes)
    this.#confirmedAt = options.clock.monotonic()
  }

  get current(): KeySet {
    return this.#set
  }

  get ageSeconds(): number {
    return (this.#options.clock.monotonic() - this.#confirmedAt) / 1000
  }

  async find(kid: string | undefined): Promise<ChosenKey> {
    const key = this.#set.choose(kid)
    if (key === undefined) throw tokenRefusal('unknown_key')
    return { key, set: this.#set }
  }

  /** Puts other keys in force. Throws `KeysRefused` and keeps the old ones when they are no good. */
  replace(bytes: Uint8Array): void {
    const digest = digestOf(bytes)
    const isSame = digest === this.#digest
    if (!isSame) this.#set = parseKeySet(bytes)
    this.#digest = digest
    this.#confirmedAt = this.#options.clock.monotonic()
    this.#options.onRefresh?.(isSame ? 'unchanged' : 'changed')
  }

  async refresh(): Promise<void> {
    try {
      this.replace(this.#options.read())
    } catch (error) {
      this.#options.onRefresh?.('failed', error instanceof KeysRefused ? error.fault : 'fetch_failed')
    }
  }

  async close(): Promise<void> {}
}

const digestOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'base64url')
