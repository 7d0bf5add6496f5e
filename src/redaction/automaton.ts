import { buildGates, machineClasses } from './compiler/gates.ts'
import type { ContextWords } from './context.ts'
import type { Action, Direction } from './finding.ts'
import type { Family, Guard, Recognizer, Tail, Validator } from './recognizer.ts'
import { contextBoost } from './recognizer.ts'

/** What a state means for the scanner, as bits. */
export const stateFlag = { accepts: 1, sure: 2 } as const
export const neverRipe = 0xffff
/** Stands for the code unit before the first and after the last one. */
export const EDGE = -1
/** What a class means at the right edge of a rule, as bits. */
export const edgeFlag = { forbidden: 1, near: 2, far: 4 } as const
/** What a class means in the tail of a rule. */
export const tailFlag = { ends: 0, member: 1, joiner: 2 } as const

export interface CompiledRule {
  readonly recognizer: Recognizer
  readonly entity: string
  readonly lengthMin: number
  readonly lengthMax: number
  /** Decides what the states do not count: whether the match is one of the pattern as it was written. */
  readonly exact: RegExp | undefined
  readonly validate: Validator | undefined
  readonly tail: Tail | undefined
  readonly closes: boolean
  readonly direction: Direction | undefined
  readonly score: number
  readonly context: readonly string[] | undefined
}

/** A run before a pattern, which needs no thread: see `Rule.head`. */
export interface Head {
  readonly lengthMax: number
  /** By symbol. */
  readonly first: Uint8Array
  readonly rest: Uint8Array
}

/** The states in which threads of one group begin, by the two classes to the left. */
export interface Launch {
  /** State by `far * classCount + near`. */
  readonly starts: Uint16Array
  /** Whether it matters what stands beyond the neighbor; where it does not, `near` alone is an index. */
  readonly looksFurther: boolean
  /** Asked once for a start. */
  readonly guard: Guard | undefined
  /** The group is one rule, whose pattern begins where this run ends. */
  readonly head: Head | undefined
}

/** The recognizers of one family, compiled: immutable and shared by everything that scans. */
export interface Machine {
  readonly family: Family
  readonly recognizers: readonly Recognizer[]
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
  /** By state, the length from which a rule can end in it; `neverRipe` where none ends. */
  readonly ripe: Uint16Array
  /** The rules that can still match in a state. */
  readonly owners: readonly (readonly number[])[]
  /** Rules that end in a state and depend on the right edge, by priority. */
  readonly accepts: readonly (readonly number[])[]
  /** Rules that are certain in a state, by priority. */
  readonly sures: readonly (readonly number[])[]
  /** `edgeFlag` bits by `rule * classCount + class`. */
  readonly edges: Uint8Array
  /** `tailFlag` by `rule * classCount + class`. */
  readonly tails: Uint8Array
  readonly launches: readonly Launch[]
  readonly bytes: number
  readonly buildMs: number
}

export interface PlacedLaunch extends Launch {
  readonly machine: number
  /** Of the gates. */
  readonly bit: number
}

/** Several machines and what they have in common. */
export interface Automaton {
  readonly machines: readonly Machine[]
  /** The number of the first rule of each machine among all. */
  readonly bases: readonly number[]
  readonly rules: readonly CompiledRule[]
  /** By rule: where two match the same text, the lower one gives the label. */
  readonly priorities: Uint16Array
  /** The machine of each rule. */
  readonly machineOf: Uint8Array
  /** By bit of the gates. */
  readonly launches: readonly (readonly PlacedLaunch[])[]
  /** Symbol to gate class; `gateEdge` stands before the first code unit. */
  readonly gateClasses: Uint8Array
  readonly gateEdge: number
  readonly gateShift: number
  /** Lists of context words by rule. */
  readonly contexts: ContextWords
}

/** Code units after a match that may be needed to decide its right edge. */
export const edgeUnits = 2

/** What a score asks for before a match counts. */
export const scoring = { enough: 0, context: 1 } as const

/** What of a machine can lead to a match that a profile does not allow, by state. */
export interface Reach {
  /** How long a thread may be: the longest such match; 0 where none can come. */
  readonly lengths: Uint16Array
  /** The length from which a rule can end in a state; 0 where a thread is not to go on, `neverRipe` where none ends. */
  readonly ripe: Uint16Array
}

/** Which launches may lead somewhere, as bits. */
export interface Gates {
  /** By `class to the left << gateShift | class`. */
  readonly first: Uint32Array
  /** The same by the first two code units of what begins, and by its second and third. */
  readonly second: Uint32Array
  readonly third: Uint32Array
  /** Behind a small letter and a single blank, by the end of the word before it; see word-ends.ts. */
  readonly words: Uint32Array
  /** By class: whether it is that of a blank or a line break, which part words. */
  readonly isBlank: Uint8Array
}

/** A launch with all that is needed to begin a thread. */
export interface ReadyLaunch {
  readonly machine: number
  readonly guard: Guard | undefined
  readonly head: Head | undefined
  readonly looksFurther: boolean
  /** State by gate class to the left; `far << gateShift | near` where the launch looks further; 0 where none begins. */
  readonly starts: Uint16Array
  readonly table: Uint16Array
  readonly shift: number
  readonly classes: Uint8Array
  readonly ripe: Uint16Array
  readonly lengths: Uint16Array
}

/** An automaton with what one profile does about each rule. */
export interface Program {
  readonly automaton: Automaton
  /** Action by rule. A rule that can never reach the profile's score is allowed. */
  readonly actions: readonly Action[]
  /** `scoring` by rule. */
  readonly needs: Uint8Array
  /** Values that are no findings, folded and in lower case. */
  readonly allowed: ReadonlySet<string>
  /** By machine. */
  readonly reach: readonly Reach[]
  readonly gates: Gates
  /** By bit of the gates. */
  readonly launches: readonly (readonly ReadyLaunch[])[]
  /** The heads that hold text back; none of them holds less than another. */
  readonly heads: readonly Head[]
  /** Upper bound of what a scanner holds back, in read code units. */
  readonly heldUnitsMax: number
}

export interface ProgramOptions {
  readonly direction: Direction
  readonly policyOf: (recognizer: Recognizer) => Action
  readonly scoreMin: number
  readonly allowed: ReadonlySet<string>
}

/** Applies a profile to an automaton. Threads that only allowed rules wait for die at once, so they hold nothing. */
export function applyProfile(automaton: Automaton, options: ProgramOptions): Program {
  const { direction, policyOf, scoreMin, allowed } = options
  const { rules } = automaton
  const best = ({ score, context }: CompiledRule): number =>
    score + (context === undefined ? 0 : contextBoost)
  const applies = (rule: CompiledRule): boolean =>
    best(rule) >= scoreMin && (rule.direction === undefined || rule.direction === direction)
  const actions = rules.map((rule) => (applies(rule) ? policyOf(rule.recognizer) : 'allow'))
  const needs = Uint8Array.from(rules, ({ score }) => (score < scoreMin ? scoring.context : scoring.enough))
  const lengthOf = (rule: number) => (actions[rule] === 'allow' ? 0 : (rules[rule]?.lengthMax ?? 0))
  const { reach, gates, launches } = viewOf(automaton, actions)
  const leading = automaton.launches.flat().filter((launch) => leads(launch, reach))
  return {
    automaton,
    actions,
    needs,
    allowed,
    reach,
    gates,
    launches,
    heads: widest(leading.flatMap(({ head }) => (head === undefined ? [] : [head]))),
    heldUnitsMax: longest([...rules.keys()], lengthOf) + edgeUnits,
  }
}

const longest = (rules: readonly number[], lengthOf: (rule: number) => number): number =>
  rules.reduce((most, rule) => Math.max(most, lengthOf(rule)), 0)

type View = Pick<Program, 'reach' | 'gates' | 'launches'>
const views = new WeakMap<Automaton, Map<string, View>>()

/** Profiles that allow the same rules share what is made from that. */
function viewOf(automaton: Automaton, actions: readonly Action[]): View {
  const known = views.get(automaton) ?? new Map<string, View>()
  views.set(automaton, known)
  const key = actions.map((action) => (action === 'allow' ? 0 : 1)).join('')
  const found = known.get(key) ?? view(automaton, (rule) => actions[rule] !== 'allow')
  known.set(key, found)
  return found
}

function view(automaton: Automaton, isWanted: (rule: number) => boolean): View {
  const reach = automaton.machines.map((machine, at) =>
    reachOf(machine, (rule) => isWanted((automaton.bases[at] as number) + rule)),
  )
  const launches = automaton.launches.map((launches) =>
    launches.filter((launch) => leads(launch, reach)).map((launch) => readied(automaton, launch, reach)),
  )
  return { reach, gates: buildGates(automaton, reach), launches }
}

function reachOf({ rules, owners, accepts, sures }: Machine, isWanted: (rule: number) => boolean): Reach {
  const maxima = Uint16Array.from(rules, ({ lengthMax }, rule) => (isWanted(rule) ? lengthMax : 0))
  const lengths = Uint16Array.from(owners, (owned) => longest(owned, (rule) => maxima[rule] as number))
  const ripe = new Uint16Array(lengths.length)
  for (const [state, length] of lengths.entries()) {
    let least = length === 0 ? 0 : neverRipe
    for (const ending of [accepts[state], sures[state]])
      for (const rule of ending as readonly number[])
        if (maxima[rule] !== 0) least = Math.min(least, (rules[rule] as CompiledRule).lengthMin)
    ripe[state] = least
  }
  return { lengths, ripe }
}

const leads = ({ starts, machine }: PlacedLaunch, reach: readonly Reach[]): boolean =>
  starts.some((state) => (reach[machine]?.lengths[state] ?? 0) > 0)

function readied(automaton: Automaton, launch: PlacedLaunch, reach: readonly Reach[]): ReadyLaunch {
  const { machine, guard, head, looksFurther } = launch
  const { table, shift, classes, classCount } = automaton.machines[machine] as Machine
  const { lengths, ripe } = reach[machine] as Reach
  const { gateEdge, gateShift } = automaton
  const own = machineClasses(automaton, automaton.machines[machine] as Machine)
  const starts = new Uint16Array((looksFurther ? gateEdge + 1 : 1) << gateShift)
  for (let far = 0; far <= (looksFurther ? gateEdge : 0); far++)
    for (let near = 0; near <= gateEdge; near++) {
      const state = launch.starts[(own[far] as number) * classCount + (own[near] as number)] as number
      starts[(far << gateShift) | near] = lengths[state] === 0 ? 0 : state
    }
  return { machine, guard, head, looksFurther, starts, table, shift, classes, ripe, lengths }
}

const isWithin = (inner: Uint8Array, outer: Uint8Array): boolean =>
  inner.every((member, symbol) => member === 0 || outer[symbol] === 1)

const covers = (wide: Head, narrow: Head): boolean =>
  wide.lengthMax >= narrow.lengthMax && isWithin(narrow.first, wide.first) && isWithin(narrow.rest, wide.rest)

/** Leaves out each head of which another holds at least as much. */
const widest = (heads: readonly Head[]): Head[] =>
  heads.filter(
    (head, index) =>
      !heads.some((other, at) => at !== index && covers(other, head) && (at < index || !covers(head, other))),
  )
