import * as cues from './cue-words.ts'
import { foldedUnit } from './letters.ts'
import * as streets from './street-words.ts'
import { eachHash, hashOf, readPackedList } from './word-list.ts'

/** What a word may be; several at once (`Paris`, `Rose`). */
export const wordKind = {
  given: 1,
  surname: 1 << 1,
  common: 1 << 2,
  place: 1 << 3,
  organization: 1 << 4,
  title: 1 << 5,
  nameCue: 1 << 6,
  nameCuePair: 1 << 7,
  nameLabel: 1 << 8,
  calendar: 1 << 9,
  placeCue: 1 << 10,
  neverName: 1 << 11,
  landmark: 1 << 12,
  /** Before the name of a street (`Rue`), after it (`Street`), or either. */
  streetFirst: 1 << 13,
  streetLast: 1 << 14,
  /** A part of a building or a box: `Apt`, `Suite`. */
  unit: 1 << 15,
  addressCue: 1 << 16,
  /** After the name of a street, and of much else: `View`, `Point`. */
  streetMaybe: 1 << 17,
} as const

const files = [
  ['given-names', wordKind.given],
  ['surnames', wordKind.surname],
  ['common-words', wordKind.common],
  ['places', wordKind.place],
  ['organizations', wordKind.organization],
] as const

const lists = [
  [cues.titles, wordKind.title],
  [cues.nameCues, wordKind.nameCue],
  [cues.nameLabels, wordKind.nameLabel],
  [cues.calendarWords, wordKind.calendar],
  [cues.placeCues, wordKind.placeCue],
  [cues.neverNames, wordKind.neverName],
  [cues.landmarks, wordKind.landmark],
  [streets.streetFirst, wordKind.streetFirst],
  [streets.streetLast, wordKind.streetLast],
  [streets.streetMaybe, wordKind.streetMaybe],
  [streets.unitWords, wordKind.unit],
  [streets.addressCues, wordKind.addressCue],
] as const

export const endingKind = { family: 1, street: 2 } as const

const slots = 1 << 17

/**
 * A hash table of hashes: look-ups allocate nothing. Two words with one hash are taken for each other (1 in
 * 80,000).
 */
class HashTable {
  readonly #hashes: Uint32Array
  readonly #kinds: Uint32Array

  constructor(slots: number) {
    this.#hashes = new Uint32Array(slots)
    this.#kinds = new Uint32Array(slots)
  }

  #slot(hash: number): number {
    const mask = this.#hashes.length - 1
    let slot = (hash ^ (hash >>> 15)) & mask
    while (this.#hashes[slot] !== 0 && this.#hashes[slot] !== hash) slot = (slot + 1) & mask
    return slot
  }

  add(hash: number, kind: number): void {
    const slot = this.#slot(hash)
    this.#hashes[slot] = hash
    this.#kinds[slot] = (this.#kinds[slot] as number) | kind
  }

  addWords(words: readonly string[], kind: number): void {
    for (const word of words) this.add(hashOf(word, 0, word.length, foldedUnit), kind)
  }

  kinds(text: string, start: number, end: number): number {
    return this.#kinds[this.#slot(hashOf(text, start, end, foldedUnit))] as number
  }
}

const split = (list: string): readonly string[] => list.trim().split(/\s+/)

function buildWords(): HashTable {
  const table = new HashTable(slots)
  for (const [name, kind] of files)
    eachHash(readPackedList(name), foldedUnit, (hash) => table.add(hash, kind))
  for (const [list, kind] of lists) table.addWords(split(list), kind)
  table.addWords(cues.nameCuePairs.split('|'), wordKind.nameCuePair)
  return table
}

const endings = new HashTable(1 << 10)
endings.addWords(split(cues.familyEndings), endingKind.family)
endings.addWords(split(streets.streetEndings), endingKind.street)

let words: HashTable | undefined

/**
 * Reads the word lists (about 50 ms, once): where a profile with names is made ready, so that no request
 * pays for it.
 */
export function loadLexicon(): void {
  words ??= buildWords()
}

/** The kinds of a word (or of several with single spaces between them); 0 where no list has it. */
export function kindsOf(text: string, start: number, end: number): number {
  words ??= buildWords()
  return words.kinds(text, start, end)
}

const inflections = ['s', 'es', 'ed', 'd', 'ing', 'ly'] as const
const stemMin = 3

function endsWith(text: string, end: number, ending: string): boolean {
  const from = end - ending.length
  for (let index = 0; index < ending.length; index++)
    if (foldedUnit(text.charCodeAt(from + index)) !== ending.charCodeAt(index)) return false
  return true
}

/** Whether a word that is in no list is the regular inflection of a common one. */
export const isInflected = (text: string, start: number, end: number): boolean =>
  inflections.some((ending) => {
    const stem = end - ending.length
    if (stem - start < stemMin || !endsWith(text, end, ending)) return false
    return (kindsOf(text, start, stem) & wordKind.common) !== 0
  })

const endingMin = 2
const endingMax = 9

/** What the end of a word says about it, after at least three letters. */
export function endingKinds(text: string, start: number, end: number): number {
  let kinds = 0
  for (let length = endingMin; length <= endingMax && end - length - start >= stemMin; length++)
    kinds |= endings.kinds(text, end - length, end)
  return kinds
}
