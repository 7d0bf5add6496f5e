import type { Limit } from '../../policy/limit.ts'

/**
 * Names of keys. All of one exchange have the same hash tag, so that a Cluster keeps them on one node. A shard is
 * written without braces and colons, whatever its name: nobody's name puts a key elsewhere.
 */
export class Keys {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  bucket({ shard, key }: Pick<Limit, 'shard' | 'key'>): string {
    return `${this.#tagged(shard)}:b:${key}`
  }

  /** Of an exchange that was admitted here. */
  marker(shard: string, exchangeId: string): string {
    return `${this.#tagged(shard)}:x:${exchangeId}`
  }

  /** Of an exchange that a gateway admitted on its own: a late admission here must not count as its settlement. */
  localMarker(shard: string, exchangeId: string): string {
    return `${this.#tagged(shard)}:y:${exchangeId}`
  }

  /** When slots were emptied by an operator. */
  resetOf({ shard, key }: Pick<Limit, 'shard' | 'key'>): string {
    return `${this.#tagged(shard)}:z:${key}`
  }

  probe(shard: string): string {
    return `${this.#tagged(shard)}:probe`
  }

  get members(): string {
    return `${this.#prefix}{gateways}:members`
  }

  get documents(): string {
    return `${this.#prefix}{gateways}:documents`
  }

  get changes(): string {
    return `${this.#prefix}{gateways}:changes`
  }

  decision(slot: number): string {
    return `${this.#prefix}d:${slot}`
  }

  /** What SCAN matches: buckets of limits whose key begins so. */
  bucketsPattern(prefix: string): string {
    return `${escaped(this.#prefix)}{*}:b:${escaped(prefix)}*`
  }

  /** The key of the limit in the name of a bucket. */
  limitKeyOf(bucket: string): string {
    return bucket.slice(bucket.indexOf('}:b:') + 4)
  }

  #tagged(shard: string): string {
    return `${this.#prefix}{${shard === '' ? '%' : encodeURIComponent(shard.toWellFormed())}}`
  }
}

const escaped = (text: string): string => text.replace(/[\\*?[\]^-]/g, '\\$&')
