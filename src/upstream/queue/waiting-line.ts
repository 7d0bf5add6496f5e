/** A place in a line. Only the line that gave it changes it. */
export interface Place<V> {
  readonly value: V
  line: WaitingLine<V> | undefined
  before: Place<V> | undefined
  after: Place<V> | undefined
}

/**
 * First come, first served; whoever leaves from the middle costs as little as one at the end.
 *
 * 1. A place is in one line from `push` until `shift`, `pop` or `remove` takes it out, and is taken out once.
 * 2. `shift` gives places in the order of `push`, without those that were taken out.
 */
export class WaitingLine<V> {
  #first: Place<V> | undefined
  #last: Place<V> | undefined
  #length = 0

  get length(): number {
    return this.#length
  }

  push(value: V): Place<V> {
    const place: Place<V> = { value, line: this, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = place
    else this.#last.after = place
    this.#last = place
    this.#length += 1
    return place
  }

  shift(): Place<V> | undefined {
    const place = this.#first
    if (place !== undefined) this.remove(place)
    return place
  }

  pop(): Place<V> | undefined {
    const place = this.#last
    if (place !== undefined) this.remove(place)
    return place
  }

  /** `false` when the place is not in this line any more. */
  remove(place: Place<V>): boolean {
    if (place.line !== this) return false
    const { before, after } = place
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    place.line = undefined
    place.before = undefined
    place.after = undefined
    this.#length -= 1
    return true
  }
}
