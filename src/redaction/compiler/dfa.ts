import type { Nfa } from './nfa.ts'

/** More states than this mean that a rule set needs to be written differently. */
export const statesMax = 16384

/** Subset construction with one numbering for all start sets; state 0 is dead. */
export class Dfa {
  readonly #nfa: Nfa
  readonly #size: number
  readonly #known = new Map<string, number>([['', 0]])
  readonly #targets = new Map<string, number>()
  readonly #members: (readonly number[])[] = [[]]
  readonly #rows: Uint16Array[]

  constructor(nfa: Nfa, alphabetSize: number) {
    this.#nfa = nfa
    this.#size = alphabetSize
    this.#rows = [new Uint16Array(alphabetSize)]
  }

  /** The state of a set of first states, with everything that can follow it. */
  start(first: readonly number[]): number {
    const built = this.#members.length
    const state = this.#state(this.#nfa.closure(first))
    for (let next = built; next < this.#members.length; next++) this.#expand(next)
    return state
  }

  #state(members: readonly number[]): number {
    const key = members.join()
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#members.length >= statesMax) throw new Error(`the rules need more than ${statesMax} states`)
    this.#known.set(key, this.#members.length)
    this.#rows.push(new Uint16Array(this.#size))
    return this.#members.push(members) - 1
  }

  #expand(state: number): void {
    const targets = new Map<number, number[]>()
    for (const member of this.#members[state] as readonly number[]) {
      const [next] = this.#nfa.next[member] as readonly number[]
      if (next === undefined) continue
      for (const symbol of this.#nfa.reads[member] as readonly number[]) {
        const known = targets.get(symbol)
        if (known === undefined) targets.set(symbol, [next])
        else known.push(next)
      }
    }
    const row = this.#rows[state] as Uint16Array
    for (const [symbol, states] of targets) row[symbol] = this.#target(states)
  }

  /** Classes mostly lead to one state or to the same few, so targets are remembered before they are closed. */
  #target(states: readonly number[]): number {
    const key = states.join()
    let target = this.#targets.get(key)
    if (target === undefined) {
      target = this.#state(this.#nfa.closure(states))
      this.#targets.set(key, target)
    }
    return target
  }

  get states(): number {
    return this.#members.length
  }

  /** The rules that a state accepts, by priority. */
  accepted(state: number): readonly number[] {
    const rules = (this.#members[state] as readonly number[]).map(
      (member) => this.#nfa.accepts[member] as number,
    )
    return [...new Set(rules.filter((rule) => rule >= 0))].sort((a, b) => a - b)
  }

  /** The members of a state, as numbers of the automaton it was made from. */
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
