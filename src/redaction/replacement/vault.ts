import { makeToken } from './pseudonym-token.ts'
import type { TenantKey } from './tenant-key.ts'

/** Values of one exchange; beyond them values are masked. A prompt of a megabyte has no more. */
export const vaultEntriesMax = 8_192

/**
 * The pseudonyms of one exchange, in its memory alone.
 *
 * 1. A token leads back to a value only if this exchange's prompt held that value.
 * 2. One token, one value: two values that would share one are not both given it.
 * 3. The first spelling that was seen is the one that comes back.
 */
export class Vault {
  readonly #key: TenantKey
  readonly #values = new Map<string, { readonly normal: string; readonly original: string }>()

  constructor(key: TenantKey) {
    this.#key = key
  }

  get size(): number {
    return this.#values.size
  }

  /** The token of a value of the prompt, which is remembered; nothing when there is no room, or no token for it. */
  remember(entity: string, normal: string, original: string): string | undefined {
    const token = this.tokenOf(entity, normal)
    const known = this.#values.get(token)
    const identity = `${entity}/${normal}`
    if (known !== undefined) return known.normal === identity ? token : undefined
    if (this.#values.size >= vaultEntriesMax) return undefined
    this.#values.set(token, { normal: identity, original })
    return token
  }

  /** The same token, not remembered. */
  tokenOf(entity: string, normal: string): string {
    return makeToken(entity, this.#key.digest('pseudonym', entity, normal))
  }

  originalOf(token: string): string | undefined {
    return this.#values.get(token)?.original
  }
}
