import { countDigits, leadingDigits } from '../../digits.ts'
import type { Recognizer, Validator } from '../../recognizer.ts'
import {
  after,
  apartRule,
  dotted,
  grouped,
  identity,
  idRule,
  spelled,
  spreadRule,
  standsAfter,
  worth,
} from './id-rule.ts'

/** Printed on sample cards in the last century; the administration voided them. */
const voided: readonly number[] = [78051120, 219099999]
const context = ['ssn', 'ssns', 'social', 'socsec', 'ss']
/** Social media have numbers, too. */
const named = /ssn|\bss ?(?:#|no|num)|social[ _.-]?sec|soc[ _.-]?sec/i
const groups = ['\\d{3}', '\\d{2}', '\\d{4}'] as const

/** Areas 000, 666 and 900 up, group 00 and serial 0000 are never issued (SSA, POMS RM 10201). */
function isIssuedNumber(number: number): boolean {
  const area = Math.floor(number / 1e6)
  const group = Math.floor(number / 1e4) % 100
  return area > 0 && area !== 666 && area < 900 && group > 0 && number % 1e4 > 0 && !voided.includes(number)
}

const isIssued: Validator = (text, start, end) => isIssuedNumber(leadingDigits(text, start, end, 9))

const isNamed: Validator = (text, start, end) => isIssued(text, start, end) && standsAfter(text, start, named)

const grouping = identity({
  id: 'us-ssn',
  entity: 'US_SSN',
  tier: 1,
  family: 'digits',
  rules: [
    idRule(grouped(groups, '-', '.'), { validate: isIssued }),
    apartRule(grouped(groups, ' '), { validate: isIssued }),
    spreadRule('\\d \\d \\d - \\d \\d - \\d \\d \\d \\d', { validate: isIssued }),
  ],
  match: ['123-45-6789', '536 22 8726', '899-99-9999', '001.01.0001', '5 3 6 - 2 2 - 8 7 2 6'],
  miss: [
    '000-45-6789',
    '666-45-6789',
    '900-45-6789',
    '123-00-6789',
    '123-45-0000',
    '078-05-1120',
    '123-45 6789',
    '123-45-6789-1',
    '7-123-45-6789',
    '1123-45-6789',
    '123456789',
    '100 536 22 8726',
    '536 22 8726 100',
  ],
})

const bare = identity({
  id: 'us-ssn-bare',
  entity: 'US_SSN',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(`\\d{9}|${grouped(groups, ' ')}`, { validate: isNamed, score: worth.checkDigit, context }),
    spreadRule(`${spelled(3, 2, 4)}|${dotted(9)}`, { validate: isNamed, score: worth.checkDigit, context }),
  ],
  match: [
    ...after('SSN: ', '536228726', '5 3 6 2 2 8 7 2 6', '5.3.6.2.2.8.7.2.6', '5-3-6-2-2-8-7-2-6'),
    ...after('his social security number is ', '536228726', '5 3 6   2 2   8 7 2 6'),
  ],
  miss: [
    '536228726',
    '1 2 3 4 5 6 7 8 9',
    'SSN 666228726',
    'SSN 5362287261',
    'SSN 5.3.6-2.2.8-7.2.6',
    'on social media 536228726 people',
  ],
})

/** Letters that look like digits, by value: O I Z E A S G T B. */
const looks = 'OIZEASGTB'
const lookalike = `[0-9${looks}]`

/** The digit that a character is or looks like. */
const lookOf = (char: string): number => (char <= '9' ? Number(char) : looks.indexOf(char))

/** Reads the nine digits one after the other, in either direction. */
function numberRead(text: string, from: number, to: number): number {
  const step = from < to ? 1 : -1
  let number = 0
  for (let index = from; index !== to; index += step) {
    const digit = text.charAt(index) < '0' ? -1 : lookOf(text.charAt(index))
    if (digit >= 0) number = number * 10 + digit
  }
  return number
}

const isDisguised: Validator = (text, start, end) =>
  countDigits(text, start, end) >= 3 &&
  isIssuedNumber(numberRead(text, start, end)) &&
  standsAfter(text, start, named)

const isReversed: Validator = (text, start, end) =>
  isIssuedNumber(numberRead(text, end - 1, start - 1)) && standsAfter(text, start, named)

/** A line break may stand before each character but the first. */
const broken = ['\\d', '\\d', '\\d', '-', '\\d', '\\d', '-', '\\d', '\\d', '\\d', '\\d'].join('\\n?')

/** Numbers that somebody meant to hide, and said what they are. */
const disguised = identity({
  id: 'us-ssn-disguised',
  entity: 'US_SSN',
  tier: 2,
  family: 'spread',
  rules: [
    spreadRule(broken, { validate: isNamed, score: worth.checkDigit, context }),
    spreadRule('\\d{4}-\\d{2}-\\d{3}', { validate: isReversed, score: worth.checkDigit, context }),
    spreadRule(grouped([`${lookalike}{3}`, `${lookalike}{2}`, `${lookalike}{4}`], '-'), {
      validate: isDisguised,
      score: worth.checkDigit,
      context,
    }),
  ],
  match: after('SSN ', '536-2\n2-8726', '6278-22-635', 'S36-ZZ-87Z6', '5E6-22-8T2G'),
  miss: [
    'S36-ZZ-87Z6',
    '6278-22-635',
    '536-2\n2-8726',
    'SSN BOT-IS-BEST',
    'SSN 666-2\n2-8726',
    'SSN 6278-22-666',
  ],
})

export const usSsn: readonly Recognizer[] = [grouping, bare, disguised]
