import {
  PatternError,
  type PatternNode,
  parseClass,
  parsePattern,
  patternLength,
  withEitherCase,
} from '../pattern.ts'
import {
  type Edge,
  type Family,
  leftContextUnits,
  type Recognizer,
  type Rule,
  ruleLengthMax,
} from '../recognizer.ts'
import { anySet, type CharSet, complement, isSubset } from './char-set.ts'

export interface ParsedEdge {
  readonly not: CharSet | undefined
  /** Set where `only` forbids the edge of the channel too. */
  readonly needsNeighbor: boolean
  readonly near: CharSet | undefined
  readonly far: CharSet | undefined
}

export interface ParsedRule {
  readonly recognizer: Recognizer
  readonly rule: Rule
  /** The pattern as the states have it. */
  readonly pattern: PatternNode
  readonly lengthMin: number
  readonly lengthMax: number
  /** The pattern as it was written, where the states do not count as it does. */
  readonly exact: RegExp | undefined
  readonly left: ParsedEdge
  readonly right: ParsedEdge
  readonly head: { readonly first: CharSet; readonly rest: CharSet; readonly lengthMax: number } | undefined
  readonly tail: { readonly members: CharSet; readonly joiners: CharSet | undefined } | undefined
}

function parseEdge(edge: Edge | undefined): ParsedEdge {
  const only = edge?.only === undefined ? undefined : complement(parseClass(edge.only))
  const not = edge?.not === undefined ? undefined : parseClass(edge.not)
  const all = edge?.none === undefined ? undefined : anySet
  if ([only, not, all].filter((set) => set !== undefined).length > 1)
    throw new PatternError('an edge has either `only`, `not` or `none`')
  return {
    not: only ?? not ?? all,
    needsNeighbor: only !== undefined,
    near: edge?.notPair === undefined ? undefined : parseClass(edge.notPair.near),
    far: edge?.notPair === undefined ? undefined : parseClass(edge.notPair.far),
  }
}

function parseTail(tail: Rule['sure']): ParsedRule['tail'] {
  if (tail === undefined) return undefined
  const joiners = tail.kind === 'run' && tail.joiners !== undefined ? parseClass(tail.joiners) : undefined
  return { members: parseClass(tail.members), joiners }
}

export function parseHead(head: Rule['head']): ParsedRule['head'] {
  if (head === undefined) return undefined
  const parsed = { first: parseClass(head.first), rest: parseClass(head.rest), lengthMax: head.lengthMax }
  if (!isSubset(parsed.first, parsed.rest))
    throw new PatternError('the first of a head must be one of its rest')
  return parsed
}

function checkLength({ head, lengthMax }: Rule, length: { min: number; max: number }): void {
  if (!(lengthMax > 0 && lengthMax <= ruleLengthMax)) {
    throw new PatternError(
      `lengthMax must be within 1 and ${ruleLengthMax}; make a longer value certain early with a sure point`,
    )
  }
  if (length.min === 0) throw new PatternError('the pattern matches the empty text')
  if (length.min > lengthMax)
    throw new PatternError(
      `the pattern is at least ${length.min} long, more than its lengthMax of ${lengthMax}`,
    )
  if (head !== undefined && head.lengthMax >= lengthMax)
    throw new PatternError('the head is as long as the whole rule')
  if (head !== undefined && head.lengthMax > leftContextUnits)
    throw new PatternError(`a head may have ${leftContextUnits} code units`)
}

/** Repetitions up to this long are counted by states; in a machine of digits all are, since there the count decides. */
const countedMax: Readonly<Record<Family, number>> = {
  prefix: 3,
  digits: 512,
  shape: 10,
  spread: 512,
  name: 4,
  text: 4,
}

/** The pattern with long repetitions as loops, which one state counts as well as a hundred. */
function uncounted(node: PatternNode, max: number): PatternNode {
  if (node.kind === 'repeat') {
    if (node.max <= max || !Number.isFinite(node.max)) return node
    return { ...node, min: Math.min(node.min, 1), max: Number.POSITIVE_INFINITY }
  }
  if (node.kind === 'sequence') return { ...node, parts: node.parts.map((part) => uncounted(part, max)) }
  return { ...node, options: node.options.map((option) => uncounted(option, max)) }
}

/** The pattern of a rule as it was written. */
export const exactOf = ({ pattern, ignoreCase }: Rule): RegExp =>
  new RegExp(`^(?:${pattern})$`, ignoreCase ? 'i' : '')

/** Reads one rule; a PatternError says what is wrong with it. */
function read(recognizer: Recognizer, rule: Rule): ParsedRule {
  const written = rule.ignoreCase ? withEitherCase(parsePattern(rule.pattern)) : parsePattern(rule.pattern)
  const length = patternLength(written)
  checkLength(rule, length)
  const pattern = uncounted(written, countedMax[rule.family ?? recognizer.family])
  const { min, max } = patternLength(pattern)
  const isExact = min === length.min && max === length.max
  const head = parseHead(rule.head)
  // The length of what stands before the pattern is not known to the expression that checks the pattern.
  if (head !== undefined && !isExact) return read(recognizer, { ...rule, family: 'digits' })
  return {
    recognizer,
    rule,
    pattern,
    lengthMin: length.min,
    lengthMax: Math.min(rule.lengthMax, length.max + (head?.lengthMax ?? 0)),
    exact: isExact ? undefined : exactOf(rule),
    left: parseEdge(rule.left),
    right: parseEdge(rule.right),
    head,
    tail: parseTail(rule.sure),
  }
}

export type OwnedRule = Pick<ParsedRule, 'recognizer' | 'rule'>

/** The rules that recognizers have in one family, in the order of their numbers. */
export const rulesIn = (family: Family, recognizers: readonly Recognizer[]): OwnedRule[] =>
  recognizers.flatMap((recognizer) =>
    recognizer.rules
      .filter((rule) => (rule.family ?? recognizer.family) === family)
      .map((rule) => ({ recognizer, rule })),
  )

/** Reads the rules of one family; what is wrong is said with the recognizer and the pattern. */
export const parseRules = (family: Family, recognizers: readonly Recognizer[]): ParsedRule[] =>
  rulesIn(family, recognizers).map(({ recognizer, rule }) => readNamed(recognizer, rule))

function readNamed(recognizer: Recognizer, rule: Rule): ParsedRule {
  try {
    return read(recognizer, rule)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    throw new PatternError(`${recognizer.id}: ${error.message} (${JSON.stringify(rule.pattern)})`)
  }
}
