import { createHash, createHmac, type KeyObject } from 'node:crypto'
import type { Server } from '../openai/upstream-body.ts'

/**
 * Servers that keep the prefix cache of one `cache_salt` apart from all others. A caller can time whether somebody's
 * prompt is in a shared cache; with a salt for each tenant, only that of its own. A caller's own `cache_salt` is
 * refused. SGLang puts it into the key of its radix cache (`extra_key`); vLLM hashes it into the first block.
 */
const salted: ReadonlySet<Server> = new Set<Server>(['vllm', 'sglang'])

export const takesCacheSalt = (server: Server): boolean => salted.has(server)

export interface CacheSaltOptions {
  /**
   * Keeps the salts secret from whoever reaches a model server past the gateway and knows the tenants' names. All
   * gateways of a pool need the same, or the tenants lose their cached prefixes with each gateway.
   */
  readonly key?: KeyObject | undefined
  /** Salts that are remembered; default 4 096. */
  readonly saltsMax?: number | undefined
}

/** Keeps these salts apart from everything else that is made with the same key. */
const domain = 'sallyport cache_salt 1'

/**
 * The salt of each tenant, 43 characters of base64url (vLLM allows 128, without `@`, `/`, `\`). Invariants:
 *
 * 1. It is the same on every gateway with the same key, and after a restart.
 * 2. No two pairs of tenant and pool share one.
 * 3. At most `saltsMax` are held.
 */
export class CacheSalts {
  readonly #key: KeyObject | undefined
  readonly #saltsMax: number
  readonly #salts = new Map<string, string>()

  constructor({ key, saltsMax = 4_096 }: CacheSaltOptions = {}) {
    this.#key = key
    this.#saltsMax = saltsMax
  }

  get size(): number {
    return this.#salts.size
  }

  /** `pool` is the pool's name in the configuration. */
  saltOf(tenant: string, pool: string): string {
    // The length says where the tenant ends, so no two pairs read the same.
    const subject = `${tenant.length}:${tenant}${pool}`
    const known = this.#salts.get(subject)
    if (known !== undefined) return known
    if (this.#salts.size >= this.#saltsMax) this.#forgetOldest()
    const salt = this.#make(subject)
    this.#salts.set(subject, salt)
    return salt
  }

  #forgetOldest(): void {
    const [oldest] = this.#salts.keys()
    if (oldest !== undefined) this.#salts.delete(oldest)
  }

  #make(subject: string): string {
    const hash = this.#key === undefined ? createHash('sha256') : createHmac('sha256', this.#key)
    return hash.update(`${domain}\0${subject}`).digest('base64url')
  }
}
