import type { KeyObject } from 'node:crypto'
import type { Replacer, StreamWindow } from '../finding.ts'
import { RehydrationWindow, type RestoreCount } from './rehydration-window.ts'
import { type EntityTraits, ExchangeReplacer } from './replacer.ts'
import { TenantKey } from './tenant-key.ts'
import { Vault } from './vault.ts'

/** Everything that stands for the values of one exchange, both ways; it ends with the exchange. */
export class Replacement {
  readonly prompt: Replacer
  readonly reply: Replacer
  /** How the pseudonyms of this exchange fared in the reply. */
  readonly restoreCount: RestoreCount = { restored: 0, unknown: 0 }
  readonly #vault: Vault | undefined

  /** `master` is missing where the configuration names no key; then nothing is pseudonymized or hashed. */
  constructor(master: KeyObject | undefined, tenant: string, traits: EntityTraits) {
    const key = master === undefined ? undefined : new TenantKey(master, tenant)
    this.#vault = key === undefined ? undefined : new Vault(key)
    const keys = key === undefined || this.#vault === undefined ? undefined : { key, vault: this.#vault }
    this.prompt = new ExchangeReplacer('prompt', traits, keys)
    this.reply = new ExchangeReplacer('reply', traits, keys)
  }

  /** Pseudonyms of the prompt that can be turned back. */
  get size(): number {
    return this.#vault?.size ?? 0
  }

  /** The window with the pseudonyms of this exchange turned back around it. */
  restoring(window: StreamWindow, kind: 'text' | 'json'): StreamWindow {
    const vault = this.#vault
    if (vault === undefined || this.size === 0) return window
    return new RehydrationWindow(window, kind, vault, this.restoreCount)
  }

  /** The window that leaves the pseudonyms of this exchange as they are: no rule takes a part of one for a value. */
  keeping(window: StreamWindow, kind: 'text' | 'json'): StreamWindow {
    const vault = this.#vault
    if (vault === undefined || this.size === 0) return window
    const tokens = {
      originalOf: (token: string) => (vault.originalOf(token) === undefined ? undefined : token),
    }
    return new RehydrationWindow(window, kind, tokens, { restored: 0, unknown: 0 })
  }
}
