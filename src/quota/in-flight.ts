/**
 * Slots held by exchanges in flight. Invariants:
 *
 * 1. For every key, the count is the number of live leases that name it; a key with none takes no memory.
 * 2. A lease ends once; ending it again changes nothing.
 * 3. At most `leasesMax` leases live at a time.
 */
export class InFlight {
  readonly #leasesMax: number
  readonly #leases = new Map<string, readonly string[]>()
  readonly #counts = new Map<string, number>()

  constructor(leasesMax: number) {
    this.#leasesMax = leasesMax
  }

  /** Live leases. */
  get leases(): number {
    return this.#leases.size
  }

  /** No room for another lease, whatever its keys. */
  get full(): boolean {
    return this.#leases.size >= this.#leasesMax
  }

  /** Live leases that name the key. */
  count(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  /** Begins a lease on one slot of each key. The caller has checked the limits; the id must not be in use. */
  begin(id: string, keys: readonly string[]): void {
    if (this.full) throw new RangeError('no lease is free')
    if (this.#leases.has(id)) throw new Error('a lease of this id is in use')
    const distinct = [...new Set(keys)]
    this.#leases.set(id, distinct)
    for (const key of distinct) this.#counts.set(key, this.count(key) + 1)
  }

  /** Ends a lease; nothing happens when it has ended. */
  end(id: string): void {
    const keys = this.#leases.get(id) ?? []
    this.#leases.delete(id)
    for (const key of keys) {
      const left = this.count(key) - 1
      if (left > 0) this.#counts.set(key, left)
      else this.#counts.delete(key)
    }
  }
}
