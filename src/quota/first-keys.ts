/** The first `countMax` of any number of keys, in order and without repetition: a page of many needs no sorting of all. */
export class FirstKeys {
  readonly #countMax: number
  readonly #keys: string[] = []

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get keys(): readonly string[] {
    return this.#keys
  }

  add(key: string): void {
    const full = this.#keys.length === this.#countMax
    if (full && key >= (this.#keys.at(-1) ?? '')) return
    const at = this.#placeOf(key)
    if (this.#keys[at] === key) return
    this.#keys.splice(at, 0, key)
    if (full) this.#keys.pop()
  }

  #placeOf(key: string): number {
    let [low, high] = [0, this.#keys.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] as string) < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
