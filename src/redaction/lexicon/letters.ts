import { foldUnit } from '../fold.ts'

/**
 * Letters as words are compared: lower case, without diacritics, letters of other scripts that look like
 * Latin ones as those (the scanner folds its text the same way), one code unit for one. So a word of a text
 * can be looked up where it stands. Letters above U+052F have no lists and fold to 0.
 */
const foldedUnits = 0x530
const asciiUnits = 128

/** Letters that have no decomposition, and the final sigma. */
const others: Readonly<Record<string, string>> = {
  ß: 's',
  æ: 'a',
  œ: 'o',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 't',
  ł: 'l',
  ı: 'i',
  ħ: 'h',
  ŧ: 't',
  ŋ: 'n',
  ς: 'σ',
}

const unitOf = (char: string): number => char.charCodeAt(0)

/** The ASCII letter that a letter looks like, in small or, where it has none, as a capital (`н` like `H`). */
function lookalike(lower: string): number {
  for (const unit of [unitOf(lower), unitOf(lower.toUpperCase())]) {
    const folded = unit < asciiUnits ? unit : foldUnit(unit)
    if (folded > 1 && folded < asciiUnits) return unitOf(String.fromCharCode(folded).toLowerCase())
  }
  return unitOf(lower)
}

function foldLetter(unit: number): number {
  const lower = String.fromCharCode(unit).toLowerCase()
  return lookalike(others[lower] ?? lower.normalize('NFD').charAt(0))
}

const foldedLetters = Uint16Array.from({ length: foldedUnits }, (_, unit) => foldLetter(unit))

/** A code unit folded; typographic apostrophes become plain. */
export function foldedUnit(unit: number): number {
  if (unit < foldedUnits) return foldedLetters[unit] as number
  return unit === 0x2019 ? 39 : 0
}

const letterFlag = 1
const capitalFlag = 2

function kindOf(unit: number): number {
  const char = String.fromCharCode(unit)
  if (!/\p{L}/u.test(char)) return 0
  return char.toLowerCase() === char ? letterFlag : letterFlag | capitalFlag
}

const kinds = Uint8Array.from({ length: foldedUnits }, (_, unit) => kindOf(unit))

export const isLetter = (unit: number): boolean => unit < foldedUnits && kinds[unit] !== 0
export const isCapital = (unit: number): boolean =>
  unit < foldedUnits && ((kinds[unit] as number) & capitalFlag) !== 0

/**
 * Class members for patterns: every letter up to U+052F. In Latin Extended, capitals and small letters
 * alternate; `capitals` has both there, and the recognizers ask `isCapital` again.
 */
export const letters = 'A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0386\u0388-\u0481\u048a-\u052f'
export const capitals = 'A-Z\u00c0-\u00d6\u00d8-\u00de\u0100-\u024f\u0386-\u03ab\u0400-\u042f'
/** Capitals alone, and nearly all of them. */
export const plainCapitals = 'A-Z\u00c0-\u00d6\u00d8-\u00de\u0386-\u03ab\u0400-\u042f'
