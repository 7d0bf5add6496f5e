const [bytes, shorts, words] = [new Uint8Array(0), new Uint16Array(0), new Int32Array(0)]
const sizeMin = 16

/**
 * The runs of automata that are under way, in arrays of numbers: one thread is one start of one machine. A thread
 * keeps the best match that it has had; see scan.ts for what happens to it. Most texts have none, and take no memory.
 */
export class Threads {
  count = 0
  machine = bytes
  start = words
  state = shorts
  /** End of the longest valid match so far, or -1, and its rule among all rules. */
  end = words
  rule = shorts
  /** The same for rules that are only counted. */
  shadowEnd = words
  shadowRule = shorts
  /** An end that waits for the code unit after its neighbor, or -1; the state it was reached in, and the neighbor. */
  waitEnd = words
  waitState = shorts
  waitNear = bytes

  begin(machine: number, start: number, state: number): void {
    const index = this.count++
    if (index === this.start.length) this.#grow()
    this.machine[index] = machine
    this.start[index] = start
    this.state[index] = state
    this.end[index] = -1
    this.shadowEnd[index] = -1
    this.waitEnd[index] = -1
  }

  /** Moves a thread into a place that has become free. */
  move(from: number, to: number): void {
    if (from === to) return
    this.machine[to] = this.machine[from] as number
    this.start[to] = this.start[from] as number
    this.state[to] = this.state[from] as number
    this.end[to] = this.end[from] as number
    this.rule[to] = this.rule[from] as number
    this.shadowEnd[to] = this.shadowEnd[from] as number
    this.shadowRule[to] = this.shadowRule[from] as number
    this.waitEnd[to] = this.waitEnd[from] as number
    this.waitState[to] = this.waitState[from] as number
    this.waitNear[to] = this.waitNear[from] as number
  }

  #grow(): void {
    const size = Math.max(sizeMin, this.start.length * 2)
    this.machine = grown(new Uint8Array(size), this.machine)
    this.start = grown(new Int32Array(size), this.start)
    this.state = grown(new Uint16Array(size), this.state)
    this.end = grown(new Int32Array(size), this.end)
    this.rule = grown(new Uint16Array(size), this.rule)
    this.shadowEnd = grown(new Int32Array(size), this.shadowEnd)
    this.shadowRule = grown(new Uint16Array(size), this.shadowRule)
    this.waitEnd = grown(new Int32Array(size), this.waitEnd)
    this.waitState = grown(new Uint16Array(size), this.waitState)
    this.waitNear = grown(new Uint8Array(size), this.waitNear)
  }
}

function grown<Numbers extends Uint8Array | Uint16Array | Int32Array>(
  larger: Numbers,
  old: Numbers,
): Numbers {
  larger.set(old)
  return larger
}
