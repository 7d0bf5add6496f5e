import { leftContextUnits } from '../../recognizer.ts'

export const isBlank = (unit: number): boolean => unit === 32 || (unit >= 9 && unit <= 13) || unit === 160
export const isQuote = (unit: number): boolean => unit === 34 || unit === 39 || unit === 96
export const isSeparator = (unit: number): boolean => unit === 58 || unit === 61
export const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57
export const isLetter = (unit: number): boolean =>
  (unit >= 65 && unit <= 90) || (unit >= 97 && unit <= 122) || unit >= 0xc0
/** Letters, digits, `_`, `-`, `.` and `$`. */
export const isNamePart = (unit: number): boolean =>
  isLetter(unit) || isDigit(unit) || unit === 95 || unit === 45 || unit === 46 || unit === 36

/** Reads a text backwards, and never further than a guard may. */
export class LeftReader {
  readonly text: string
  readonly #floor: number
  /** The place behind the code unit that is read next. */
  at: number

  constructor(text: string, start: number) {
    this.text = text
    this.at = start
    this.#floor = Math.max(0, start - leftContextUnits)
  }

  /** The code unit before `at`, or -1. */
  get unit(): number {
    return this.at > this.#floor ? this.text.charCodeAt(this.at - 1) : -1
  }

  /** Steps over what `accepts` takes and says how far. */
  skip(accepts: (unit: number) => boolean, max: number): number {
    const from = this.at
    while (from - this.at < max && this.unit >= 0 && accepts(this.unit)) this.at--
    return from - this.at
  }

  /** The word that ends at `at`. */
  word(accepts: (unit: number) => boolean, max: number): string {
    const end = this.at
    this.skip(accepts, max)
    return this.text.slice(this.at, end)
  }

  /** Up to `max` code units before `at`. */
  behind(max: number): string {
    return this.text.slice(Math.max(this.#floor, this.at - max), this.at)
  }
}
