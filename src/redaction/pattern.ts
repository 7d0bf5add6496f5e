import { addAll, type CharSet, DISTINCT_UNITS, rangesSet, SYMBOLS, unitSet } from './compiler/char-set.ts'

/**
 * The pattern subset: literals, `\` escapes, `\d \w \s`, classes `[...]`, `|`, groups, `?` after anything, and
 * `*`, `+`, `{n}`, `{m,n}` after a single character or class. No `.`, no anchors, no back-references, no
 * look-around, no counted groups: what is left always compiles to a finite automaton of a size known beforehand.
 */
export type PatternNode =
  | { readonly kind: 'repeat'; readonly set: CharSet; readonly min: number; readonly max: number }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }

export const patternLengthMax = 4096
export const repeatMax = 512
const nestingMax = 64

/** A pattern outside the subset; the message names the place and the rule that was broken. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

const named: Readonly<Record<string, CharSet>> = {
  d: rangesSet([48, 57]),
  w: rangesSet([48, 57], [65, 90], [95, 95], [97, 122]),
  s: rangesSet([9, 13], [32, 32], [160, 160]),
}
const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9 }
const special = '.^$|?*+(){}[]\\'
/** Classes by how they are written: patterns repeat them, and whoever compares sets is glad of the same one. */
const classes = new Map<string, CharSet>()
/** The same for those without brackets. */
const listed = new Map<string, CharSet>()
const empty: PatternNode = { kind: 'sequence', parts: [] }

class PatternReader {
  readonly #source: string
  #at = 0
  #depth = 0

  constructor(source: string) {
    this.#source = source
  }

  get atEnd(): boolean {
    return this.#at >= this.#source.length
  }

  fail(reason: string): never {
    throw new PatternError(`${reason} (at ${this.#at} in ${JSON.stringify(this.#source)})`)
  }

  #take(expected: string): boolean {
    if (this.#source[this.#at] !== expected) return false
    this.#at++
    return true
  }

  choice(): PatternNode {
    if (++this.#depth > nestingMax) this.fail(`groups are nested more than ${nestingMax} deep`)
    const options = [this.#sequence()]
    while (this.#take('|')) options.push(this.#sequence())
    this.#depth--
    return options.length === 1 ? (options[0] as PatternNode) : { kind: 'choice', options }
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = []
    while (!this.atEnd && this.#source[this.#at] !== '|' && this.#source[this.#at] !== ')')
      parts.push(this.#item())
    return parts.length === 1 ? (parts[0] as PatternNode) : { kind: 'sequence', parts }
  }

  #item(): PatternNode {
    if (!this.#take('(')) {
      const { min, max } = this.#quantifier()
      return { kind: 'repeat', set: this.#lastSet, min, max }
    }
    const inner = this.choice()
    if (!this.#take(')')) this.fail('a group is not closed')
    if (this.#take('?')) return { kind: 'choice', options: [inner, empty] }
    if ('*+{'.includes(this.#source[this.#at] ?? ' '))
      this.fail('only a single character or class may be counted')
    return inner
  }

  #lastSet: CharSet = unitSet(0)

  #quantifier(): { min: number; max: number } {
    this.#lastSet = this.#single()
    if (this.#take('?')) return { min: 0, max: 1 }
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (!this.#take('{')) return { min: 1, max: 1 }
    const min = this.#number()
    const max = this.#take(',') ? this.#number() : min
    if (!this.#take('}')) this.fail('a count is not closed')
    if (max < min || max === 0 || max > repeatMax) this.fail(`a count must rise and stay within ${repeatMax}`)
    return { min, max }
  }

  #number(): number {
    const from = this.#at
    while (/\d/.test(this.#source[this.#at] ?? '')) this.#at++
    if (this.#at === from || this.#at - from > 4) this.fail('a count must be a small number')
    return Number(this.#source.slice(from, this.#at))
  }

  #single(): CharSet {
    if (this.#take('\\')) return this.#escape()
    if (this.#take('[')) return this.#class()
    const char = this.#source[this.#at] ?? ''
    if (special.includes(char)) this.fail(`"${char}" has no meaning here; escape it`)
    return unitSet(this.#unit())
  }

  #class(): CharSet {
    const from = this.#at
    const end = this.#classEnd()
    const before = classes.get(this.#source.slice(from, end))
    if (before !== undefined && this.#source[end] === ']') {
      this.#at = end + 1
      return before
    }
    const set = this.members(']')
    const written = this.#source.slice(from, this.#at)
    if (!this.#take(']')) this.fail('a class is not closed')
    classes.set(written, set)
    return set
  }

  /** Where the bracket is that closes a class. */
  #classEnd(): number {
    let at = this.#at
    while (at < this.#source.length && this.#source[at] !== ']') at += this.#source[at] === '\\' ? 2 : 1
    return at
  }

  #escape(): CharSet {
    const char = this.#source[this.#at] ?? ''
    const set = named[char] ?? (controls[char] === undefined ? undefined : unitSet(controls[char]))
    if (set === undefined && (char === '' || /[A-Za-z0-9]/.test(char)))
      this.fail(`"\\${char}" is not in the subset`)
    this.#at++
    return set ?? unitSet(char.charCodeAt(0))
  }

  #unit(): number {
    const unit = this.#source.charCodeAt(this.#at)
    if (unit >= DISTINCT_UNITS) this.fail('a character above U+052F cannot be told apart')
    this.#at++
    return unit
  }

  /** Members of a class up to `end`, or up to the end of the source. */
  members(end: string): CharSet {
    const set = new Uint8Array(SYMBOLS)
    const from = this.#at
    if (this.#source[this.#at] === '^') this.fail('a class cannot be negated; list what it holds')
    while (!this.atEnd && this.#source[this.#at] !== end) {
      const low = this.#take('\\') ? this.#escape() : unitSet(this.#unit())
      const ranged = this.#source[this.#at] === '-' && ![end, undefined].includes(this.#source[this.#at + 1])
      addAll(set, ranged ? this.#range(low) : low)
    }
    if (this.#at === from) this.fail('a class is empty')
    return set
  }

  #range(low: CharSet): CharSet {
    this.#at++
    const high = this.#take('\\') ? this.#escape() : unitSet(this.#unit())
    if (low.lastIndexOf(1) !== low.indexOf(1) || high.lastIndexOf(1) !== high.indexOf(1)) {
      this.fail('a range needs single characters at both ends')
    }
    if (low.indexOf(1) > high.indexOf(1)) this.fail('a range runs backwards')
    return rangesSet([low.indexOf(1), high.indexOf(1)])
  }
}

const isUpper = (unit: number): boolean => unit >= 65 && unit <= 90
const isLower = (unit: number): boolean => unit >= 97 && unit <= 122
const caseDistance = 32

/** By the set as it was written: the same set again is the same set here too. */
const bothCases = new WeakMap<CharSet, CharSet>()

function eitherCase(set: CharSet): CharSet {
  const known = bothCases.get(set)
  if (known !== undefined) return known
  const both = Uint8Array.from(set)
  for (let unit = 65; unit <= 122; unit++) {
    if (set[unit] !== 1) continue
    if (isUpper(unit)) both[unit + caseDistance] = 1
    if (isLower(unit)) both[unit - caseDistance] = 1
  }
  bothCases.set(set, both)
  return both
}

/** The pattern with ASCII letters in either case. */
export function withEitherCase(node: PatternNode): PatternNode {
  if (node.kind === 'repeat') return { ...node, set: eitherCase(node.set) }
  if (node.kind === 'sequence') return { ...node, parts: node.parts.map(withEitherCase) }
  return { ...node, options: node.options.map(withEitherCase) }
}

/** Reads a pattern of the subset; throws a PatternError for anything else. */
export function parsePattern(source: string): PatternNode {
  const reader = new PatternReader(source)
  if (source.length > patternLengthMax) reader.fail(`a pattern may have ${patternLengthMax} characters`)
  const node = reader.choice()
  if (!reader.atEnd) reader.fail('a group is closed that was not opened')
  return node
}

/** Reads the members of a class without its brackets, such as `A-Za-z0-9_`. */
export function parseClass(members: string): CharSet {
  const set = listed.get(members) ?? new PatternReader(members).members('')
  listed.set(members, set)
  return set
}

/** Shortest and longest text that a pattern matches. */
export function patternLength(node: PatternNode): { min: number; max: number } {
  if (node.kind === 'repeat') return { min: node.min, max: node.max }
  if (node.kind === 'sequence') {
    const sum = { min: 0, max: 0 }
    for (const part of node.parts) {
      const { min, max } = patternLength(part)
      sum.min += min
      sum.max += max
    }
    return sum
  }
  const span = { min: Number.POSITIVE_INFINITY, max: 0 }
  for (const option of node.options) {
    const { min, max } = patternLength(option)
    span.min = Math.min(span.min, min)
    span.max = Math.max(span.max, max)
  }
  return span
}
