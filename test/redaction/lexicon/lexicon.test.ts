import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isCapital, isLetter } from '../../../src/redaction/lexicon/letters.ts'
import {
  endingKind,
  endingKinds,
  isInflected,
  kindsOf,
  wordKind,
} from '../../../src/redaction/lexicon/lexicon.ts'
import { eachHash, hashOf } from '../../../src/redaction/lexicon/word-list.ts'

const folder = join(import.meta.dirname, '../../../src/redaction/lexicon')
const lists = readdirSync(folder).filter((name) => name.endsWith('.txt'))

/** Reads a packed list the plain way, with strings. */
function unpack(packed: string): string[] {
  let last = ''
  return [...packed.matchAll(/([0-9A-Z])([^0-9A-Z]*)/g)].map(([, shared = '', rest = '']) => {
    last = last.slice(0, Number.parseInt(shared, 36)) + rest
    return last
  })
}

const plain = (unit: number): number => unit

t.test('the word lists say where they come from, are sorted, folded and small', (t) => {
  let bytes = 0
  for (const name of lists) {
    const text = readFileSync(join(folder, name), 'utf8')
    bytes += statSync(join(folder, name)).size
    t.match(text, /^# .*(?:MIT|public domain|permissive)/)
    const words = unpack(text.replace(/^#.*\n/gm, '').replaceAll('\n', ''))
    t.strictSame(words, [...new Set(words)].sort(), name)
    t.notMatch(words.join(''), /[^a-z' &α-ωа-я-]/)
  }
  t.ok(bytes <= 250_000, String(bytes))
  t.end()
})

t.test('hashes of a packed list are those of its words', (t) => {
  const packed = '0ann3a2drew0bob'
  const hashes: number[] = []
  eachHash(packed, plain, (hash) => hashes.push(hash))
  t.strictSame(unpack(packed), ['ann', 'anna', 'andrew', 'bob'])
  t.strictSame(
    hashes,
    unpack(packed).map((word) => hashOf(word, 0, word.length, plain)),
  )
  t.end()
})

const kinds = (word: string): number => kindsOf(word, 0, word.length)

t.test('words are looked up in any case and with or without diacritics', (t) => {
  for (const word of ['José', 'JOSE', 'jose', 'Александр', 'НИКОЛАЙ', 'Γιώργος'])
    t.ok(kinds(word) & wordKind.given, word)
  t.ok(kinds('Müller') & wordKind.surname)
  t.ok(kinds('New York') & wordKind.place)
  t.ok(kinds('will') & wordKind.common)
  t.ok(kinds('Wells Fargo') & wordKind.organization)
  t.ok(kinds('name is') & wordKind.nameCuePair)
  t.equal(kinds('qzxqzx'), 0)
  t.end()
})

t.test('a word is looked up where it stands', (t) => {
  t.equal(kindsOf('xx José yy', 3, 7), kinds('jose'))
  t.end()
})

t.test('regular inflections of common words, endings of names and streets', (t) => {
  t.ok(isInflected('walked', 0, 6))
  t.notOk(isInflected('ed', 0, 2))
  const ending = (word: string): number => endingKinds(word, 0, word.length)
  t.ok(ending('Dratchev') & endingKind.family)
  t.ok(ending('Sumarliðason') & endingKind.family)
  t.ok(ending('Grolmanstraße') & endingKind.street)
  t.equal(ending('tableau'), 0)
  t.end()
})

t.test('letters and capitals up to U+052F', (t) => {
  for (const char of 'aZéÞřЖθ') t.ok(isLetter(char.charCodeAt(0)), char)
  for (const char of '×÷1 -日') t.notOk(isLetter(char.charCodeAt(0)), char)
  for (const char of 'ZÞŘЖΘ') t.ok(isCapital(char.charCodeAt(0)), char)
  for (const char of 'zþřжθ日') t.notOk(isCapital(char.charCodeAt(0)), char)
  t.end()
})
