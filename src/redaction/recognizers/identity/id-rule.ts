import { parsePattern, patternLength } from '../../pattern.ts'
import { type Family, leftContextUnits, type Recognizer, type Rule, type Tier } from '../../recognizer.ts'
import { alphanumeric, digits, ofWholeText } from '../shapes.ts'

/**
 * What an identifier is worth without a word that says what it is. A check digit lets one in ten runs of digits pass,
 * so most need the word; shapes that next to nothing else has do not.
 */
export const worth = { shape: 0.2, checkDigit: 0.4, distinct: 0.6 } as const

type Extra = Partial<Pick<Rule, 'validate' | 'score' | 'context' | 'ignoreCase'>>

const inText = { not: alphanumeric, notPair: { near: '.\\-', far: digits } }
/** Where blanks separate the groups, the groups of a table or of a longer number look the same. */
const apart = { not: alphanumeric, notPair: { near: ' .\\-', far: digits } }
/** Base64 and random slugs: their pieces have every shape. */
const whole = { not: alphanumeric, notPair: { near: '+\\-', far: alphanumeric } }

const ruleOf = (edge: NonNullable<Rule['left']>, pattern: string, extra: Extra): Rule => ({
  pattern,
  left: edge,
  right: edge,
  lengthMax: patternLength(parsePattern(pattern)).max,
  ...extra,
})

/** A number or a code that a word before it confirms. */
export const idRule = (pattern: string, extra: Extra = {}): Rule => ruleOf(inText, pattern, extra)
/** Groups of digits that stand for themselves, so nothing of a longer number may be beside them. */
export const apartRule = (pattern: string, extra: Extra = {}): Rule => ruleOf(apart, pattern, extra)
/** A code of letters and digits that stands for itself. */
export const wholeRule = (pattern: string, extra: Extra = {}): Rule => ruleOf(whole, pattern, extra)

/** A number or a code that is the whole text. For what proves itself as well as a check digit does. */
export const bareRule = (pattern: string, extra: Extra = {}): Rule => ofWholeText(ruleOf({}, pattern, extra))

const escaped = (separator: string): string => ('.-'.includes(separator) ? `\\${separator}` : separator)

/** Digits that stand apart from each other, and not a part of a longer row of such digits. */
export const spreadRule = (pattern: string, extra: Extra = {}): Rule => ({
  ...ruleOf(apart, pattern, extra),
  family: 'spread',
})

/** The groups with one and the same of the separators between them, `''` for none. */
export const grouped = (groups: readonly string[], ...separators: readonly string[]): string =>
  separators.map((separator) => groups.join(separator === '' ? '' : escaped(separator))).join('|')

/** Groups of single digits written apart: `4 0 1 - 0 2 3`, `4 0 1   0 2 3`, `4 0 1 0 2 3`. */
export const spelled = (...sizes: readonly number[]): string =>
  sizes.map((size) => Array(size).fill('\\d').join(' ')).join(' ([\\-. ] )?')

/** All digits written apart, with one and the same separator between them. */
export const dotted = (count: number): string => {
  const single: readonly string[] = Array(count).fill('\\d')
  return `${single.join('\\.')}|${single.join('\\-')}`
}

/** Whether the text right before a match, as far back as a validator may look, is what the words say. */
export const standsAfter = (text: string, start: number, words: RegExp): boolean =>
  words.test(text.slice(Math.max(0, start - leftContextUnits), start))

interface Described {
  readonly id: string
  readonly entity: string
  readonly tier: Tier
  readonly family: Family
  readonly rules: readonly Rule[]
  readonly match: Recognizer['examples']['match']
  readonly miss: readonly string[]
}

export const identity = ({ match, miss, ...described }: Described): Recognizer => ({
  ...described,
  category: 'identity',
  examples: { match, miss },
})

export const health = (described: Described): Recognizer => ({ ...identity(described), category: 'health' })

/** Examples that need what stands before them. */
export const after = (before: string, ...values: readonly string[]) =>
  values.map((value) => ({ before, value }))
