/**
 * Who holds a slot of which limit. Invariants:
 *
 * 1. For every key, the count is the number of holders that are in it; a key with none takes no memory.
 * 2. A holder leaves a key once; leaving again changes nothing, also after the key was cleared.
 */
export class Leases {
  readonly #holders = new Map<string, Set<string>>()

  /** Keys with holders. */
  get size(): number {
    return this.#holders.size
  }

  count(key: string): number {
    return this.#holders.get(key)?.size ?? 0
  }

  enter(key: string, holder: string): void {
    const holders = this.#holders.get(key)
    if (holders === undefined) this.#holders.set(key, new Set([holder]))
    else holders.add(holder)
  }

  leave(key: string, holder: string): void {
    const holders = this.#holders.get(key)
    if (holders?.delete(holder) === true && holders.size === 0) this.#holders.delete(key)
  }

  clear(key: string): void {
    this.#holders.delete(key)
  }

  keys(): Iterable<string> {
    return this.#holders.keys()
  }
}
