/** What a heap holds: something with a counter that only rises while it is in there, and where it stands in the heap. */
export interface Counted {
  readonly counter: number
  /** Of two equal counters the smaller order is less. */
  readonly order: number
  /** The counter when it was last compared; written by the heap alone. */
  key: number
  /** Index in the heap, -1 outside; written by the heap alone. */
  at: number
}

/**
 * Finds the least of many counters that rise all the time. A rise costs nothing: a key is compared as it was, and
 * brought up to date when it comes to the top.
 *
 * 1. A key is never above its counter, so nothing below the top can be less than the top once its key is up to date.
 * 2. `at` of each member is its index; -1 of everything else.
 */
export class CounterHeap<T extends Counted> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  add(member: T): void {
    member.key = member.counter
    this.#members.push(member)
    this.#rise(member, this.#members.length - 1)
  }

  remove(member: T): void {
    const { at } = member
    const last = this.#members.pop()
    if (last !== undefined && last !== member) {
      this.#rise(last, at)
      this.#sink(last, last.at)
    }
    member.at = -1
  }

  least(): T | undefined {
    for (;;) {
      const top = this.#members[0]
      if (top === undefined || top.key === top.counter) return top
      top.key = top.counter
      this.#sink(top, 0)
    }
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#members[Symbol.iterator]()
  }

  #rise(member: T, from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >>> 1
      const above = this.#members[parent] as T
      if (!isLess(member, above)) break
      this.#put(above, at)
      at = parent
    }
    this.#put(member, at)
  }

  #sink(member: T, from: number): void {
    let at = from
    for (;;) {
      const child = this.#lesserChild(at)
      if (child === undefined || !isLess(child, member)) break
      const next = child.at
      this.#put(child, at)
      at = next
    }
    this.#put(member, at)
  }

  #lesserChild(at: number): T | undefined {
    const left = this.#members[2 * at + 1]
    const right = this.#members[2 * at + 2]
    return left !== undefined && right !== undefined && isLess(right, left) ? right : left
  }

  #put(member: T, at: number): void {
    this.#members[at] = member
    member.at = at
  }
}

const isLess = (a: Counted, b: Counted): boolean => a.key < b.key || (a.key === b.key && a.order < b.order)
