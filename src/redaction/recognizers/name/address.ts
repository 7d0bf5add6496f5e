import { isCapital, letters, plainCapitals } from '../../lexicon/letters.ts'
import { kindsOf, wordKind } from '../../lexicon/lexicon.ts'
import type { Guard, Recognizer, Rule, Validator } from '../../recognizer.ts'
import { corner, military, numbered, postalCode, streetFirst, unitAlone } from './address-patterns.ts'
import { AddressReader, isParticle, isProse, streetByEnding, type Token } from './address-reader.ts'
import { wordBefore } from './name-words.ts'

const lengthMax = 160
const streetWordsMax = 7
const cueWords = 6

/** What the words of a street name are worth. */
type Street = 'certain' | 'possible' | 'small' | 'none'

/** Reads the words of a street name; the reader is left after the last of them. */
function readStreet(text: string, reader: AddressReader): Street {
  const words = reader.words(streetWordsMax)
  const [first] = words
  if (first === undefined) return 'none'
  if (isStreetFirst(text, words)) return 'certain'
  const suffix = words.findLastIndex((word) => word.has(wordKind.streetLast | wordKind.streetMaybe))
  if (suffix < 0) return nameOnly(text, words)
  const word = words[suffix] as Token
  reader.keep(word)
  if (word.has(streetByEnding)) return 'certain'
  const named = words.slice(0, suffix)
  if (named.length === 0 || named.some((word) => isProse(text, word))) return 'none'
  const isNamed = named.some((word) => word.capital || !word.has(wordKind.common))
  return isNamed && word.has(wordKind.streetLast) ? 'certain' : nameOnly(text, named)
}

/** `Via Roma`, `rue de Lyon`; English has `via` and `place` in small letters before other things. */
function isStreetFirst(text: string, [first, second]: readonly Token[]): boolean {
  if (first === undefined || second === undefined || !first.has(wordKind.streetFirst)) return false
  return first.capital || second.capital || isParticle(text, second)
}

/** A street without a word for street: `6750 Koskikatu 25`, `guipúzcoa 1268`. */
function nameOnly(text: string, words: readonly Token[]): Street {
  if (words.some((word) => word.has(wordKind.calendar) || isProse(text, word))) return 'none'
  if (words.every((word) => word.has(wordKind.common) || word.end - word.start < 3)) return 'none'
  const isCapitalized = words[0]?.capital && words.every((word) => word.capital || isParticle(text, word))
  return isCapitalized ? 'possible' : 'small'
}

/** `12 Main Street, Apt. 4, Springfield, IL 62704` and `6750 Koskikatu 25`: a number comes first. */
function isNumberedAddress(text: string, start: number, end: number): boolean {
  const reader = new AddressReader(text, start, end)
  if (isProse(text, reader.last())) return false
  const numbers = reader.numbers()
  const street = readStreet(text, reader)
  if (street === 'none') return false
  const after = reader.numbers()
  const units = reader.units()
  if (!reader.locality(units > 0 || after > 0 ? 'number' : 'street')) return false
  if (street === 'certain' || units > 0) return true
  if (street === 'small' || followsDigits(text, start)) return false
  return after === 1 || numbers === 2 || hasAddressCue(text, start)
}

/** The last groups of a telephone number are no house number. */
const followsDigits = (text: string, start: number): boolean =>
  /[0-9)] $/.test(text.slice(Math.max(0, start - 2), start))

/** `Via Roma 12, 00184 Roma` and `Hauptstraße 5`: the street comes first. */
function isStreetAddress(text: string, start: number, end: number): boolean {
  const reader = new AddressReader(text, start, end)
  if (isProse(text, reader.last())) return false
  const street = readStreet(text, reader)
  if (street === 'none' || reader.numbers() !== 1) return false
  if (street !== 'certain' && !hasAddressCue(text, start)) return false
  const units = reader.units()
  return reader.locality(units > 0 ? 'number' : 'street')
}

const outlookUnits = 48

/** The number comes right behind the name of a street, in which there is no prose. */
const outlook: Validator = (text, start, end) =>
  !new AddressReader(text, start, Math.min(end, start + outlookUnits)).isProseFirst()

/** A street does not begin inside a run of capitalized words: the run is read from its first word on. */
function isOutside(text: string, start: number): boolean {
  if (text.charCodeAt(start - 1) !== 32) return true
  const word = wordBefore(text, start, 1)
  if (word === undefined || !isCapital(text.charCodeAt(word.start))) return true
  if ((word.kinds & (wordKind.common | wordKind.title | wordKind.addressCue)) === 0) return false
  const other = text.charCodeAt(word.start - 1) === 32 ? wordBefore(text, word.start, 1) : undefined
  return other === undefined || !isCapital(text.charCodeAt(other.start))
}

const mayBeginStreet: Guard = Object.assign(isOutside, { outlook })

/** `the corner of Via Nuova 85 and Baranyay Mill`. */
function isCorner(text: string, _start: number, end: number): boolean {
  const last = wordBefore(text, end, 8)
  return last !== undefined && isCapital(text.charCodeAt(last.start))
}

/** `ZIP: 35649`, `My zip code is 35649`. */
function followsPostalCue(text: string, start: number): boolean {
  return /(?:zip|postal|post|postcode|plz|cap|cep)(?:[ -]?code)?(?: is)?\s?[:=]?\s?$/i.test(
    text.slice(Math.max(0, start - 24), start),
  )
}

/** `lives at`, `my new address is`: one of the words before says that an address follows. */
function hasAddressCue(text: string, start: number): boolean {
  let at = start
  for (let count = 0; count < cueWords; count++) {
    const word = wordBefore(text, at, 6)
    if (word === undefined) return false
    if ((kindsOf(text, word.start, word.end) & wordKind.addressCue) !== 0) return true
    at = word.start
  }
  return false
}

const left = { not: `${letters}0-9_@#/\\\\.,$'\\-` }
const right = { not: `${letters}0-9_@`, notPair: { near: '.,:', far: '0-9' } }

const rules: readonly Rule[] = [
  { pattern: numbered, left, right, lengthMax, validate: isNumberedAddress },
  { pattern: streetFirst, left, right, lengthMax, guard: mayBeginStreet, validate: isStreetAddress },
  { pattern: military, ignoreCase: true, left, right, lengthMax },
  { pattern: unitAlone, ignoreCase: true, left, right, lengthMax },
  {
    pattern: corner,
    left,
    right: { not: `${letters}0-9_@`, notPair: { near: ' ', far: plainCapitals } },
    lengthMax,
    validate: isCorner,
  },
  {
    pattern: `[0-9]{4,6}|[0-9]{3} [0-9]{2}|${postalCode}`,
    left,
    right,
    lengthMax: 12,
    guard: followsPostalCue,
  },
]

export const address: Recognizer = {
  id: 'address',
  entity: 'ADDRESS',
  category: 'contact',
  tier: 3,
  family: 'name',
  rules,
  examples: {
    match: [
      '12 Main Street',
      '742 Evergreen Terrace, Springfield, IL 62704',
      '1600 Pennsylvania Avenue NW, Washington, DC 20500',
      '6750 Koskikatu 25 Apt. 864\nArtilleros\n, CO\n Uruguay 64677',
      '17 1467 Hastings Street\nCAHORS, MP 58681',
      '12, rue de la Paix, 75002 Paris',
      'Via Goffredo Mameli 149, Roma',
      'ul. Polna 12',
      'Villacher Strasse 89',
      'Grolmanstraße 25',
      'Kálmán Imre u. 12',
      'Árpád fejedelem útja 3',
      'Avenida Pedro Ulisses 888',
      'Mannerheimintie 5',
      'P.O. Box 104',
      'PSC 1437, Box 3833\nAPO AA 66791',
      'Apt. 762',
      'the corner of Via Nuova 85 and Kesä Street',
      { before: 'She lives at ', value: 'Brisas 6802' },
      { before: 'ZIP: ', value: '48750' },
    ],
    miss: [
      'There are 16 eggs in a row and 3 boxes',
      'In 2019 Boeing had 2 models',
      'on 12 January 2020 we met',
      '3. 1 The Borrower',
      'Section 5 of the Agreement',
      'it costs 12 dollars via bank transfer',
      'call 0494 92 82 32 today',
      'version 4.2 Street Fighter',
      '48750',
      'I have 5 Apples and 10 Oranges',
    ],
  },
}
