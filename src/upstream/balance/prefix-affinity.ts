/**
 * Which servers have read which beginnings of prompts, as far as we sent them there: what an approximate prefix scorer
 * keeps. Each block of each prompt is remembered with the server that got it, so a system prompt that all share leads
 * nowhere by itself; what counts is how much further one server's match goes.
 *
 * 1. No more than `prefixesMax` blocks are remembered, each server's the longest unused first forgotten.
 * 2. Of a prompt, a server's blocks are held from the first on: `matched` is the number of them.
 * 3. When a server joins or leaves, the favorite of a prefix changes only to or from that server.
 */
export interface PrefixAffinityOptions {
  /** Blocks that are remembered, of all servers together; 131 072 by default, about 8 MiB. */
  readonly prefixesMax?: number | undefined
}

export class PrefixAffinity {
  readonly #prefixesMax: number
  /** Blocks by server with how often it was sent them, the longest unused first. */
  readonly #blocksByOrigin = new Map<string, Map<number, number>>()
  readonly #seedByOrigin = new Map<string, number>()

  constructor({ prefixesMax = 131_072 }: PrefixAffinityOptions = {}) {
    this.#prefixesMax = prefixesMax
  }

  get size(): number {
    let size = 0
    for (const blocks of this.#blocksByOrigin.values()) size += blocks.size
    return size
  }

  joined(origin: string): void {
    this.#blocksByOrigin.set(origin, new Map())
    this.#seedByOrigin.set(origin, seedOf(origin))
    for (const blocks of this.#blocksByOrigin.values()) this.#forget(blocks)
  }

  left(origin: string): void {
    this.#blocksByOrigin.delete(origin)
    this.#seedByOrigin.delete(origin)
  }

  /** Blocks of this prompt that the server has read. */
  matched(origin: string, prefix: readonly number[]): number {
    const blocks = this.#blocksByOrigin.get(origin)
    if (blocks === undefined) return 0
    let matched = 0
    for (const block of prefix) {
      if (!blocks.has(block)) break
      matched++
    }
    return matched
  }

  /** How many prompts with this block the server was sent. */
  timesSent(origin: string, block: number): number {
    return this.#blocksByOrigin.get(origin)?.get(block) ?? 0
  }

  /** The server was sent this prompt. */
  sent(origin: string, prefix: readonly number[]): void {
    const blocks = this.#blocksByOrigin.get(origin)
    if (blocks === undefined) return
    // The first block last: what is forgotten first is the end of a prompt, as in the servers' caches.
    for (let i = prefix.length - 1; i >= 0; i--) {
      const block = prefix[i] as number
      const times = blocks.get(block) ?? 0
      blocks.delete(block)
      blocks.set(block, times + 1)
    }
    this.#forget(blocks)
  }

  /** How much this server is the place for a block that nobody has read: the largest of all is (rendezvous hashing). */
  weight(origin: string, block: number): number {
    const seed = this.#seedByOrigin.get(origin) ?? seedOf(origin)
    return mixed(mixed(seed ^ (block >>> 0)) ^ (block / 2 ** 32))
  }

  #forget(blocks: Map<number, number>): void {
    const max = Math.floor(this.#prefixesMax / this.#blocksByOrigin.size)
    for (const block of blocks.keys()) {
      if (blocks.size <= max) return
      blocks.delete(block)
    }
  }
}

/** FNV-1a. The blocks are secret, the servers need not be. */
function seedOf(origin: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < origin.length; i++) hash = Math.imul(hash ^ origin.charCodeAt(i), 0x01000193)
  return hash
}

/** The finalizer of MurmurHash3. */
function mixed(word: number): number {
  let hash = word | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
