import { createHmac, hkdfSync, type KeyObject } from 'node:crypto'

/** What a key is used for: no digest of one use says anything about the other. */
type Use = 'pseudonym' | 'hash'

/**
 * The keys of one tenant, derived (RFC 5869) from the gateway's: what one tenant's tokens show is of no use with another's,
 * and without the key a value of low entropy cannot be guessed from its token.
 */
export class TenantKey {
  readonly #master: KeyObject
  readonly #tenant: string
  readonly #keys = new Map<Use, Buffer>()

  constructor(master: KeyObject, tenant: string) {
    this.#master = master
    this.#tenant = tenant
  }

  digest(use: Use, entity: string, value: string): Buffer {
    // JSON keeps the border between the two: no entity and value have the text of another entity and value.
    return createHmac('sha256', this.#keyFor(use))
      .update(JSON.stringify([entity, value]))
      .digest()
  }

  #keyFor(use: Use): Buffer {
    const known = this.#keys.get(use)
    if (known !== undefined) return known
    const info = JSON.stringify([use, this.#tenant])
    const key = Buffer.from(hkdfSync('sha256', this.#master, 'sallyport redaction', info, 32))
    this.#keys.set(use, key)
    return key
  }
}
