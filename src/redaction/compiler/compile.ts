import { type Automaton, edgeFlag, type Launch, stateFlag, tailFlag } from '../automaton.ts'
import { PatternError, type PatternNode, parseClass, parsePattern, patternLength } from '../pattern.ts'
import { type Recognizer, type Rule, ruleLengthMax, type Tail } from '../recognizer.ts'
import { type Alphabet, buildAlphabet } from './alphabet.ts'
import { type CharSet, isSubset } from './char-set.ts'
import { Dfa } from './dfa.ts'
import { Nfa } from './nfa.ts'

interface ParsedEdge {
  readonly not: CharSet | undefined
  readonly near: CharSet | undefined
  readonly far: CharSet | undefined
}

interface ParsedRule {
  readonly entity: string
  readonly rule: Rule
  readonly parts: readonly PatternNode[]
  readonly left: ParsedEdge
  readonly right: ParsedEdge
  readonly head: { readonly first: CharSet; readonly rest: CharSet; readonly lengthMax: number } | undefined
  readonly tail: { readonly members: CharSet; readonly joiners: CharSet | undefined } | undefined
}

/** `\n` and its kin, as they stand in source code and in JSON inside a text: a value may begin after them. */
const backslash = parseClass('\\\\')
const escaped = parseClass('bfnrt')

const parseEdge = (edge: Rule['left']): ParsedEdge => ({
  not: edge?.not === undefined ? undefined : parseClass(edge.not),
  near: edge?.notPair === undefined ? undefined : parseClass(edge.notPair.near),
  far: edge?.notPair === undefined ? undefined : parseClass(edge.notPair.far),
})

function parseTail(tail: Tail | undefined): ParsedRule['tail'] {
  if (tail === undefined) return undefined
  const joiners = tail.kind === 'run' && tail.joiners !== undefined ? parseClass(tail.joiners) : undefined
  return { members: parseClass(tail.members), joiners }
}

function parseHead(head: Rule['head']): ParsedRule['head'] {
  if (head === undefined) return undefined
  const parsed = { first: parseClass(head.first), rest: parseClass(head.rest), lengthMax: head.lengthMax }
  if (!isSubset(parsed.first, parsed.rest))
    throw new PatternError('the first of a head must be one of its rest')
  return parsed
}

const headParts = (head: NonNullable<ParsedRule['head']>): readonly PatternNode[] => [
  { kind: 'repeat', set: head.first, min: 1, max: 1 },
  { kind: 'repeat', set: head.rest, min: 0, max: Number.POSITIVE_INFINITY },
]

function checkLength(entity: string, rule: Rule, body: PatternNode): void {
  const fail = (reason: string): never => {
    throw new PatternError(`${entity}: ${reason} (${JSON.stringify(rule.pattern)})`)
  }
  const length = patternLength(body)
  const longest = length.max + (rule.head?.lengthMax ?? 0)
  if (!(rule.lengthMax > 0 && rule.lengthMax <= ruleLengthMax)) {
    fail(
      `lengthMax must be within 1 and ${ruleLengthMax}; make a longer value certain early with a sure point`,
    )
  }
  if (length.min === 0) fail('the pattern matches the empty text')
  if (Number.isFinite(longest) && longest > rule.lengthMax) {
    fail(`the pattern is up to ${longest} long, more than its lengthMax of ${rule.lengthMax}`)
  }
  if (rule.head !== undefined && rule.head.lengthMax >= rule.lengthMax)
    fail('the head is as long as the whole rule')
}

function parseRule(entity: string, rule: Rule): ParsedRule {
  const body = parsePattern(rule.pattern)
  checkLength(entity, rule, body)
  const head = parseHead(rule.head)
  return {
    entity,
    rule,
    parts: head === undefined ? [body] : [...headParts(head), body],
    left: parseEdge(rule.left),
    right: parseEdge(rule.right),
    head,
    tail: parseTail(rule.sure),
  }
}

function setsOf(node: PatternNode): readonly CharSet[] {
  if (node.kind === 'repeat') return [node.set]
  return (node.kind === 'sequence' ? node.parts : node.options).flatMap(setsOf)
}

function alphabetOf(rules: readonly ParsedRule[]): Alphabet {
  const sets = rules.flatMap(({ parts, left, right, tail }) => [
    ...parts.flatMap(setsOf),
    ...[left.not, left.near, left.far, right.not, right.near, right.far, tail?.members, tail?.joiners],
  ])
  return buildAlphabet([...sets, backslash, escaped].filter((set) => set !== undefined))
}

/** For each rule a row of bits by class. */
function classRows(
  rules: readonly ParsedRule[],
  alphabet: Alphabet,
  bitsOf: (rule: ParsedRule) => readonly (readonly [CharSet | undefined, number])[],
): Uint8Array {
  const rows = new Uint8Array(rules.length * alphabet.size)
  for (const [index, rule] of rules.entries()) {
    for (const [set, bit] of bitsOf(rule)) {
      for (const symbol of set === undefined ? [] : alphabet.classesOf(set)) {
        const at = index * alphabet.size + symbol
        rows[at] = (rows[at] as number) | bit
      }
    }
  }
  return rows
}

const edgeBits = (edge: ParsedEdge) =>
  [
    [edge.not, edgeFlag.forbidden],
    [edge.near, edgeFlag.near],
    [edge.far, edgeFlag.far],
  ] as const

/** Compiles the launch of one group of rules: a start state for every pair of classes to the left. */
class LaunchBuilder {
  readonly #rules: readonly ParsedRule[]
  readonly #alphabet: Alphabet
  readonly #dfa: Dfa
  readonly #firsts: readonly number[]
  readonly #lefts: Uint8Array
  readonly #afterEscape: (far: number, near: number) => boolean

  constructor(rules: readonly ParsedRule[], alphabet: Alphabet, dfa: Dfa, firsts: readonly number[]) {
    this.#rules = rules
    this.#alphabet = alphabet
    this.#dfa = dfa
    this.#firsts = firsts
    this.#lefts = classRows(rules, alphabet, ({ left, head }) => (head === undefined ? edgeBits(left) : []))
    const [backslashes, escapes] = [alphabet.classesOf(backslash), alphabet.classesOf(escaped)]
    this.#afterEscape = (far, near) => backslashes.includes(far) && escapes.includes(near)
  }

  build(group: readonly number[]): Launch {
    const { size } = this.#alphabet
    const starts = new Uint16Array(size * size)
    const known = new Map<string, number>()
    for (let far = 0; far < size; far++) {
      for (let near = 0; near < size; near++) {
        const allowed = group.filter((rule) => this.#mayFollow(rule, far, near))
        const key = allowed.join()
        const state = known.get(key) ?? this.#dfa.start(allowed.map((rule) => this.#firsts[rule] as number))
        known.set(key, state)
        starts[far * size + near] = state
      }
    }
    return { starts, head: this.#head(group) }
  }

  #mayFollow(rule: number, far: number, near: number): boolean {
    if (this.#afterEscape(far, near)) return true
    const { size } = this.#alphabet
    const nearBits = this.#lefts[rule * size + near] as number
    if ((nearBits & edgeFlag.forbidden) !== 0) return false
    return (
      (nearBits & edgeFlag.near) === 0 || ((this.#lefts[rule * size + far] as number) & edgeFlag.far) === 0
    )
  }

  #head(group: readonly number[]): Launch['head'] {
    const head = this.#rules[group[0] as number]?.head
    if (head === undefined) return undefined
    const first = new Uint8Array(this.#alphabet.size)
    for (const symbol of this.#alphabet.classesOf(head.first)) first[symbol] = 1
    return { lengthMax: head.lengthMax, first }
  }
}

/** Per-state tables of a finished automaton. */
function stateTables(rules: readonly ParsedRule[], nfa: Nfa, dfa: Dfa) {
  const flags = new Uint8Array(dfa.states)
  const owners: (readonly number[])[] = []
  const accepts: (readonly number[])[] = []
  const sures: (readonly number[])[] = []
  const certain = (rule: number) => rules[rule]?.rule.sure !== undefined || rules[rule]?.rule.closes === true
  for (let state = 0; state < dfa.states; state++) {
    const accepted = dfa.accepted(state)
    accepts.push(accepted.filter((rule) => !certain(rule)))
    sures.push(accepted.filter(certain))
    flags[state] =
      (accepts[state]?.length === 0 ? 0 : stateFlag.accepts) |
      (sures[state]?.length === 0 ? 0 : stateFlag.sure)
    owners.push([...new Set(dfa.members(state).map((member) => nfa.owners[member] as number))])
  }
  return { flags, owners, accepts, sures }
}

/** Marks the state in which each head loops, so that the scanner can let its start slide. */
function markHeads(
  launches: readonly Launch[],
  automaton: Pick<Automaton, 'table' | 'shift' | 'flags'>,
): Uint32Array {
  const heads = new Uint32Array(automaton.flags.length)
  for (const [index, { starts, head }] of launches.entries()) {
    if (head === undefined) continue
    const state = automaton.table[
      ((starts[0] as number) << automaton.shift) | head.first.indexOf(1)
    ] as number
    const row = automaton.table.subarray(state << automaton.shift, (state + 1) << automaton.shift)
    if (head.first.some((member, symbol) => member === 1 && row[symbol] !== state)) {
      throw new PatternError('a head must end at a character that is not one of its rest')
    }
    heads[state] = 1 << index
  }
  return heads
}

/** Which launches may begin by the class to the left and the first class, whatever stands further left. */
function gateTable(
  launches: readonly Launch[],
  table: Uint16Array,
  shift: number,
  size: number,
): Uint32Array {
  const gates = new Uint32Array(size << shift)
  for (const [index, { starts }] of launches.entries()) {
    for (const [context, start] of starts.entries()) {
      const row = (context % size) << shift
      for (let symbol = 0; symbol < size; symbol++) {
        if (table[(start << shift) | symbol] !== 0)
          gates[row | symbol] = (gates[row | symbol] as number) | (1 << index)
      }
    }
  }
  return gates
}

/** Compiles recognizers; a rule outside the subset or without a bound is refused with the reason. */
export function compile(recognizers: readonly Recognizer[]): Automaton {
  const rules = recognizers.flatMap(({ entity, rules }) => rules.map((rule) => parseRule(entity, rule)))
  const alphabet = alphabetOf(rules)
  const nfa = new Nfa(alphabet)
  const firsts = rules.map(({ parts }, index) => nfa.addRule(index, parts))
  const dfa = new Dfa(nfa, alphabet.size)
  const indexes = rules.map((_, index) => index)
  const plain = indexes.filter((index) => rules[index]?.head === undefined)
  const groups = [plain, ...indexes.filter((index) => !plain.includes(index)).map((index) => [index])]
  if (groups.length > 30) throw new PatternError('more than 29 rules have a head')
  const builder = new LaunchBuilder(rules, alphabet, dfa, firsts)
  const launches = groups.map((group) => builder.build(group))
  const shift = Math.ceil(Math.log2(alphabet.size))
  const states = stateTables(rules, nfa, dfa)
  const table = dfa.table(shift)
  return {
    rules: rules.map(({ entity, rule }) => ({
      entity,
      lengthMax: rule.lengthMax,
      validate: rule.validate,
      tail: rule.sure,
      closes: rule.closes === true,
    })),
    classes: alphabet.classes,
    classCount: alphabet.size,
    edge: alphabet.edge,
    table,
    shift,
    ...states,
    heads: markHeads(launches, { table, shift, flags: states.flags }),
    gates: gateTable(launches, table, shift, alphabet.size),
    edges: classRows(rules, alphabet, ({ right }) => edgeBits(right)),
    tails: classRows(rules, alphabet, ({ tail }) => [
      [tail?.members, tailFlag.member],
      [tail?.joiners, tailFlag.joiner],
    ]),
    launches,
  }
}
