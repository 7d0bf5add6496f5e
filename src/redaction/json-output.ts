import type { Finding, Replacer } from './finding.ts'
import type { Output } from './rewrite.ts'

/** A number token this long is written out as it comes; until then it can still become a string. */
export const numberHeldMax = 64

/** What JSON.stringify would leave as it is. */
const plain = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/

/** The text as it stands in a JSON string. */
const escaped = (text: string): string => (plain.test(text) ? text : JSON.stringify(text).slice(1, -1))

const isNumberUnit = (unit: number): boolean =>
  (unit >= 48 && unit <= 57) || unit === 43 || unit === 45 || unit === 46 || unit === 69 || unit === 101

/** A number in words that hide it: an exponent, or zeros before it. */
const isDisguised = /[eE]|^-?0\d/

/** The most places an exponent may move the point: no value is longer. */
const placesMax = 64

/** The digits before the point of a number, written out; nothing where the number says them plainly already. */
export function writtenOut(number: string): string | undefined {
  if (!isDisguised.test(number)) return undefined
  const parts = /^-?(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(number)
  if (parts === null) return undefined
  const [, whole = '', fraction = '', exponent = '0'] = parts
  const places = whole.length + Number(exponent)
  if (places <= 0 || places > placesMax) return undefined
  return (whole + fraction).padEnd(places, '0').slice(0, places).replace(/^0+/, '')
}

/**
 * Says what stands in place of a number, if anything; its last character stands `units` after what was put out before.
 */
export type NumberJudge = (number: string, units: number) => string | undefined

const beginsNumber = (unit: number): boolean => (unit >= 48 && unit <= 57) || unit === 45

/**
 * Writes what leaves the scanner so that JSON stays JSON. Inside a string it escapes; outside, a number that holds a
 * masked value becomes a string, so it is held until it ends (a number too long to hold gets a 0 in that place).
 */
export class JsonOutput implements Output {
  mode: 'outside' | 'string' | 'plain' = 'outside'
  #pending = ''
  /** How much of the current number is held, or that the rest of it is written or dropped as it comes. */
  #number: 'none' | 'held' | 'written' | 'dropped' = 'none'
  #heldNumber = ''
  readonly #replacer: Replacer
  readonly #judge: NumberJudge

  constructor(replacer: Replacer, judge: NumberJudge) {
    this.#replacer = replacer
    this.#judge = judge
  }

  get held(): number {
    return this.#heldNumber.length
  }

  text(piece: string): void {
    if (this.mode === 'outside') this.#outside(piece)
    else this.#pending += this.mode === 'string' ? escaped(piece) : piece
  }

  mask(found: Pick<Finding, 'entity' | 'action'>, value: string | undefined): void {
    const replacement = this.#replacer.replace(found, value)
    if (this.mode === 'string') this.#pending += escaped(replacement)
    else if (this.mode === 'plain') this.#pending += replacement
    else if (this.#number === 'written') this.#pending += '0'
    else if (this.#number !== 'dropped') {
      this.#heldNumber = ''
      this.#pending += JSON.stringify(replacement)
      this.#number = 'dropped'
    }
  }

  /** Writes as it is: a quote, or an escape that was never finished. */
  raw(piece: string): void {
    this.#pending += piece
  }

  /** No number goes on over this place. */
  endNumber(units = 0): void {
    const replacement = this.#number === 'held' ? this.#judge(this.#heldNumber, units) : undefined
    this.#pending += replacement === undefined ? this.#heldNumber : JSON.stringify(replacement)
    this.#heldNumber = ''
    this.#number = 'none'
  }

  take(): string {
    const taken = this.#pending
    this.#pending = ''
    return taken
  }

  #outside(piece: string): void {
    for (let index = 0; index < piece.length; index++) {
      const unit = piece.charCodeAt(index)
      const inNumber = this.#number === 'none' ? beginsNumber(unit) : isNumberUnit(unit)
      if (inNumber) {
        this.#numberUnit(piece.charAt(index))
      } else {
        this.endNumber(index)
        this.#pending += piece.charAt(index)
      }
    }
  }

  #numberUnit(char: string): void {
    if (this.#number === 'none') this.#number = 'held'
    if (this.#number === 'held') this.#heldNumber += char
    if (this.#number === 'written') this.#pending += char
    if (this.#heldNumber.length < numberHeldMax) return
    this.#pending += this.#heldNumber
    this.#heldNumber = ''
    this.#number = 'written'
  }
}
