/**
 * The buckets of one process, by key. Invariants:
 *
 * 1. A bucket is forgotten only when it is full, which is the state of a bucket that was never there.
 * 2. At most `bucketsMax` buckets are kept; when that many are not full, a new key finds no room.
 * 3. Work per call is bounded: two steps of a sweep that goes round, and a whole sweep at most every
 *    `sweepIntervalUs`.
 */
const stepsPerCall = 2
const sweepIntervalUs = 100_000

export class Buckets {
  readonly #bucketsMax: number
  /** Key to the time at which the bucket is full. */
  readonly #fullAtUs = new Map<string, number>()
  #nextSweepUs = 0

  constructor(bucketsMax: number) {
    this.#bucketsMax = bucketsMax
  }

  get size(): number {
    return this.#fullAtUs.size
  }

  /** When the bucket is full; a bucket that is not kept is. */
  fullAt(key: string): number {
    return this.#fullAtUs.get(key) ?? 0
  }

  /** Whether all these keys have or can get a bucket now. */
  hasRoomFor(keys: Iterable<string>, nowUs: number): boolean {
    let added = 0
    for (const key of keys) if (!this.#fullAtUs.has(key)) added += 1
    if (this.size + added > this.#bucketsMax) this.#sweep(nowUs)
    return this.size + added <= this.#bucketsMax
  }

  set(key: string, fullAtUs: number, nowUs: number): void {
    this.#fullAtUs.set(key, fullAtUs)
    this.#step(nowUs)
  }

  /** Looks at the oldest entries and moves what is not full to the end, so that every entry gets its turn. */
  #step(nowUs: number): void {
    const oldest = this.#fullAtUs.entries().take(stepsPerCall).toArray()
    for (const [key, fullAtUs] of oldest) {
      this.#fullAtUs.delete(key)
      if (fullAtUs > nowUs) this.#fullAtUs.set(key, fullAtUs)
    }
  }

  #sweep(nowUs: number): void {
    if (nowUs < this.#nextSweepUs) return
    this.#nextSweepUs = nowUs + sweepIntervalUs
    for (const [key, fullAtUs] of this.#fullAtUs) if (fullAtUs <= nowUs) this.#fullAtUs.delete(key)
  }
}
