import { isCapital, isLetter } from '../../lexicon/letters.ts'
import { endingKind, endingKinds, isInflected, kindsOf, wordKind } from '../../lexicon/lexicon.ts'

const [newline, space, comma, quote] = [10, 32, 44, 62] as const

const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57
const isGap = (unit: number): boolean =>
  unit === space || unit === comma || unit === newline || unit === quote

const houseDigitsMax = 6

/** Set beside `wordKind.streetLast` for one word that is a whole street name: `Hauptstraße`. */
export const streetByEnding = 1 << 30

type Gap = 'space' | 'comma' | 'line'

function gapBetween(text: string, start: number, end: number): Gap {
  let gap: Gap = 'space'
  for (let index = start; index < end; index++) {
    const unit = text.charCodeAt(index)
    if (unit === comma) return 'comma'
    if (unit === newline) gap = 'line'
  }
  return gap
}

function kindsOfToken(text: string, start: number, end: number): number {
  let last = end
  while (last > start && !isLetter(text.charCodeAt(last - 1))) last--
  const kinds = kindsOf(text, start, last)
  if (kinds !== 0) return (kinds & wordKind.calendar) === 0 ? kinds : kinds | wordKind.common
  if (isInflected(text, start, last)) return wordKind.common
  return (endingKinds(text, start, last) & endingKind.street) === 0 ? 0 : wordKind.streetLast | streetByEnding
}

/** Digits that begin a token; none in `40th`, which is a word. */
function leadingDigits(text: string, start: number, end: number): number {
  let at = start
  while (at < end && isDigit(text.charCodeAt(at))) at++
  const isOrdinal = at + 2 <= end && isLetter(text.charCodeAt(at)) && isLetter(text.charCodeAt(at + 1))
  return isOrdinal ? 0 : at - start
}

/**
 * A word or a number of an address. Its kinds are looked up when they are first asked for: most never are.
 */
export class Token {
  readonly start: number
  readonly end: number
  /** Digits at the start, or 0 for a word. */
  readonly digits: number
  readonly capital: boolean
  /** What stands before it: only spaces, or a comma or a line break as well. */
  readonly gap: Gap
  readonly #text: string
  #kinds = -1

  constructor(text: string, start: number, end: number, gap: Gap) {
    this.#text = text
    this.start = start
    this.end = end
    this.gap = gap
    this.digits = leadingDigits(text, start, end)
    this.capital = isCapital(text.charCodeAt(start))
  }

  has(kind: number): boolean {
    if (this.digits > 0) return false
    if (this.#kinds < 0) this.#kinds = kindsOfToken(this.#text, this.start, this.end)
    return (this.#kinds & kind) !== 0
  }
}

/** Small words inside the names of streets and cities. */
const particles = new Set(
  'de del della di da do dos das du la le las los el y e i en and of the nad pri sur sous am an der'.split(
    ' ',
  ),
)

export const isParticle = (text: string, { start, end }: Token): boolean =>
  end - start <= 5 && particles.has(text.slice(start, end))

/** A word of a sentence rather than of a street: common, in small letters. */
export const isProse = (text: string, token: Token): boolean =>
  !token.capital &&
  token.end - token.start > 1 &&
  token.has(wordKind.common) &&
  !token.has(wordKind.streetLast | wordKind.streetMaybe | wordKind.unit) &&
  !isParticle(text, token)

/** A house number; longer ones are something else. */
const isNumber = (token: Token | undefined): token is Token =>
  token !== undefined && token.digits > 0 && token.digits <= houseDigitsMax

const isPostalCode = ({ digits }: Token): boolean => digits >= 4 && digits <= 6

/** `IL`, `NSW`. */
function isState(text: string, { start, end, digits }: Token): boolean {
  if (digits > 0 || end - start > 3 || end - start < 2) return false
  for (let index = start; index < end; index++) if (!isCapital(text.charCodeAt(index))) return false
  return true
}

/** Of a street, after its name: `Pennsylvania Avenue NW`. */
const directions = new Set(['N', 'S', 'E', 'W', 'NE', 'NW', 'SE', 'SW'])

/**
 * Reads a would-be address from left to right, word by word as they are asked for. Each part takes what it
 * can.
 */
export class AddressReader {
  readonly #text: string
  readonly #end: number
  readonly #tokens: Token[] = []
  #read: number
  #at = 0

  constructor(text: string, start: number, end: number) {
    this.#text = text
    this.#read = start
    this.#end = end
  }

  #token(index: number): Token | undefined {
    while (this.#tokens.length <= index && this.#read < this.#end) {
      const from = this.#read
      let start = from
      while (start < this.#end && isGap(this.#text.charCodeAt(start))) start++
      if (start === this.#end) break
      let end = start
      while (end < this.#end && !isGap(this.#text.charCodeAt(end))) end++
      this.#tokens.push(new Token(this.#text, start, end, gapBetween(this.#text, from, start)))
      this.#read = end
    }
    return this.#tokens[index]
  }

  /** The last word, found from the end. */
  last(): Token {
    let start = this.#end
    while (start > this.#read && !isGap(this.#text.charCodeAt(start - 1))) start--
    return new Token(this.#text, start, this.#end, 'space')
  }

  /** Whether a word of prose comes before any number; the last word may be cut off and does not count. */
  isProseFirst(): boolean {
    for (let index = 1; this.#token(index + 1) !== undefined; index++) {
      const token = this.#token(index) as Token
      if (token.digits > 0) return false
      if (isProse(this.#text, token)) return true
    }
    return false
  }

  /** House numbers: how many, at most two, on one line. */
  numbers(): number {
    const from = this.#at
    for (let token = this.#token(from); isNumber(token); token = this.#token(this.#at)) {
      if (this.#at - from === 2 || (this.#at > 0 && token.gap !== 'space')) break
      this.#at++
    }
    return this.#at - from
  }

  /** The words of a street name, on one line. */
  words(max: number): readonly Token[] {
    const words: Token[] = []
    for (let token = this.#token(this.#at); token !== undefined; token = this.#token(this.#at)) {
      if (words.length === max || token.digits > 0) break
      // `12, rue de Lyon`: the comma after a house number.
      if (token.gap !== 'space' && (words.length > 0 || token.gap !== 'comma')) break
      if (words.length > 0 && (this.#isUnit() || isProse(this.#text, token))) break
      words.push(token)
      this.#at++
    }
    return words
  }

  /** Goes back so that only the words up to `last` are read. */
  keep(last: Token): void {
    this.#at = this.#tokens.indexOf(last) + 1
  }

  #isUnit(): boolean {
    const number = this.#token(this.#at + 1)
    if (number === undefined || (number.digits === 0 && number.end - number.start > 1)) return false
    return this.#token(this.#at)?.has(wordKind.unit) === true
  }

  /** `Apt. 4`, `Suite 210`: how many. */
  units(): number {
    const from = this.#at
    while (this.#isUnit()) this.#at += 2
    return (this.#at - from) / 2
  }

  /**
   * City, state, country and postal code up to the end; false where something else stands there. `after` is
   * what was read before: a city on the same line needs a unit or a house number between it and the street.
   */
  locality(after: 'street' | 'number'): boolean {
    if (directions.has(this.#text.slice(this.#token(this.#at)?.start, this.#token(this.#at)?.end))) this.#at++
    const first = this.#token(this.#at)
    if (first === undefined) return true
    if (after === 'street' && first.gap === 'space' && !isPostalCode(first)) return false
    if (after === 'street' && first.gap === 'line' && !this.#isClosed()) return false
    for (let token: Token | undefined = first; token !== undefined; token = this.#token(this.#at)) {
      this.#at++
      if (!this.#isLocal(token, first)) return false
    }
    return true
  }

  /** Whether the last word is one that ends an address. */
  #isClosed(): boolean {
    const last = this.last()
    return isPostalCode(last) || isState(this.#text, last) || last.has(wordKind.place)
  }

  #isLocal(token: Token, first: Token): boolean {
    const isLast = token.end === this.#end
    if (token.digits > 0) return (isLast || token === first) && isPostalCode(token)
    if (token.capital) return true
    return !isLast && (isParticle(this.#text, token) || !token.has(wordKind.common))
  }
}
