import type { PatternNode } from '../pattern.ts'
import type { Alphabet } from './alphabet.ts'
import type { CharSet } from './char-set.ts'

/** States of all rules in one numbering. A state reads one of `classes` and goes on, or accepts `rule`. */
export class Nfa {
  readonly #alphabet: Alphabet
  readonly #classes = new Map<CharSet, readonly number[]>()
  /** Classes that a state reads; empty for a fork or an accepting state. */
  readonly reads: (readonly number[])[] = []
  readonly next: (readonly number[])[] = []
  /** The rule that a state accepts, or -1. */
  readonly accepts: number[] = []
  /** The rule that a state was made for. */
  readonly owners: number[] = []
  #owner = 0

  constructor(alphabet: Alphabet) {
    this.#alphabet = alphabet
  }

  #add(reads: readonly number[], next: readonly number[], accepts: number): number {
    this.reads.push(reads)
    this.next.push(next)
    this.owners.push(this.#owner)
    return this.accepts.push(accepts) - 1
  }

  #classesOf(set: CharSet): readonly number[] {
    const known = this.#classes.get(set)
    if (known !== undefined) return known
    const classes = this.#alphabet.classesOf(set)
    this.#classes.set(set, classes)
    return classes
  }

  /** Adds the states of a rule and returns its first. */
  addRule(rule: number, parts: readonly PatternNode[]): number {
    this.#owner = rule
    return this.#build({ kind: 'sequence', parts }, this.#add([], [], rule))
  }

  #build(node: PatternNode, next: number): number {
    if (node.kind === 'sequence')
      return node.parts.reduceRight((after, part) => this.#build(part, after), next)
    if (node.kind === 'choice') {
      const options = node.options.map((option) => this.#build(option, next))
      return this.#add([], options, -1)
    }
    return this.#repeat(node.set, node.min, node.max, next)
  }

  #repeat(set: CharSet, min: number, max: number, next: number): number {
    const classes = this.#classesOf(set)
    let entry = next
    if (max === Number.POSITIVE_INFINITY) {
      const loop: number[] = []
      const fork = this.#add([], loop, -1)
      loop.push(this.#add(classes, [fork], -1), next)
      entry = fork
    }
    for (let count = max === Number.POSITIVE_INFINITY ? min : max; count > 0; count--) {
      const step = this.#add(classes, [entry], -1)
      entry = count > min ? this.#add([], [step, next], -1) : step
    }
    return entry
  }

  /** The states that read or accept and can be reached from `states` without reading, in ascending order. */
  closure(states: readonly number[]): number[] {
    const seen = new Set(states)
    // A set is walked in the order of insertion, what is added on the way included.
    for (const state of seen) {
      if (this.#isFork(state)) for (const next of this.next[state] as readonly number[]) seen.add(next)
    }
    return [...seen].filter((state) => !this.#isFork(state)).sort((a, b) => a - b)
  }

  #isFork(state: number): boolean {
    return this.accepts[state] === -1 && this.reads[state]?.length === 0
  }
}
