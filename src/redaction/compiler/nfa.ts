import type { PatternNode } from '../pattern.ts'
import type { Alphabet } from './alphabet.ts'
import type { CharSet } from './char-set.ts'

interface ReadSet {
  readonly classes: readonly number[]
  /** By class. */
  readonly flags: Uint8Array
}

/** States of all rules in one numbering. A state reads one of `classes` and goes on, or accepts `rule`. */
export class Nfa {
  readonly #alphabet: Alphabet
  readonly #classes = new Map<CharSet, ReadSet>()
  /** Classes that a state reads; empty for a fork or an accepting state. */
  readonly reads: (readonly number[])[] = []
  readonly #flags: (Uint8Array | undefined)[] = []
  readonly next: (readonly number[])[] = []
  /** The rule that a state accepts, or -1. */
  readonly accepts: number[] = []
  /** The rule that a state was made for. */
  readonly owners: number[] = []
  readonly #closures: (readonly number[] | undefined)[] = []
  #owner = 0

  constructor(alphabet: Alphabet) {
    this.#alphabet = alphabet
  }

  #add(reads: ReadSet | undefined, next: readonly number[], accepts: number): number {
    this.reads.push(reads?.classes ?? [])
    this.#flags.push(reads?.flags)
    this.next.push(next)
    this.owners.push(this.#owner)
    return this.accepts.push(accepts) - 1
  }

  #readSet(set: CharSet): ReadSet {
    const known = this.#classes.get(set)
    if (known !== undefined) return known
    const classes = this.#alphabet.classesOf(set)
    const flags = new Uint8Array(this.#alphabet.size)
    for (const symbol of classes) flags[symbol] = 1
    this.#classes.set(set, { classes, flags })
    return { classes, flags }
  }

  /** Whether a state reads a class. */
  readonly readsClass = (state: number, symbol: number): boolean => this.#flags[state]?.[symbol] === 1

  /** Adds the states of a rule and returns its first. */
  addRule(rule: number, pattern: PatternNode): number {
    this.#owner = rule
    return this.#build(pattern, this.#add(undefined, [], rule))
  }

  #build(node: PatternNode, next: number): number {
    if (node.kind === 'sequence')
      return node.parts.reduceRight((after, part) => this.#build(part, after), next)
    if (node.kind === 'choice') {
      const options = node.options.map((option) => this.#build(option, next))
      return this.#add(undefined, options, -1)
    }
    return this.#repeat(node.set, node.min, node.max, next)
  }

  #repeat(set: CharSet, min: number, max: number, next: number): number {
    const classes = this.#readSet(set)
    let entry = next
    if (max === Number.POSITIVE_INFINITY) {
      const loop: number[] = []
      const fork = this.#add(undefined, loop, -1)
      loop.push(this.#add(classes, [fork], -1), next)
      entry = fork
    }
    for (let count = max === Number.POSITIVE_INFINITY ? min : max; count > 0; count--) {
      const step = this.#add(classes, [entry], -1)
      entry = count > min ? this.#add(undefined, [step, next], -1) : step
    }
    return entry
  }

  /** The states that read or accept and can be reached from one state without reading, in ascending order. */
  closureOf(state: number): readonly number[] {
    const known = this.#closures[state]
    if (known !== undefined) return known
    const seen = new Set([state])
    // A set is walked in the order of insertion, what is added on the way included.
    for (const member of seen)
      if (this.#isFork(member)) for (const next of this.next[member] as readonly number[]) seen.add(next)
    const closure = [...seen].filter((member) => !this.#isFork(member)).sort((a, b) => a - b)
    this.#closures[state] = closure
    return closure
  }

  #isFork(state: number): boolean {
    return this.accepts[state] === -1 && this.reads[state]?.length === 0
  }
}
