const anything = Array.from({ length: 32 }, (_, unit) => unit)
const boundary = [0]
/** Digits, capitals, white space. */
const alwaysOpen = Array.from({ length: 128 }, (_, unit) => String.fromCharCode(unit))
  .filter((char) => /[\dA-Z\s]/.test(char))
  .join('')

const signsFrom = 1 << 15
export const wordEndsCount = signsFrom + 128

const endOf = (first: number, second: number, last: number): number =>
  ((first & 31) << 10) | ((second & 31) << 5) | (last & 31)

const isSmall = (unit: number): boolean => unit >= 97 && unit <= 122

/** The place of the word that ends at `end` in `WordEnds.marks`; what lies outside the text counts as a blank does. */
const wordEndAt = (text: string, end: number): number =>
  endOf(text.charCodeAt(end - 3), text.charCodeAt(end - 2), text.charCodeAt(end - 1))

/** What stands before the blank before `start`, as a place in `WordEnds.marks`; -1 where they say nothing. */
export function endBefore(text: string, start: number): number {
  const blank = text.charCodeAt(start - 1)
  if (blank !== 32 && blank !== 10) return -1
  const last = text.charCodeAt(start - 2)
  if (!isSmall(last)) return last < 128 ? signsFrom | last : -1
  return blank === 32 ? wordEndAt(text, start - 1) : -1
}

/**
 * The last three units of some words, each by its five lowest bits: a look-up says at once that nearly all
 * other words are none of these.
 */
export class WordEnds {
  readonly marks = new Uint8Array(wordEndsCount)

  /**
   * `whole` words of one or two letters count behind a blank only, others wherever a word ends with them. `signs` are
   * the other ASCII characters that may stand before a blank or a line break; digits and capitals always may.
   */
  constructor(words: readonly string[], { whole = [], signs }: { whole?: readonly string[]; signs: string }) {
    for (const word of words) this.#note(word, anything)
    for (const word of whole) this.#note(word, boundary)
    for (const sign of `${signs}${alwaysOpen}`) this.marks[signsFrom | sign.charCodeAt(0)] = 1
  }

  #note(word: string, before: readonly number[]): void {
    const unit = (back: number): number => word.charCodeAt(word.length - back)
    for (const other of before) {
      const first = word.length > 2 ? unit(3) : word.length > 1 ? other : 0
      this.marks[endOf(first, word.length > 1 ? unit(2) : other, unit(1))] = 1
    }
  }

  /** Whether a word could be one of these, or end with one. */
  mayEnd(word: string): boolean {
    return this.marks[wordEndAt(word, word.length)] === 1
  }

  /** Behind a blank and a word that has none of the ends: prose. */
  rulesOut(text: string, start: number): boolean {
    const end = endBefore(text, start)
    return end !== -1 && this.marks[end] === 0
  }
}
