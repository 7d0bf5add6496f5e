/**
 * The text of one channel as it was written and as the rules read it (fold.ts, escapes.ts), and how the places of one
 * lie in the other. *Raw* places count code units as they came, *read* places those that the rules see.
 *
 * 1. What is read is a function of the raw text, never of how it was cut: an escape or a surrogate pair whose end has
 *    not come waits, and is at most `escapeUnitsMax` long.
 * 2. `rawAt(place)` is where the read code unit at `place` begins; what nobody sees before it lies to the left of it.
 *    `rawEndAt(place)` is where the one before it ends, which is known before what follows has come.
 * 3. Invisible code units are paid for by visible ones: beyond `creditMax` and two for each they are read as text, so
 *    raw text is never longer than `rawUnitsMax` times the read text and `creditMax`.
 * 4. At most `spareUnits` more are kept than what the caller still needs.
 * 5. While both texts are the same, one string is kept for both, and what has just come is never cut out of it: to
 *    put a token to the text and to take it out again, the whole of it would have to be copied.
 */
import { type Escape, escapeStarts, escapeUnitsMax, incomplete, readEscape } from './escapes.ts'
import { foldPoint, foldUnit } from './fold.ts'

/** The most raw code units that one read code unit can come from, its share of invisible ones included. */
export const rawUnitsMax = escapeUnitsMax + 2
export const creditMax = 128

const creditPerUnit = 2
const spareUnits = 256
/** What stands for a character that no rule can tell apart from others. */
const replacement = 0xfffd

const isHighSurrogate = (unit: number): boolean => (unit & 0xfc00) === 0xd800
const isLowSurrogate = (unit: number): boolean => (unit & 0xfc00) === 0xdc00

/** Where read code units stop being as long as raw ones: from read place `from` on they lie `shift` further right. */
interface Shift {
  readonly from: number
  readonly shift: number
  /** Raw code units just before `from` that nobody sees. */
  readonly unseen: number
}

export class Source {
  /** Whether both texts are the same; `#raw` and `#rawBase` mean nothing then. */
  #isPlain = true
  #raw = ''
  #read = ''
  /** What was taken last, where it is read as it was written. */
  #last = ''
  /** The places of the first code units of `#raw` and `#read`. */
  #rawBase = 0
  #readBase = 0
  #shifts: Shift[] = [{ from: 0, shift: 0, unseen: 0 }]
  #waiting = ''
  /** Invisible code units that may still go unseen, as of the read place `#creditAt`. */
  #credit = creditMax
  #creditAt = 0

  /** The first place that is still remembered. */
  get start(): number {
    return this.#readBase
  }

  /** How much has been read. */
  get end(): number {
    return this.#readBase + this.#read.length
  }

  /** Whether what was taken last is read as it was written, and is ASCII. */
  get isLastAscii(): boolean {
    return this.#last.length > 0
  }

  /** How much has come, what waits included. */
  get rawEnd(): number {
    return this.#isPlain ? this.end : this.#rawBase + this.#raw.length
  }

  /** The text that `start` and the others count in, for guards and validators; see `at`. */
  get text(): string {
    return this.#read
  }

  /** The index in `text` of a read place. */
  at(place: number): number {
    return place - this.#readBase
  }

  /** Takes text and returns what of it is to be read now. */
  append(chunk: string): string {
    const isPlainChunk = this.#waiting.length === 0 && nextSpecial(chunk, 0) === chunk.length
    this.#last = isPlainChunk ? chunk : ''
    if (!isPlainChunk) this.#part()
    if (!this.#isPlain) this.#raw = joined(this.#raw, chunk)
    if (isPlainChunk) return this.#took(chunk)
    const text = this.#waiting + chunk
    this.#waiting = ''
    return this.#took(this.#readAll(text))
  }

  /** From here on, the two texts are not the same. */
  #part(): void {
    if (!this.#isPlain) return
    this.#isPlain = false
    this.#raw = this.#read
    this.#rawBase = this.#readBase
  }

  /** The channel is over: what waits is read as it is written. */
  finish(): string {
    const waiting = this.#waiting
    this.#waiting = ''
    return this.#took(waiting)
  }

  #took(read: string): string {
    this.#read = joined(this.#read, read)
    return read
  }

  #readAll(text: string): string {
    const end = this.end
    let read = ''
    let from = 0
    for (let at = nextSpecial(text, 0); at < text.length; at = nextSpecial(text, from)) {
      read += text.slice(from, at)
      const taken = this.#special(text, at, end + read.length)
      if (taken === incomplete) {
        this.#waiting = text.slice(at)
        return read
      }
      from = at + taken.length
      if (taken.unit >= 0) read += String.fromCharCode(taken.unit)
      this.#shift(end + read.length, taken)
    }
    return read + text.slice(from)
  }

  /** Notes that `taken` is longer than what it is read as; `place` is the read place after it. */
  #shift(place: number, { length, unit }: Escape): void {
    const more = length - (unit >= 0 ? 1 : 0)
    if (more === 0) return
    const last = this.#shifts.at(-1) as Shift
    const unseen = unit >= 0 ? 0 : length + (last.from === place ? last.unseen : 0)
    const next = { from: place, shift: last.shift + more, unseen }
    if (last.from === place) this.#shifts[this.#shifts.length - 1] = next
    else this.#shifts.push(next)
  }

  #special(text: string, at: number, place: number): Escape | typeof incomplete {
    const unit = text.charCodeAt(at)
    const found = unit < 128 ? readEscape(text, at) : beyondAscii(text, at, unit)
    if (found === incomplete) return incomplete
    if (found === undefined) return { length: 1, unit }
    const taken = found.unit < 128 ? found : refolded(found)
    return taken.unit >= 0 ? taken : this.#unseen(taken, place)
  }

  #unseen(taken: Escape, place: number): Escape {
    this.#credit = Math.min(creditMax, this.#credit + creditPerUnit * (place - this.#creditAt))
    this.#creditAt = place
    if (this.#credit < taken.length) return { length: taken.length, unit: replacement }
    this.#credit -= taken.length
    return taken
  }

  /** Where the read code unit at `place` begins in the raw text. */
  rawAt(place: number): number {
    return place + this.#shiftAt(place).shift
  }

  /** Where the read code unit before `place` ends in the raw text. */
  rawEndAt(place: number): number {
    const { from, shift, unseen } = this.#shiftAt(place)
    return place + shift - (from === place ? unseen : 0)
  }

  #shiftAt(place: number): Shift {
    const shifts = this.#shifts
    let index = shifts.length - 1
    while ((shifts[index] as Shift).from > place) index--
    return shifts[index] as Shift
  }

  slice(rawFrom: number, rawTo: number): string {
    const { rawEnd } = this
    if (rawTo === rawEnd && rawEnd - rawFrom === this.#last.length) return this.#last
    if (this.#isPlain) return this.#read.slice(rawFrom - this.#readBase, rawTo - this.#readBase)
    return this.#raw.slice(rawFrom - this.#rawBase, rawTo - this.#rawBase)
  }

  /** Forgets what lies before a read place and, in the raw text, before `rawFrom`. */
  forget(place: number, rawFrom: number): void {
    if (this.#isPlain) {
      this.#forgetRead(Math.min(place, rawFrom))
      return
    }
    const isTrimmed = this.#forgetRead(place)
    const rawUnneeded = rawFrom - this.#rawBase
    if (rawUnneeded > spareUnits) {
      this.#raw = this.#raw.slice(rawUnneeded)
      this.#rawBase = rawFrom
    }
    if (isTrimmed) this.#rejoin()
  }

  #forgetRead(place: number): boolean {
    const unneeded = place - this.#readBase
    if (unneeded <= spareUnits) return false
    this.#read = this.#read.slice(unneeded)
    this.#readBase = place
    const first = this.#shifts.findLastIndex(({ from }) => from <= place)
    if (first > 0) this.#shifts.splice(0, first)
    return true
  }

  /** A typographic quote that has gone by should not make the rest of a text slow. */
  #rejoin(): void {
    const isShifted = this.#shifts.length > 1 || this.#shifts[0]?.shift !== 0
    if (isShifted || this.#waiting.length > 0 || this.end !== this.rawEnd) return
    const from = Math.max(this.#readBase, this.#rawBase)
    if (this.#read.slice(from - this.#readBase) !== this.#raw.slice(from - this.#rawBase)) return
    this.#isPlain = true
    this.#raw = ''
  }

  /** Adds text that is not to be scanned but stands to the left of what follows. Nothing may wait. */
  skip(text: string): void {
    this.#last = ''
    if (!this.#isPlain) this.#raw += text
    this.#read += text
  }
}

/** An empty string in front would keep a string in two pieces. */
const joined = (text: string, more: string): string => (text.length === 0 ? more : text + more)

const special = new RegExp(
  `[^\\x00-\\x7f]|[${[...escapeStarts].map((mark, unit) => (mark === 1 ? hexEscape(unit) : '')).join('')}]`,
  'g',
)
/** So many characters are looked at one by one first: in most scripts, and in escaped text, the next one is near. */
const searchedAfter = 32

/** The next code unit that may not be read as it is written. */
function nextSpecial(text: string, from: number): number {
  const near = Math.min(text.length, from + searchedAfter)
  for (let at = from; at < near; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 127 || escapeStarts[unit] === 1) return at
  }
  special.lastIndex = near
  return near < text.length && special.test(text) ? special.lastIndex - 1 : text.length
}

function hexEscape(unit: number): string {
  return `\\x${unit.toString(16).padStart(2, '0')}`
}

function beyondAscii(text: string, at: number, unit: number): Escape | typeof incomplete {
  if (!isHighSurrogate(unit)) return { length: 1, unit: foldUnit(unit) }
  if (at + 1 === text.length) return incomplete
  const low = text.charCodeAt(at + 1)
  if (!isLowSurrogate(low)) return { length: 1, unit }
  const folded = foldPoint((unit - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000)
  // A pair that stands for itself is one read code unit, so that nothing can part it.
  return { length: 2, unit: folded ?? replacement }
}

/** An escape of a character beyond ASCII is read as that character is. */
const refolded = ({ length, unit }: Escape): Escape => ({ length, unit: foldUnit(unit) })
