import type { Nfa } from './nfa.ts'

/** More states than this mean that a rule set needs to be written differently. */
export const statesMax = 16384

/** Subset construction with one numbering for all start sets; state 0 is dead. */
export class Dfa {
  readonly #nfa: Nfa
  readonly #size: number
  /** States by their members, and by the states before what follows from them is added: many lead to the same. */
  readonly #known = new Map<string, number>([['', 0]])
  readonly #reached = new Map<string, number>()
  readonly #members: (readonly number[])[] = [[]]
  readonly #rows: Uint16Array[]
  /** By class, a number that differs where the targets of two classes do; filled for one state at a time. */
  readonly #marks: Float64Array

  constructor(nfa: Nfa, alphabetSize: number) {
    this.#nfa = nfa
    this.#size = alphabetSize
    this.#rows = [new Uint16Array(alphabetSize)]
    this.#marks = new Float64Array(alphabetSize)
  }

  /** The state of a set of first states, with everything that can follow it. */
  start(first: readonly number[]): number {
    const built = this.#members.length
    const state = this.#state(first)
    for (let next = built; next < this.#members.length; next++) this.#expand(next)
    return state
  }

  #state(states: readonly number[]): number {
    const key = this.#keyOf(states)
    let state = this.#reached.get(key)
    if (state === undefined) {
      state = this.#stateOf(this.#closure(states))
      this.#reached.set(key, state)
    }
    return state
  }

  #stateOf(members: readonly number[]): number {
    const key = this.#keyOf(members)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#members.length >= statesMax) throw new Error(`the rules need more than ${statesMax} states`)
    this.#known.set(key, this.#members.length)
    this.#rows.push(new Uint16Array(this.#size))
    return this.#members.push(members) - 1
  }

  /** One character for each number is faster than digits, as long as the numbers fit. */
  #keyOf(numbers: readonly number[]): string {
    return this.#nfa.reads.length > 0xffff ? numbers.join() : String.fromCharCode(...numbers)
  }

  #closure(states: readonly number[]): readonly number[] {
    if (states.length === 1) return this.#nfa.closureOf(states[0] as number)
    const members = new Set<number>()
    for (const state of states) for (const member of this.#nfa.closureOf(state)) members.add(member)
    return [...members].sort((a, b) => a - b)
  }

  /** Most classes lead to the same few places, so each place is worked out for the first class that leads there. */
  #expand(state: number): void {
    const row = this.#rows[state] as Uint16Array
    this.#mark(state)
    const targets = new Map<number, number>()
    for (let symbol = 0; symbol < this.#size; symbol++) {
      const mark = this.#marks[symbol] as number
      if (mark === 0) continue
      let target = targets.get(mark)
      if (target === undefined) {
        target = this.#state(this.#targetsOf(state, symbol))
        targets.set(mark, target)
      }
      row[symbol] = target
    }
  }

  /** Sums of powers of two over the places of members: exact up to 52 members, which `#groups` sees to. */
  #mark(state: number): void {
    const { reads } = this.#nfa
    this.#marks.fill(0)
    let groups = 1
    for (const member of this.#members[state] as readonly number[]) {
      const read = reads[member] as readonly number[]
      if (read.length === 0) continue
      if (groups > Number.MAX_SAFE_INTEGER / 2) groups = this.#renumber()
      for (const symbol of read) this.#marks[symbol] = (this.#marks[symbol] as number) + groups
      groups *= 2
    }
  }

  /** Numbers the marks anew, from 1, and returns a power of two above them all. */
  #renumber(): number {
    const numbers = new Map<number, number>([[0, 0]])
    for (const [symbol, mark] of this.#marks.entries()) {
      const number = numbers.get(mark) ?? numbers.size
      numbers.set(mark, number)
      this.#marks[symbol] = number
    }
    return 2 ** Math.ceil(Math.log2(numbers.size + 1))
  }

  #targetsOf(state: number, symbol: number): number[] {
    const { readsClass, next } = this.#nfa
    const targets: number[] = []
    for (const member of this.#members[state] as readonly number[])
      if (readsClass(member, symbol)) targets.push(next[member]?.[0] as number)
    return targets
  }

  get states(): number {
    return this.#members.length
  }

  /** The members of a state, as numbers of the automaton it was made from, in ascending order. */
  members(state: number): readonly number[] {
    return this.#members[state] as readonly number[]
  }

  /** Transitions as one table, `1 << shift` entries for a state. */
  table(shift: number): Uint16Array {
    const table = new Uint16Array(this.#rows.length << shift)
    for (const [state, row] of this.#rows.entries()) table.set(row, state << shift)
    return table
  }
}
