import { Source } from './source.ts'

/** How far before a match its context words are looked for, in code units. */
export const contextUnits = 64

const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57
const isUpper = (unit: number): boolean => unit >= 65 && unit <= 90
const isLower = (unit: number): boolean => unit >= 97 && unit <= 122
/** Letters and digits; beyond Latin-1 punctuation everything is taken for a letter. */
export const isWordUnit = (unit: number): boolean =>
  isLower(unit) || isDigit(unit) || isUpper(unit) || unit >= 0xc0

/** Scripts that write words without spaces: context words in them are looked for anywhere. */
const unspaced = /[\u0e00-\ufaff]/
const camelPart = /[A-Z]?[a-z\u00df-\u024f]+|[A-Z]+|\d+/g

/** What a word is made of, as bits. */
const wordShape = { upper: 1, humps: 2, unspaced: 4, beyond: 8 } as const

/** One look at a word: most have small letters only, and need nothing more. */
function shapeOf(text: string, from: number, end: number): number {
  let shape = 0
  let before = 0
  for (let at = from; at < end; at++) {
    const unit = text.charCodeAt(at)
    if (isUpper(unit) || unit >= 0xc0) shape |= wordShape.upper
    if ((isUpper(unit) && isLower(before)) || (isDigit(unit) && !isDigit(before) && at > from))
      shape |= wordShape.humps
    if (unit > 127) shape |= unit >= 0xe00 ? wordShape.unspaced | wordShape.beyond : wordShape.beyond
    before = unit
  }
  return shape
}

/** As the rules read it. */
function folded(entry: string): string {
  const source = new Source()
  return (source.append(entry) + source.finish()).toLowerCase()
}

/** Of a word in any case: its first two and its last code unit, by their five lowest bits, and its length. */
const outlineOf = (text: string, from: number, end: number): number =>
  (((text.charCodeAt(from) & 31) << 10) ^
    ((from + 1 < end ? text.charCodeAt(from + 1) & 31 : 0) << 5) ^
    (text.charCodeAt(end - 1) & 31) ^
    Math.imul(end - from, 2477)) &
  0x7fff

/** A set of lists, one bit each. */
export type Lists = Uint32Array

/** The words of some context lists, ready to be looked up. */
export class ContextWords {
  readonly #lists = new Map<string, Lists>()
  readonly #unspaced: string[] = []
  readonly #size: number
  /** The outlines of words that are looked for: most words of a text are told apart from them at once. */
  readonly #outlines = new Uint8Array(1 << 15)

  /** `lists` by index; words are compared in lower case, whole, `s` of the plural and humps of camel case aside. */
  constructor(lists: readonly (readonly string[])[]) {
    this.#size = Math.ceil(lists.length / 32)
    for (const [index, words] of lists.entries()) for (const entry of words) this.#add(folded(entry), index)
  }

  #add(entry: string, index: number): void {
    const lists = this.#lists.get(entry) ?? this.none()
    lists[index >> 5] = (lists[index >> 5] as number) | (1 << (index & 31))
    if (!this.#lists.has(entry) && unspaced.test(entry)) this.#unspaced.push(entry)
    this.#lists.set(entry, lists)
    for (const word of [entry, `${entry}s`]) this.#outlines[outlineOf(word, 0, word.length)] = 1
  }

  none(): Lists {
    return new Uint32Array(this.#size)
  }

  /** The lists that hold the word that stands in a text, if any. */
  in(text: string, from: number, end: number): Lists | undefined {
    const shape = shapeOf(text, from, end)
    const isPlain = (shape & (wordShape.humps | wordShape.beyond)) === 0
    if (isPlain && this.#outlines[outlineOf(text, from, end)] === 0) return undefined
    return this.#of(text.slice(from, end), shape)
  }

  #of(written: string, shape: number): Lists | undefined {
    const lower = (shape & wordShape.upper) === 0 ? written : written.toLowerCase()
    const whole = this.#lists.get(lower)
    const single = lower.endsWith('s') ? this.#lists.get(lower.slice(0, -1)) : undefined
    const parts = this.#partsOf(written, lower, shape)
    if (parts.length === 0 && (whole === undefined || single === undefined)) return whole ?? single
    const found = this.none()
    for (const lists of [whole, single, ...parts.map((part) => this.#lists.get(part))])
      if (lists !== undefined) addLists(found, lists)
    return found
  }

  #partsOf(written: string, lower: string, shape: number): readonly string[] {
    const humps = (shape & wordShape.humps) === 0 ? [] : (written.match(camelPart) ?? [])
    const parts = humps.map((part) => part.toLowerCase())
    if ((shape & wordShape.unspaced) === 0) return parts
    return [...parts, ...this.#unspaced.filter((entry) => lower.includes(entry))]
  }

  /** The lists of which a word stands shortly before `start`. What `ContextReader` finds, said in one go. */
  before(text: string, start: number): Lists {
    const all = this.none()
    const least = Math.max(0, start - contextUnits)
    for (let end = start; end > least; ) {
      let from = end
      while (from > 0 && isWordUnit(text.charCodeAt(from - 1))) from--
      const lists = from >= least && from < end ? this.in(text, from, end) : undefined
      if (lists !== undefined) addLists(all, lists)
      end = from === end ? end - 1 : from
    }
    return all
  }
}

function addLists(all: Lists, more: Lists): void {
  for (let index = 0; index < more.length; index++)
    all[index] = (all[index] as number) | (more[index] as number)
}

export const hasList = (lists: Lists, index: number): boolean =>
  ((lists[index >> 5] as number) & (1 << (index & 31))) !== 0

/** Hostile text has many of these; they are in no list. */
function isNumber(text: string, from: number, end: number): boolean {
  let at = from
  while (at < end && isDigit(text.charCodeAt(at))) at++
  return at === end
}

/** A word of some lists, and where it stands. */
interface Hit {
  readonly from: number
  readonly end: number
  readonly lists: Lists
}

/** How far behind the reader a match may begin: the longest rule. */
const backUnits = 512

/**
 * Reads the words of a text as far as they are asked for, and each of them once: hostile text asks at every word.
 *
 * 1. `before(start)` is `ContextWords.before` of the whole text, whatever was asked before.
 * 2. Each code unit is looked at a bounded number of times; what is remembered covers `backUnits` and `contextUnits`.
 */
export class ContextReader {
  readonly #words: ContextWords
  readonly #source: Source
  /** How far words have been read: never within one. */
  #at = 0
  #hits: Hit[] = []
  #start = -1
  /** What was found before `#start`: one array, since it is asked for at every candidate. */
  readonly #found: Lists

  constructor(words: ContextWords, source: Source) {
    this.#words = words
    this.#source = source
    this.#found = words.none()
  }

  /** The lists of which a word stands shortly before a read place; the next call writes over them. */
  before(start: number): Lists {
    if (start === this.#start) return this.#found
    this.#readTo(start)
    const all = this.#found.fill(0)
    for (const { from, end, lists } of this.#hits)
      if (end <= start && from >= start - contextUnits) addLists(all, lists)
    this.#addBroken(all, start)
    this.#start = start
    return all
  }

  #readTo(start: number): void {
    const text = this.#source.text
    this.#at = Math.max(this.#at, start - 2 * contextUnits, this.#source.start)
    let at = this.#source.at(this.#at)
    const limit = this.#source.at(start)
    while (at < limit) {
      while (at < limit && !isWordUnit(text.charCodeAt(at))) at++
      let end = at
      while (end < limit && isWordUnit(text.charCodeAt(end))) end++
      // A word that goes on at the limit is read when it has ended.
      if (end === limit) break
      this.#note(at, end)
      at = end
    }
    this.#at = start - (limit - at)
    if (this.#hits.length > 64)
      this.#hits = this.#hits.filter(({ end }) => end >= start - backUnits - contextUnits)
  }

  #note(from: number, end: number): void {
    // No word of a list is a number, or longer than the window.
    if (end - from > contextUnits || isNumber(this.#source.text, from, end)) return
    const lists = this.#words.in(this.#source.text, from, end)
    const place = (at: number): number => this.#source.start + at
    if (lists !== undefined) this.#hits.push({ from: place(from), end: place(end), lists })
  }

  /** The word that goes up to `start` and, where it is broken there, beyond. */
  #addBroken(all: Lists, start: number): void {
    const text = this.#source.text
    const end = this.#source.at(start)
    let from = end
    while (from > 0 && end - from <= contextUnits && isWordUnit(text.charCodeAt(from - 1))) from--
    if (from === end || end - from > contextUnits || isNumber(text, from, end)) return
    const lists = this.#words.in(text, from, end)
    if (lists !== undefined) addLists(all, lists)
  }
}
