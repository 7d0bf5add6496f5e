import { literalPattern, literalRules } from './literal.ts'
import { PatternError, type PatternNode, parsePattern, patternLength } from './pattern.ts'
import { type Category, type Recognizer, type Rule, ruleLengthMax, type Tier } from './recognizer.ts'
import { createRuleSet } from './rule-set.ts'

/** A recognizer as the configuration has it. */
export interface CustomRecognizer {
  readonly entity: string
  readonly category: Category
  readonly tier: number
  readonly literals?: readonly string[] | undefined
  readonly patterns?: readonly string[] | undefined
  readonly ignoreCase: boolean
  readonly boundary: 'word' | 'none'
  readonly lengthMax?: number | undefined
  readonly score?: number | undefined
  readonly context?: readonly string[] | undefined
  readonly examples: {
    readonly match: readonly (string | { readonly before: string; readonly value: string })[]
    readonly miss: readonly string[]
  }
}

/** What is wrong with a custom recognizer, and in which of its fields. */
export interface CustomFault {
  readonly path: readonly (string | number)[]
  readonly message: string
}

const wordUnits = 'A-Za-z0-9_\u00c0-\u024f\u0370-\u052f'
const wordEdge = { left: { not: wordUnits }, right: { not: wordUnits } }

/** Shorter values would be found in every text. */
const matchLengthMin = 2

/** A value of variable parts can be read in so many ways; a pattern above that would be slow on hostile text. */
const waysMax = 1_000_000

function waysOf(node: PatternNode): number {
  if (node.kind === 'repeat') return Math.min(node.max, ruleLengthMax) - node.min + 1
  const inner = (node.kind === 'sequence' ? node.parts : node.options).map(waysOf)
  return node.kind === 'sequence' ? inner.reduce((a, b) => a * b, 1) : inner.reduce((a, b) => a + b, 0)
}

function patternFault(pattern: string, lengthMax: number | undefined): string | undefined {
  try {
    const node = parsePattern(pattern)
    const { min, max } = patternLength(node)
    if (min < matchLengthMin) return `must match at least ${matchLengthMin} characters`
    if (waysOf(node) > waysMax) return 'has too many parts of variable length in a row'
    if (!Number.isFinite(max) && lengthMax === undefined)
      return 'has no bound: write {m,n} in place of * or +, or give the recognizer a lengthMax'
    if (Number.isFinite(max) && max > Math.min(lengthMax ?? ruleLengthMax, ruleLengthMax))
      return `matches up to ${max} characters; ${lengthMax ?? ruleLengthMax} are allowed`
    return undefined
  } catch (error) {
    if (error instanceof PatternError) return error.message
    throw error
  }
}

function literalFault(literal: string): string | undefined {
  const { pattern } = literalPattern(literal)
  if (pattern.length < matchLengthMin) return `must have at least ${matchLengthMin} characters that are seen`
  return patternFault(pattern, undefined)
}

const faultsIn = (
  field: string,
  entries: readonly string[],
  faultOf: (entry: string) => string | undefined,
): CustomFault[] =>
  entries.flatMap((entry, index) => {
    const message = faultOf(entry)
    return message === undefined ? [] : [{ path: [field, index], message }]
  })

/** The recognizer for the scanner. Its patterns must have been found right by `customFaults`. */
export function customRecognizer(id: string, custom: CustomRecognizer): Recognizer {
  const { entity, category, ignoreCase, boundary, lengthMax, score, context } = custom
  const rest: Omit<Rule, 'pattern' | 'lengthMax'> = {
    ...(boundary === 'word' ? wordEdge : {}),
    ...(ignoreCase ? { ignoreCase } : {}),
    ...(score === undefined ? {} : { score }),
    ...(context === undefined ? {} : { context }),
  }
  const patterns = (custom.patterns ?? []).map((pattern): Rule => {
    const { max } = patternLength(parsePattern(pattern))
    return { ...rest, pattern, lengthMax: Math.min(max, lengthMax ?? ruleLengthMax) }
  })
  return {
    id,
    entity,
    category,
    tier: custom.tier as Tier,
    family: 'text',
    rules: [...literalRules(custom.literals ?? [], rest), ...patterns],
    examples: custom.examples,
  }
}

/** The recognizer of a list of values that are always found. */
export const denyListRecognizer = (id: string, label: string, values: readonly string[]): Recognizer =>
  customRecognizer(id, {
    entity: label,
    category: 'identity',
    tier: 1,
    literals: values,
    ignoreCase: true,
    boundary: 'word',
    examples: { match: [], miss: [] },
  })

/** Everything that is wrong with deny lists; paths begin with the index of the list. */
export function denyListFaults(lists: readonly (readonly string[])[]): CustomFault[] {
  const faults = lists.flatMap((values, list) =>
    faultsIn('values', values, literalFault).map(({ path, message }) => ({ path: [list, ...path], message })),
  )
  if (faults.length > 0) return faults
  const together = compileFault(
    lists.map((values, list) => denyListRecognizer(`denied-${list}`, 'DENY_LIST', values)),
  )
  return together === undefined ? [] : [{ path: [], message: together }]
}

/**
 * Everything that is wrong with custom recognizers: their patterns, and the examples that they do not live up to. Paths
 * begin with the name of the recognizer.
 */
export function customFaults(customs: Readonly<Record<string, CustomRecognizer>>): CustomFault[] {
  const faults = Object.entries(customs).flatMap(([name, custom]) =>
    shapeFaults(custom).map(({ path, message }) => ({ path: [name, ...path], message })),
  )
  const broken = new Set(faults.map(({ path }) => path[0]))
  const sound = Object.entries(customs)
    .filter(([name]) => !broken.has(name))
    .map(([name, custom]) => customRecognizer(name, custom))
  const together = compileFault(sound)
  if (together !== undefined) return [...faults, { path: [], message: together }]
  const wrong = sound.flatMap((recognizer) =>
    exampleFaults(recognizer, sound).map(({ path, message }) => ({
      path: [recognizer.id, ...path],
      message,
    })),
  )
  return [...faults, ...wrong]
}

/** What keeps recognizers from being used together: each may be small enough, and all of them too large. */
function compileFault(recognizers: readonly Recognizer[]): string | undefined {
  if (recognizers.length === 0) return undefined
  try {
    createRuleSet({ name: 'check', direction: 'prompt', custom: recognizers, policyOf: () => 'mask' })
    return undefined
  } catch (error) {
    return `cannot be used together: ${(error as Error).message}`
  }
}

function shapeFaults({ literals = [], patterns = [], lengthMax }: CustomRecognizer): CustomFault[] {
  if (literals.length + patterns.length === 0)
    return [{ path: [], message: 'needs literals or patterns: it would find nothing' }]
  return [
    ...faultsIn('literals', literals, literalFault),
    ...faultsIn('patterns', patterns, (pattern) => patternFault(pattern, lengthMax)),
  ]
}

/** `all` is the one array of all recognizers, so that they are compiled once. */
function exampleFaults(recognizer: Recognizer, all: readonly Recognizer[]): CustomFault[] {
  const { match, miss } = recognizer.examples
  if (match.length + miss.length === 0) return []
  const rules = createRuleSet({
    name: recognizer.id,
    direction: 'prompt',
    custom: all,
    policyOf: (each) => (each === recognizer ? 'mask' : 'allow'),
  })
  const missed = match.flatMap((example, index): CustomFault[] => {
    const { before, value } = typeof example === 'string' ? { before: '', value: example } : example
    const { findings } = rules.screen(before + value)
    const to = before.length + value.length
    const found = findings.some(({ start, end }) => start === before.length && end === to)
    return found ? [] : [{ path: ['examples', 'match', index], message: 'is not found whole' }]
  })
  const wrong = miss.flatMap((text, index): CustomFault[] =>
    rules.screen(text).findings.length === 0
      ? []
      : [{ path: ['examples', 'miss', index], message: 'is found, or a part of it is' }],
  )
  return [...missed, ...wrong]
}
