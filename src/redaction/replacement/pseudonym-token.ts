/**
 * What stands for a value: `PII_EMAIL_7Q2K9X4DM`. ASCII letters, digits and underscores alone, so nothing on the way
 * has to escape it, and no template, link or tag begins with it. The last character checks the ones before it.
 */

/** Crockford's digits: none of them is taken for another, in upper or lower case. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const mark = 'PII'
const labelLengthMax = 12
const bodyLength = 8
/** Characters that nobody sees and escapes that may stand inside a token, together. */
const ignoredUnitsMax = 32

/** Longest text that can still be a token. */
export const tokenUnitsMax = mark.length + labelLengthMax + bodyLength + 3 + ignoredUnitsMax

/** `EMAIL_ADDRESS` -> `EMAIL`: short, because every model reads it and every caller pays for it. */
export const tokenLabel = (entity: string): string =>
  (entity.replace(/(?<=.)_(?:ADDRESS|NUMBER|CODE)$/, '').replaceAll('_', '') || 'X').slice(0, labelLengthMax)

const isLabelUnit = (unit: number): boolean => (unit >= 48 && unit <= 57) || (unit >= 65 && unit <= 90)

/** Times x in the field of 32 elements: a changed character, and two that changed places, are always seen. */
const timesX = (value: number): number => (value & 16 ? (value << 1) ^ 0b100101 : value << 1)

function checkCharacter(label: string, body: string): string {
  let sum = 0
  for (const char of label) sum = timesX(sum ^ (char.charCodeAt(0) & 31))
  for (const char of body) sum = timesX(sum ^ alphabet.indexOf(char))
  return alphabet.charAt(sum)
}

/** The token of an entity for the first 40 bits of a digest. */
export function makeToken(entity: string, digest: Uint8Array): string {
  let bits = 0n
  for (const byte of digest.subarray(0, 5)) bits = (bits << 8n) | BigInt(byte)
  let body = ''
  for (let shift = 35n; shift >= 0n; shift -= 5n) body += alphabet.charAt(Number((bits >> shift) & 31n))
  const label = tokenLabel(entity)
  return `${mark}_${label}_${body}${checkCharacter(label, body)}`
}

/** Whether the check character is the right one: a token that was not is nobody's. */
export function isSound(token: string): boolean {
  const [, label = '', body = ''] = token.split('_')
  return checkCharacter(label, body.slice(0, -1)) === body.slice(-1)
}

/** `part`: all of the text may be the beginning of a token. */
export type TokenReading =
  | { readonly kind: 'none' | 'part' }
  | { readonly kind: 'token'; readonly token: string; readonly end: number }

const none: TokenReading = { kind: 'none' }
const part: TokenReading = { kind: 'part' }

const underscore = 95
const backslash = 92
const upper = (unit: number): number => (unit >= 97 && unit <= 122 ? unit - 32 : unit)
const isWordUnit = (unit: number): boolean =>
  (unit >= 48 && unit <= 57) || (upper(unit) >= 65 && upper(unit) <= 90)
const isUnseen = (unit: number): boolean =>
  unit === 0xad || (unit >= 0x200b && unit <= 0x200f) || (unit >= 0x2060 && unit <= 0x2064) || unit === 0xfeff

/** Whether a token may begin here. */
export const mayBegin = (unit: number): boolean => upper(unit) === 80
/** Whether a token may begin or end beside this; a token inside a word is a part of that word. */
export const isBeside = (unit: number): boolean => !isWordUnit(unit)

/** What a text is, and whether more of it may come. */
export interface TokenText {
  readonly kind: 'text' | 'json'
  readonly ended: boolean
}

/**
 * Reads a token that begins at `start`, forgiving what models and renderers do to it: other case, characters that nobody
 * sees, a backslash before an underscore (which JSON writes twice).
 */
class TokenReader {
  readonly #text: string
  readonly #about: TokenText
  readonly #start: number
  #at: number
  /** The text ends before it is decided. */
  #short = false

  constructor(text: string, start: number, about: TokenText) {
    this.#text = text
    this.#start = start
    this.#at = start
    this.#about = about
  }

  read(): TokenReading {
    for (const char of mark) if (this.#next() !== char.charCodeAt(0)) return this.#undecided()
    if (!this.#underscore()) return this.#undecided()
    let label = ''
    for (;;) {
      if (this.#underscore()) break
      const unit = this.#short ? -1 : this.#next()
      if (unit === -1 || !isLabelUnit(unit) || label.length >= labelLengthMax) return this.#undecided()
      label += String.fromCharCode(unit)
    }
    return label === '' ? none : this.#body(label)
  }

  #body(label: string): TokenReading {
    let body = ''
    while (body.length <= bodyLength) {
      const unit = this.#next()
      if (unit === -1 || !isLabelUnit(unit)) return this.#undecided()
      body += String.fromCharCode(unit)
    }
    const end = this.#at
    if (end >= this.#text.length && !this.#about.ended) return part
    return end >= this.#text.length || isBeside(this.#text.charCodeAt(end))
      ? { kind: 'token', token: `${mark}_${label}_${body}`, end }
      : none
  }

  #undecided(): TokenReading {
    return this.#short && !this.#about.ended && this.#text.length - this.#start < tokenUnitsMax ? part : none
  }

  /** The next character that counts, as an upper-case letter; -1 when there is none, or the token got too long. */
  #next(): number {
    this.#skipUnseen()
    if (this.#at >= this.#text.length) this.#short = true
    if (this.#short || this.#at - this.#start >= tokenUnitsMax) return -1
    return upper(this.#text.charCodeAt(this.#at++))
  }

  /** Steps over an underscore, with backslashes before it or without. */
  #underscore(): boolean {
    this.#skipUnseen()
    let at = this.#at
    while (at - this.#at < (this.#about.kind === 'json' ? 2 : 1) && this.#text.charCodeAt(at) === backslash)
      at++
    if (at >= this.#text.length) this.#short = true
    if (this.#text.charCodeAt(at) !== underscore) return false
    this.#at = at + 1
    return true
  }

  #skipUnseen(): void {
    while (isUnseen(this.#text.charCodeAt(this.#at)) && this.#at - this.#start < tokenUnitsMax) this.#at++
  }
}

export const readToken = (text: string, start: number, about: TokenText): TokenReading =>
  new TokenReader(text, start, about).read()
