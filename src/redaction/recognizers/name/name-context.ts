import { isCapital, isLetter } from '../../lexicon/letters.ts'
import { isInflected, kindsOf, wordKind } from '../../lexicon/lexicon.ts'
import { type Word, wordAt, wordBefore } from './name-words.ts'

/**
 * What the text before a name says. `name`: that one follows. `place`: rather a place. Only the left is
 * looked at, as everywhere: a stream must decide as a whole text does.
 */
export type Cue = 'name' | 'place' | 'none'

const [space, comma, dot] = [32, 44, 46] as const
const gapMax = 6

function cueOfWord(text: string, word: Word): Cue {
  if ((word.kinds & wordKind.nameCue) !== 0) return 'name'
  const before = wordBefore(text, word.start, 1)
  if (before !== undefined && (kindsOf(text, before.start, word.end) & wordKind.nameCuePair) !== 0)
    return 'name'
  return (word.kinds & wordKind.placeCue) !== 0 ? 'place' : 'none'
}

/** What parts a word from the name after it: only spaces, or one mark and spaces. */
type Gap = 'spaces' | 'comma' | 'dot' | 'colon' | 'other'

function gapBetween(text: string, start: number, end: number): Gap {
  const gap = text.slice(start, end)
  if (gap.includes(':')) return 'colon'
  if (/^ +$/.test(gap)) return 'spaces'
  if (/^, +$/.test(gap)) return 'comma'
  return /^\. +$/.test(gap) ? 'dot' : 'other'
}

export function cueBefore(text: string, start: number): Cue {
  const word = wordBefore(text, start, gapMax)
  if (word === undefined) return 'none'
  const gap = gapBetween(text, word.end, start)
  if (gap === 'colon') return (word.kinds & wordKind.nameLabel) === 0 ? 'none' : 'name'
  if (gap === 'other') return 'none'
  if (gap !== 'comma' && (word.kinds & wordKind.title) !== 0) return 'name'
  return gap === 'dot' ? 'none' : cueOfWord(text, word)
}

export const isCapitalized = (text: string, { start }: Word): boolean => isCapital(text.charCodeAt(start))

const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57

/** `12 Victor Hugo` is an address; in `1978 Victor Hugo` the number is a year. */
function followsNumber(text: string, start: number): boolean {
  let from = start - 1
  while (from > 0 && start - from < 7 && isDigit(text.charCodeAt(from - 1))) from--
  if (from === start - 1) return false
  const century = text.slice(from, from + 2)
  return start - 1 - from !== 4 || (century !== '19' && century !== '20')
}

const opensName = wordKind.title | wordKind.nameCue | wordKind.nameLabel

/**
 * A name may not begin inside a run of capitalized words, unless what comes before is no name: `Yesterday
 * John`.
 */
export function beginsInside(text: string, start: number): boolean {
  if (text.charCodeAt(start - 1) !== space) return false
  const word = wordBefore(text, start, 2)
  if (word === undefined) return followsNumber(text, start)
  if (!isCapitalized(text, word)) return false
  if (word.end !== start - 1) return text.charCodeAt(word.end) === dot && word.end - word.start === 1
  if ((word.kinds & opensName) !== 0) return false
  if ((word.kinds & wordKind.placeCue) !== 0) return true
  if ((word.kinds & (wordKind.common | wordKind.calendar)) !== 0) return (word.kinds & wordKind.given) !== 0
  return !(word.kinds === 0 && (isInflected(text, word.start, word.end) || hasApostrophe(text, word)))
}

const hasApostrophe = (text: string, { start, end }: Word): boolean => text.slice(start, end).includes("'")

const joiners = new Set(['and', 'or', 'y', 'e', 'et', 'und', 'en', 'og', 'och', 'i'])
const noName =
  wordKind.common | wordKind.place | wordKind.neverName | wordKind.organization | wordKind.calendar

function isName(text: string, { start, end }: Word): boolean {
  if (!isCapital(text.charCodeAt(start))) return false
  const { kinds, familyLike } = wordAt(text, start, end)
  return (familyLike || (kinds & (wordKind.given | wordKind.surname)) !== 0) && (kinds & noName) === 0
}

/** Whether a name stands before a comma or `and`: `Kónya, Becker and Vasquez`. */
export function followsName(text: string, start: number): boolean {
  const word = wordBefore(text, start, 2)
  if (word === undefined) return false
  if (text.charCodeAt(word.end) === comma) return isName(text, word)
  if (word.end - word.start > 3 || !joiners.has(text.slice(word.start, word.end))) return false
  const other = wordBefore(text, word.start, 2)
  return other !== undefined && isName(text, other)
}

/** Whether what comes before is the middle of a sentence, so that a capital means a name of something. */
export function isMidSentence(text: string, start: number): boolean {
  const unit = text.charCodeAt(start - 2)
  return text.charCodeAt(start - 1) === space && (unit === comma || (isLetter(unit) && !isCapital(unit)))
}
