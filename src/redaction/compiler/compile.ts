import { type Machine, neverRipe, stateFlag, tailFlag } from '../automaton.ts'
import type { PatternNode } from '../pattern.ts'
import type { Family, Recognizer } from '../recognizer.ts'
import { type Alphabet, buildAlphabet } from './alphabet.ts'
import type { CharSet } from './char-set.ts'
import { Dfa } from './dfa.ts'
import { edgeBitsOf, groupRules, LaunchBuilder } from './launches.ts'
import { Nfa } from './nfa.ts'
import { type ParsedRule, parseRules } from './parsed-rule.ts'

function setsOf(node: PatternNode): readonly CharSet[] {
  if (node.kind === 'repeat') return [node.set]
  return (node.kind === 'sequence' ? node.parts : node.options).flatMap(setsOf)
}

function alphabetOf(rules: readonly ParsedRule[]): Alphabet {
  const sets = rules.flatMap(({ pattern, head, left, right, tail }) => [
    ...setsOf(pattern),
    ...[head?.first, head?.rest],
    ...[left.not, left.near, left.far, right.not, right.near, right.far, tail?.members, tail?.joiners],
  ])
  return buildAlphabet(sets.filter((set) => set !== undefined))
}

/** One row for each rule, of as many entries as there are classes. */
function rows(
  rules: readonly ParsedRule[],
  size: number,
  rowOf: (rule: ParsedRule) => Uint8Array,
): Uint8Array {
  const table = new Uint8Array(rules.length * size)
  for (const [index, rule] of rules.entries()) table.set(rowOf(rule), index * size)
  return table
}

function tailRow({ tail }: ParsedRule, alphabet: Alphabet): Uint8Array {
  const row = new Uint8Array(alphabet.size)
  if (tail === undefined) return row
  for (const symbol of tail.joiners === undefined ? [] : alphabet.classesOf(tail.joiners))
    row[symbol] = tailFlag.joiner
  for (const symbol of alphabet.classesOf(tail.members)) row[symbol] = tailFlag.member
  return row
}

interface StateRules {
  /** The rules that can still match. */
  readonly owned: number[]
  readonly accepted: number[]
  readonly sure: number[]
}

/** What a state is made of; members come rule by rule, so each rule is met in one go. */
function rulesOf(members: readonly number[], nfa: Nfa, certain: readonly boolean[]): StateRules {
  const found: StateRules = { owned: [], accepted: [], sure: [] }
  for (const member of members) {
    const owner = nfa.owners[member] as number
    if (found.owned.at(-1) !== owner) found.owned.push(owner)
    if ((nfa.accepts[member] as number) >= 0) (certain[owner] ? found.sure : found.accepted).push(owner)
  }
  return found
}

/** Per-state tables of a finished automaton. */
function stateTables(rules: readonly ParsedRule[], nfa: Nfa, dfa: Dfa) {
  const certain = rules.map(({ rule }) => rule.sure !== undefined || rule.closes === true)
  const states = Array.from({ length: dfa.states }, (_, state) => rulesOf(dfa.members(state), nfa, certain))
  const flagsOf = ({ accepted, sure }: StateRules): number =>
    (accepted.length === 0 ? 0 : stateFlag.accepts) | (sure.length === 0 ? 0 : stateFlag.sure)
  return {
    flags: Uint8Array.from(states, flagsOf),
    ripe: Uint16Array.from(states, ({ accepted, sure }) =>
      [...accepted, ...sure].reduce((least, rule) => Math.min(least, rules[rule]?.lengthMin ?? 0), neverRipe),
    ),
    owners: states.map(({ owned }) => owned),
    accepts: states.map(({ accepted }) => accepted),
    sures: states.map(({ sure }) => sure),
  }
}

type RuleParts = Pick<ParsedRule, 'recognizer' | 'rule' | 'lengthMin' | 'lengthMax' | 'exact'>

export const compiledRule = (parsed: RuleParts): Machine['rules'][number] => ({
  recognizer: parsed.recognizer,
  entity: parsed.recognizer.entity,
  lengthMin: parsed.lengthMin,
  lengthMax: parsed.lengthMax,
  exact: parsed.exact,
  validate: parsed.rule.validate,
  tail: parsed.rule.sure,
  closes: parsed.rule.closes === true,
  direction: parsed.rule.direction,
  score: parsed.rule.score ?? 1,
  context: parsed.rule.context,
})

/** Compiles the rules that recognizers have in one family; a rule outside the subset or without a bound is refused with the reason. */
export function compile(family: Family, recognizers: readonly Recognizer[]): Machine {
  const startedAt = performance.now()
  const rules = parseRules(family, recognizers)
  const alphabet = alphabetOf(rules)
  const nfa = new Nfa(alphabet)
  const firsts = rules.map(({ pattern }, index) => nfa.addRule(index, pattern))
  const dfa = new Dfa(nfa, alphabet.size)
  const builder = new LaunchBuilder(rules, alphabet, dfa, firsts)
  const launches = groupRules(rules).map((group) => builder.build(group))
  const shift = Math.ceil(Math.log2(alphabet.size))
  const table = dfa.table(shift)
  const states = stateTables(rules, nfa, dfa)
  return {
    family,
    recognizers: [...new Set(rules.map(({ recognizer }) => recognizer))],
    rules: rules.map(compiledRule),
    classes: alphabet.classes,
    classCount: alphabet.size,
    edge: alphabet.edge,
    table,
    shift,
    ...states,
    edges: rows(rules, alphabet.size, ({ right }) => edgeBitsOf(right, alphabet)),
    tails: rows(rules, alphabet.size, (rule) => tailRow(rule, alphabet)),
    launches,
    bytes: table.byteLength + launches.reduce((sum, { starts }) => sum + starts.byteLength, 0),
    buildMs: performance.now() - startedAt,
  }
}
