import { letterBits } from './rarity/bigrams.ts'

const upperCase = 1
const lowerCase = 2
const digit = 3
const other = 4

function classOf(unit: number): number {
  if (unit >= 97 && unit <= 122) return lowerCase
  if (unit >= 65 && unit <= 90) return upperCase
  if (unit >= 48 && unit <= 57) return digit
  return other
}

/** Whether a token holds a digit or mixes cases: `xxxx`, `your-key-here` and `YOUR_KEY` do not. */
export function looksRandom(text: string, start: number, end: number): boolean {
  let upper = false
  let lower = false
  for (let index = start; index < end; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 48 && unit <= 57) return true
    upper ||= unit >= 65 && unit <= 90
    lower ||= unit >= 97 && unit <= 122
  }
  return upper && lower
}

const digitBits = Math.log2(10)
/** A change between letters and digits, which words and identifiers rarely have more than once. */
const switchBits = 7
/** A capital inside a word begins the next word of an identifier. */
const humpBits = 1.5
/** A small letter behind two capitals or more, as in `HTMLElement`. */
const acronymBits = 1

const isLetter = (unitClass: number): boolean => unitClass <= lowerCase

function transitionBits(text: string, index: number, unitClass: number, before: number): number {
  if (unitClass === other) return 2
  if (unitClass === digit) return before === digit ? digitBits : before === other ? digitBits + 1 : switchBits
  const letter = (text.charCodeAt(index) | 32) - 97
  if (before === digit) return switchBits
  if (!isLetter(before)) return letterBits(-1, letter)
  if (unitClass === upperCase && before === lowerCase) return letterBits(-1, letter) + humpBits
  const bits = letterBits((text.charCodeAt(index - 1) | 32) - 97, letter)
  const acronym =
    unitClass === lowerCase &&
    before === upperCase &&
    index >= 2 &&
    classOf(text.charCodeAt(index - 2)) === upperCase
  return acronym ? bits + acronymBits : bits
}

/**
 * Mean surprise of a token in bits for each character, under a model of English words and identifiers: about
 * 3.5 for words, 5 and more for random letters, and for letters and digits that take turns.
 */
export function surprisal(text: string, start: number, end: number): number {
  let bits = 0
  let before = other
  for (let index = start; index < end; index++) {
    const unitClass = classOf(text.charCodeAt(index))
    bits += transitionBits(text, index, unitClass, before)
    before = unitClass
  }
  return bits / Math.max(1, end - start)
}
