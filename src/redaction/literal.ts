import { foldPoint, foldUnit } from './fold.ts'
import { patternLengthMax } from './pattern.ts'
import type { Rule, Validator } from './recognizer.ts'

const isBlank = /\s/u
const isPlain = /^[A-Za-z0-9\u0080-\uffff]$/

/** What stands between the words of a literal: a line may have been broken there. */
const gap = '\\s{1,3}'
const gapUnitsMax = 3
const everyGap = /\s+/g

/** A character as the scanner will see it: nothing, where nobody sees it. */
function folded(char: string): string {
  const point = char.codePointAt(0) as number
  if (point < 128) return char
  const read = point > 0xffff ? foldPoint(point) : foldUnit(point)
  if (read === -1) return ''
  return read === undefined ? char : String.fromCharCode(read)
}

/** A text as the scanner sees it. */
export const foldedText = (text: string): string => [...text].map(folded).join('')

const escaped = (char: string): string => (isPlain.test(char) ? char : `\\${char}`)

interface LiteralPattern {
  readonly pattern: string
  readonly lengthMax: number
}

/** The pattern of a literal value, or of its first characters. */
export function literalPattern(literal: string, charactersMax = Number.POSITIVE_INFINITY): LiteralPattern {
  const words = foldedText(literal).trim().replace(everyGap, ' ')
  const gaps = words.split(' ').length - 1
  const pattern = [...words]
    .slice(0, charactersMax)
    .map((char) => (isBlank.test(char) ? gap : escaped(char)))
    .join('')
  return { pattern, lengthMax: words.length + gaps * (gapUnitsMax - 1) }
}

type Rest = Omit<Rule, 'pattern' | 'lengthMax'>

/** A list whose patterns are together longer than this is told apart by its first characters, and then looked up. */
const exactUnitsMax = 1_000
const firstCharacters = 6
/** The last characters of a value that is looked up: most texts that only begin like a literal end here. */
const lastCharacters = 3

/**
 * Rules for many literals, in states whose number does not depend on how long they are. Values must end at a word's end
 * to be looked up, so long lists without that edge become states all the same.
 */
export function literalRules(literals: readonly string[], rest: Rest): Rule[] {
  const units = literals.reduce((sum, literal) => sum + literal.length, 0)
  if (units <= exactUnitsMax || rest.right === undefined)
    return alternations(literals.map((literal) => literalPattern(literal))).map((rule) => ({
      ...rest,
      ...rule,
    }))
  const firsts = literals.map((literal) => literalPattern(literal, firstCharacters))
  const validate = oneOf(literals, rest)
  return alternations(firsts).map(({ pattern, lengthMax }) => ({
    ...rest,
    pattern: `(${pattern})${tailClass(literals)}*`,
    lengthMax,
    validate,
  }))
}

/** As few alternations as the bound on a pattern's length allows, with room for a class behind it. */
function alternations(options: readonly LiteralPattern[]): LiteralPattern[] {
  const made: LiteralPattern[] = []
  let patterns = new Set<string>()
  let length = 0
  let lengthMax = 0
  const close = (): void => {
    if (patterns.size > 0) made.push({ pattern: [...patterns].join('|'), lengthMax })
    patterns = new Set()
    length = 0
    lengthMax = 0
  }
  for (const option of options) {
    if (length + option.pattern.length + 1 > patternLengthMax / 2) close()
    if (!patterns.has(option.pattern)) length += option.pattern.length + 1
    patterns.add(option.pattern)
    lengthMax = Math.max(lengthMax, option.lengthMax)
  }
  close()
  return made
}

/** The class of everything that literals hold behind their first characters. */
function tailClass(literals: readonly string[]): string {
  const chars = new Set(literals.flatMap((literal) => [...foldedText(literal).trim()]))
  const members = [...chars].flatMap((char) =>
    isBlank.test(char) ? [] : [char.toLowerCase(), char.toUpperCase()],
  )
  return `[\\s${[...new Set(members)]
    .filter((char) => char.length === 1)
    .map(escaped)
    .join('')}]`
}

/** The last characters of the last word. */
const endOf = (text: string): string => text.slice(-lastCharacters).replace(/^.*\s/s, '')

/** Whether a match is one of the literals, gaps and case aside. */
function oneOf(literals: readonly string[], { ignoreCase }: Rest): Validator {
  const level = (text: string): string => {
    const words = text.trim().replace(everyGap, ' ')
    return ignoreCase ? words.toLowerCase() : words
  }
  const values = new Set(literals.map((literal) => level(foldedText(literal))))
  const ends = new Set([...values].map(endOf))
  return (text, start, end) => {
    const last = endOf(text.slice(Math.max(start, end - lastCharacters), end))
    if (!ends.has(ignoreCase ? last.toLowerCase() : last)) return false
    return values.has(level(text.slice(start, end)))
  }
}
