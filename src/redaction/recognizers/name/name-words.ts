import { isCapital, isLetter } from '../../lexicon/letters.ts'
import { endingKind, endingKinds, isInflected, kindsOf, wordKind } from '../../lexicon/lexicon.ts'
import { leftContextUnits } from '../../recognizer.ts'

const apostrophe = 39
const hyphen = 45
/** Longer words are no names. */
const wordUnitsMax = 32

/** A word of a text: where it stands, and its kinds (`wordKind`), of which a name asks more than once. */
export interface Word {
  readonly start: number
  readonly end: number
  readonly kinds: number
  /** In no list, but it ends like a family name of some language. */
  readonly familyLike: boolean
}

const isWordUnit = (unit: number): boolean => isLetter(unit) || unit === apostrophe || unit === hyphen

const listed = wordKind.given | wordKind.surname | wordKind.place | wordKind.organization

/** The kinds of a word, or of the halves of one with a hyphen. */
function kindsWithHyphen(text: string, start: number, end: number): number {
  const kinds = kindsOf(text, start, end)
  if (kinds !== 0) return kinds
  for (let at = start + 1; at < end; at++)
    if (text.charCodeAt(at) === hyphen) return kindsOf(text, start, at) | kindsOf(text, at + 1, end)
  return 0
}

/** `'s` and the like: the word is no name as it stands. */
function hasEnclitic(text: string, start: number, end: number): boolean {
  for (let at = Math.max(start, end - 3); at < end; at++)
    if (text.charCodeAt(at) === apostrophe) return /^'(?:s|d|m|t|ll|re|ve)?$/i.test(text.slice(at, end))
  return false
}

function guessKinds(text: string, start: number, end: number): number {
  if (isInflected(text, start, end)) return wordKind.common
  return (endingKinds(text, start, end) & endingKind.street) === 0 ? 0 : wordKind.neverName
}

/**
 * A street word that is also a family name (`Field`, `Way`) may be one; `Rue`, `Calle` and `Utca` are none.
 */
function isStreetWord(kinds: number): boolean {
  if ((kinds & wordKind.streetFirst) !== 0) return (kinds & wordKind.given) === 0
  return (
    (kinds & (wordKind.streetLast | wordKind.streetMaybe)) !== 0 &&
    (kinds & (wordKind.surname | wordKind.given)) === 0
  )
}

export function wordAt(text: string, start: number, end: number): Word {
  let kinds = kindsWithHyphen(text, start, end)
  if (kinds === 0) kinds = guessKinds(text, start, end)
  if ((kinds & wordKind.calendar) !== 0) kinds |= wordKind.common
  const neverName = wordKind.neverName | wordKind.organization
  if (isStreetWord(kinds) || hasEnclitic(text, start, end)) kinds |= wordKind.neverName
  const familyLike =
    (kinds & (listed | wordKind.common | neverName)) === 0 &&
    (endingKinds(text, start, end) & endingKind.family) !== 0
  return { start, end, kinds, familyLike }
}

/** Where the word ends that stands before `at`, with at most `gapMax` other characters between, or -1. */
function endBefore(text: string, at: number, gapMax: number): number {
  const floor = Math.max(0, at - leftContextUnits)
  let end = at
  while (end > floor && at - end < gapMax && !isWordUnit(text.charCodeAt(end - 1))) end--
  return end > floor && isWordUnit(text.charCodeAt(end - 1)) ? end : -1
}

/** The word that stands before `at`, with at most `gapMax` other characters between. */
export function wordBefore(text: string, at: number, gapMax: number): Word | undefined {
  const end = endBefore(text, at, gapMax)
  if (end < 0) return undefined
  const floor = Math.max(0, at - leftContextUnits)
  let start = end
  while (start > floor && isWordUnit(text.charCodeAt(start - 1))) start--
  return { start, end, kinds: kindsWithHyphen(text, start, end), familyLike: false }
}

/** The capitalized words between two places; dots and spaces part them. */
export function capitalizedWords(text: string, start: number, end: number): Word[] {
  const words: Word[] = []
  let from = -1
  for (let index = start; index <= end; index++) {
    if (index < end && isWordUnit(text.charCodeAt(index))) {
      if (from < 0) from = index
    } else if (from >= 0) {
      if (isCapital(text.charCodeAt(from))) words.push(wordAt(text, from, index))
      from = -1
    }
  }
  return words
}

/** The word that begins at `start`, if it ends before `end` and no hyphen or apostrophe is in it. */
export function plainWord(text: string, start: number, end: number): Word | undefined {
  const limit = Math.min(end, start + wordUnitsMax)
  let at = start
  while (at < limit && isLetter(text.charCodeAt(at))) at++
  return at === limit || isWordUnit(text.charCodeAt(at)) ? undefined : wordAt(text, start, at)
}

/** No small letter: an acronym, or a text in capitals. */
export function isShouted(text: string, { start, end }: Word): boolean {
  if (end - start === 1) return false
  for (let index = start; index < end; index++) {
    const unit = text.charCodeAt(index)
    if (isLetter(unit) && !isCapital(unit)) return false
  }
  return true
}
