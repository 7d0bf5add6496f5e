import { edgeFlag, type Head, type Launch } from '../automaton.ts'
import type { Guard } from '../recognizer.ts'
import type { Alphabet } from './alphabet.ts'
import type { Dfa } from './dfa.ts'
import type { ParsedEdge, ParsedRule } from './parsed-rule.ts'

/** Rules that begin under the same condition, so that one thread serves them all. */
interface Group {
  readonly guard: Guard | undefined
  readonly head: Head | undefined
  readonly rules: readonly number[]
}

/** Rules that have the same to say about what stands before them. */
interface LeftEdge {
  readonly bits: Uint8Array
  readonly rules: number[]
}

/** One group for all plain rules, one for each guard, and one for each rule with a head. */
export function groupRules(rules: readonly Pick<ParsedRule, 'rule' | 'head'>[]): Group[] {
  const byGuard = new Map<Guard | undefined, number[]>()
  const heads: Group[] = []
  for (const [index, { rule, head }] of rules.entries()) {
    if (head !== undefined) heads.push({ guard: rule.guard, head, rules: [index] })
    else if (byGuard.has(rule.guard)) byGuard.get(rule.guard)?.push(index)
    else byGuard.set(rule.guard, [index])
  }
  return [...[...byGuard].map(([guard, rules]) => ({ guard, head: undefined, rules })), ...heads]
}

/** What a left edge says about each class, and about the edge of the channel. */
export function edgeBitsOf(edge: ParsedEdge, alphabet: Alphabet): Uint8Array {
  const bits = new Uint8Array(alphabet.size)
  const mark = (set: ParsedEdge['not'], flag: number): void => {
    for (const symbol of set === undefined ? [] : alphabet.classesOf(set))
      bits[symbol] = (bits[symbol] ?? 0) | flag
  }
  mark(edge.not, edgeFlag.forbidden)
  mark(edge.near, edgeFlag.near)
  mark(edge.far, edgeFlag.far)
  if (edge.needsNeighbor) bits[alphabet.edge] = (bits[alphabet.edge] ?? 0) | edgeFlag.forbidden
  return bits
}

function mayFollow(bits: Uint8Array, far: number, near: number): boolean {
  const nearBits = bits[near] as number
  if ((nearBits & edgeFlag.forbidden) !== 0) return false
  return (nearBits & edgeFlag.near) === 0 || ((bits[far] as number) & edgeFlag.far) === 0
}

/** A start state for every pair of classes to the left; rules with the same left edge go together. */
export class LaunchBuilder {
  readonly #rules: readonly ParsedRule[]
  readonly #alphabet: Alphabet
  readonly #dfa: Dfa
  readonly #firsts: readonly number[]
  readonly #known = new Map<string, number>()

  constructor(rules: readonly ParsedRule[], alphabet: Alphabet, dfa: Dfa, firsts: readonly number[]) {
    this.#rules = rules
    this.#alphabet = alphabet
    this.#dfa = dfa
    this.#firsts = firsts
  }

  build({ guard, head, rules }: Group): Launch {
    const { size } = this.#alphabet
    const starts = new Uint16Array(size * size)
    if (head !== undefined) {
      starts.fill(this.#dfa.start(rules.map((rule) => this.#firsts[rule] as number)))
      return { starts, looksFurther: false, guard, head }
    }
    const edges = this.#byLeftEdge(rules)
    let everLooksFurther = false
    for (let near = 0; near < size; near++) {
      const looksFurther = edges.some(({ bits }) => ((bits[near] as number) & edgeFlag.near) !== 0)
      everLooksFurther ||= looksFurther
      let state = 0
      for (let far = 0; far < size; far++) {
        if (far === 0 || looksFurther) state = this.#startAfter(edges, far, near)
        starts[far * size + near] = state
      }
    }
    return { starts, looksFurther: everLooksFurther, guard, head }
  }

  #startAfter(edges: readonly LeftEdge[], far: number, near: number): number {
    return this.#start(edges.flatMap(({ bits, rules }) => (mayFollow(bits, far, near) ? rules : [])))
  }

  #start(rules: readonly number[]): number {
    const key = rules.join()
    let state = this.#known.get(key)
    if (state === undefined) {
      state = rules.length === 0 ? 0 : this.#dfa.start(rules.map((rule) => this.#firsts[rule] as number))
      this.#known.set(key, state)
    }
    return state
  }

  #byLeftEdge(rules: readonly number[]): LeftEdge[] {
    const edges = new Map<string, LeftEdge>()
    for (const rule of rules) {
      const bits = edgeBitsOf((this.#rules[rule] as ParsedRule).left, this.#alphabet)
      const known = edges.get(bits.join(''))
      if (known === undefined) edges.set(bits.join(''), { bits, rules: [rule] })
      else known.rules.push(rule)
    }
    return [...edges.values()]
  }
}
