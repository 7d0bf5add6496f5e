import { capitals, isCapital, letters, plainCapitals } from '../../lexicon/letters.ts'
import { kindsOf, wordKind } from '../../lexicon/lexicon.ts'
import type { Guard, Recognizer, Validator } from '../../recognizer.ts'
import { beginsInside, cueBefore, followsName, isMidSentence } from './name-context.ts'
import { capitalizedWords, isShouted, plainWord, type Word } from './name-words.ts'

const lengthMax = 64
const singleLengthMin = 3
const listedName = wordKind.given | wordKind.surname

const is = ({ kinds }: Word, kind: number): boolean => (kinds & kind) !== 0
const isKnown = (word: Word): boolean => word.familyLike || is(word, listedName)
const isInitial = ({ start, end }: Word): boolean => end - start === 1
const isNever = (word: Word): boolean => !isInitial(word) && is(word, wordKind.neverName)
/** `Dupont` is a family name as well as a company; `Microsoft` is not. */
const isCompany = (word: Word): boolean => is(word, wordKind.organization) && !is(word, listedName)

function isSingleName(text: string, word: Word): boolean {
  if (word.end - word.start < singleLengthMin || isShouted(text, word)) return false
  const cue = cueBefore(text, word.start)
  if (cue === 'name') return !is(word, wordKind.common) || is(word, listedName)
  if (cue === 'place' || is(word, wordKind.place | wordKind.organization)) return false
  if (is(word, wordKind.common)) return is(word, listedName) && followsName(text, word.start)
  return isKnown(word) || followsName(text, word.start)
}

/** `A` and `I` begin sentences and titles; as initials they have a dot. */
const isArticle = (text: string, word: Word): boolean =>
  isInitial(word) && text.charCodeAt(word.end) !== 46 && 'AI'.includes(text.charAt(word.start))

/** Whether the last word can end a name that nothing but its words speaks for. */
function isFamilyName(first: Word, last: Word): boolean {
  if (is(last, wordKind.place)) return is(first, wordKind.given) && is(last, wordKind.surname)
  if (!is(last, wordKind.common)) return true
  if (!is(last, wordKind.surname)) return false
  return !is(last, wordKind.landmark) || !is(first, wordKind.common | wordKind.surname)
}

/** Names in capitals, and with acronyms in them. */
function isShoutedName(words: readonly Word[], shouted: number): boolean {
  const [first, last] = [words[0] as Word, words[words.length - 1] as Word]
  if (shouted !== words.length || is(first, wordKind.common) || is(last, wordKind.common)) return false
  return is(first, wordKind.given) && is(last, wordKind.surname)
}

/** `van`, `bin`: between two capitalized words they make a name, as `de` does not (`Virrey de Lima`). */
const hasParticle = (text: string, start: number, end: number): boolean =>
  / (?:van|von|vom|der|den|ter|ten|bin|ibn|bint|zu|zur|af|av) /.test(text.slice(start, end))

function isUncuedName(text: string, words: readonly Word[]): boolean {
  const [first, last] = [words[0] as Word, words[words.length - 1] as Word]
  if (!isFamilyName(first, last)) return false
  if (is(first, wordKind.common)) {
    if (!is(first, wordKind.given)) return false
    return (!is(last, wordKind.common) && isKnown(last)) || isMidSentence(text, first.start)
  }
  if (is(first, wordKind.given) || isInitial(first)) return true
  if (is(first, wordKind.place)) return false
  return isKnown(last) || words.some(isInitial) || hasParticle(text, first.end, last.start)
}

function isFullName(text: string, words: readonly Word[]): boolean {
  const [first, last] = [words[0] as Word, words[words.length - 1] as Word]
  if (isArticle(text, first)) return false
  if (isInitial(last)) return words.length === 2 && is(first, wordKind.given) && !is(first, wordKind.common)
  const shouted = words.filter((word) => isShouted(text, word)).length
  if (shouted > 0) return isShoutedName(words, shouted)
  if (isUncuedName(text, words)) return true
  const bothCommon = is(first, wordKind.common) && is(last, wordKind.common)
  const bothListed = is(first, wordKind.given) && is(last, wordKind.surname)
  if (is(first, wordKind.common) && !is(first, listedName)) return false
  return (!bothCommon || bothListed) && cueBefore(text, first.start) === 'name'
}

/** Asked before a thread begins: most capitalized words of a run never have one. */
const isOutside = (text: string, start: number): boolean => !beginsInside(text, start)

/** A common word that is no name (`The`, `What`) begins none, a street or a company neither; `isPerson` agrees. */
const isNoName = (word: Word): boolean =>
  isNever(word) || isCompany(word) || (is(word, wordKind.common) && !is(word, listedName))

const outlook: Validator = (text, start, end) => {
  const word = plainWord(text, start, end)
  return word === undefined || isInitial(word) || !isNoName(word)
}

const mayBegin: Guard = Object.assign(isOutside, { outlook })

function isPerson(text: string, start: number, end: number): boolean {
  if (!isCapital(text.charCodeAt(start))) return false
  const words = capitalizedWords(text, start, end)
  if (words.some(isNever) || words.some(isCompany) || isNoName(words[0] as Word)) return false
  if (words.length === 1) return isSingleName(text, words[0] as Word)
  if ((kindsOf(text, start, end) & (wordKind.place | wordKind.organization)) !== 0) return false
  return isFullName(text, words)
}

const word = `[${capitals}][${letters}]*(['\\-][${letters}]+)?`
const initials = `[${capitals}]\\.([${capitals}]\\.)?`
const particle = `(${[
  'van|von|de|der|den|del|della|di|da|dos|das|du|la|le|las|los',
  'bin|ibn|bint|al|el|ben|ter|ten|zu|zur|y|af|av',
].join('|')})`
const part = `(${word}|${initials})`
const further = ` (${particle} )?(${particle} )?${part}`

/** The run of capitalized words must be seen whole (`Wells Fargo Bank`); `I` may follow a name. */
const capitalAfter = `${plainCapitals.replace('A-Z', 'A-HJ-Z')}&`

export const person: Recognizer = {
  id: 'person',
  entity: 'PERSON',
  category: 'name',
  tier: 3,
  family: 'name',
  rules: [
    {
      pattern: `${part}(${further}(${further}(${further})?)?)?`,
      left: { not: `${letters}0-9_@#/\\\\.&$\\-`, notPair: { near: "'", far: letters } },
      right: { not: `${letters}0-9_@(=`, notPair: { near: ' .\\-', far: capitalAfter } },
      lengthMax,
      guard: mayBegin,
      validate: isPerson,
    },
  ],
  examples: {
    match: [
      'Natasha Higuchi',
      'Maika van de Noort',
      'J.K. Rowling',
      'Soib K. Kishiev',
      "Hughie O'Donoghue",
      'Jean-Pierre Dupont',
      'Brynjólfur Þórsson',
      'Šárka Nováková',
      'Александр Иванов',
      'WILLIAM JOHNSON',
      'Tomomi Nishiyama',
      'Jennifer',
      { before: 'Yesterday ', value: 'Keith Williams' },
      { before: 'My name is ', value: 'Tamerlan' },
      { before: 'Mr. ', value: 'Rednjak' },
      { before: 'Dear ', value: 'Grace' },
      { before: 'Patient: ', value: 'Zargan Vedzizhev' },
    ],
    miss: [
      'Please Mark the date in May, Will you?',
      'Paris, Texas and New York are cities in America',
      'Wells Fargo Bank and Johnson University',
      'Monday January',
      'the United Nations',
      'Math.Random()',
      'john smith',
      'VI Corps',
      'A Beautiful Lie',
      '12 Victor Hugo',
      'new Map(Grace)',
      '@Jennifer and #Jennifer',
    ],
  },
}
