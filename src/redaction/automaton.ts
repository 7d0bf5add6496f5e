import type { Action } from './finding.ts'
import { invisibleUnitsMax } from './invisible.ts'
import type { Tail, Validator } from './recognizer.ts'

/** What a state means for the scanner, as bits. */
export const stateFlag = { accepts: 1, sure: 2 } as const
/** What a class means at the right edge of a rule, as bits. */
export const edgeFlag = { forbidden: 1, near: 2, far: 4 } as const
/** What a class means in the tail of a rule. */
export const tailFlag = { ends: 0, member: 1, joiner: 2 } as const

export interface CompiledRule {
  readonly entity: string
  readonly lengthMax: number
  readonly validate: Validator | undefined
  readonly tail: Tail | undefined
  readonly closes: boolean
}

/** The states in which threads of one group begin, by the two classes to the left. */
export interface Launch {
  /** State by `far * classCount + near`. */
  readonly starts: Uint16Array
  /** Set when the group is one rule with a head: threads in its head state are at most one. */
  readonly head: { readonly lengthMax: number; readonly first: Uint8Array } | undefined
}

/** All recognizers, compiled: immutable and shared by every rule set and window. */
export interface Automaton {
  readonly rules: readonly CompiledRule[]
  /** Symbol to class; see compiler/char-set.ts. */
  readonly classes: Uint8Array
  readonly classCount: number
  /** The class that stands before the first and after the last code unit. */
  readonly edge: number
  /** Next state by `state << shift | class`; state 0 is dead. */
  readonly table: Uint16Array
  readonly shift: number
  /** `stateFlag` bits by state. */
  readonly flags: Uint8Array
  /** The rules that can still match in a state. */
  readonly owners: readonly (readonly number[])[]
  /** The bit of the launch whose head a state is, or 0. */
  readonly heads: Uint32Array
  /** Bits of the launches that may begin, by `class to the left << shift | class`. */
  readonly gates: Uint32Array
  /** Rules that end in a state and depend on the right edge, by priority. */
  readonly accepts: readonly (readonly number[])[]
  /** Rules that are certain in a state, by priority. */
  readonly sures: readonly (readonly number[])[]
  /** `edgeFlag` bits by `rule * classCount + class`. */
  readonly edges: Uint8Array
  /** `tailFlag` by `rule * classCount + class`. */
  readonly tails: Uint8Array
  readonly launches: readonly Launch[]
}

/** The index of the launch that a bit of `heads` stands for. */
export const headIndex = (bit: number): number => 31 - Math.clz32(bit)

/** Code units after a match that may be needed to decide its right edge. */
export const edgeUnits = 2

/** An automaton with what one profile does about each rule. */
export interface Program {
  readonly automaton: Automaton
  /** Action by rule. */
  readonly actions: readonly Action[]
  /** How long a thread may be in a state: the longest match that can come out of it and is not allowed. */
  readonly lengths: Uint16Array
  /** Upper bound of what a scanner holds back. */
  readonly heldUnitsMax: number
}

/** Applies a profile to an automaton. Threads that only allowed rules wait for die at once, so they hold nothing. */
export function applyActions(automaton: Automaton, actionOf: (entity: string) => Action): Program {
  const { rules, owners, heads, launches } = automaton
  const actions = rules.map(({ entity }) => actionOf(entity))
  const lengthOf = (rule: number) => (actions[rule] === 'allow' ? 0 : (rules[rule]?.lengthMax ?? 0))
  const lengths = new Uint16Array(owners.length)
  for (const [state, rulesLeft] of owners.entries()) {
    const longest = Math.max(0, ...rulesLeft.map(lengthOf))
    const head = heads[state] === 0 ? undefined : launches[headIndex(heads[state] as number)]?.head
    lengths[state] = head === undefined ? longest : Math.min(longest, head.lengthMax)
  }
  return {
    automaton,
    actions,
    lengths,
    heldUnitsMax: Math.max(...rules.map((_, rule) => lengthOf(rule))) + edgeUnits + invisibleUnitsMax,
  }
}
