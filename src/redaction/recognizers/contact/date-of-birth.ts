import { wordsBefore } from '../../cue.ts'
import type { Recognizer, Rule, Validator } from '../../recognizer.ts'
import { monthPattern } from '../shapes.ts'

const months =
  'jan feb mar apr may jun jul aug sep oct nov dec ' +
  'january february march april june july august september october november december sept'
const monthNumbers: ReadonlyMap<string, number> = new Map([
  ...months.split(' ').map((name): [string, number] => [name, monthOf(name)]),
])

function monthOf(name: string): number {
  return 'janfebmaraprmayjunjulaugsepoctnovdec'.indexOf(name.slice(0, 3)) / 3 + 1
}

const daysIn = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const isDay = (month: number, day: number): boolean => day >= 1 && day <= (daysIn[month - 1] ?? 0)

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

/** A year of two digits may be of either century. */
function isDate(year: number, month: number, day: number): boolean {
  if (year >= 100 && (year < 1880 || year > 2100)) return false
  return isDay(month, day) && (month !== 2 || day < 29 || year < 100 || isLeap(year))
}

/** Words that say that a date of birth comes. */
const cues = new Set(
  (
    'born birth birthday birthdate dob geboren geburtsdatum geburtstag geb naissance n\u00e9 n\u00e9e nacimiento nacido nacida ' +
    'nascimento nascido nascida nascita geboortedatum urodzenia urodzony urodzona f\u00f6dd f\u00f8dt syntynyt ' +
    '\u0440\u043e\u0436\u0434\u0435\u043d\u0438\u044f \u0440\u043e\u0434\u0438\u043b\u0441\u044f \u0440\u043e\u0434\u0438\u043b\u0430\u0441\u044c'
  ).split(' '),
)
/** In scripts that write without blanks a word is a part of a longer run. */
const unspacedCues = /\u51fa\u751f|\u751f\u5e74\u6708\u65e5|\uc0dd\ub144\uc6d4\uc77c/

const cueWords = 8
const isNumber = (word: string): boolean => word >= '0' && word < ':'

/** A place between the word and the date is fine, another number is not: `born in 1980, admitted on ...`. */
function isSaid(text: string, start: number): boolean {
  const words = wordsBefore(text, start, cueWords)
  for (const word of words) {
    if (isNumber(word)) return false
    if (cues.has(word) || unspacedCues.test(word)) return true
  }
  const [last, middle, first] = words
  return (
    (last === 'b' && middle === 'o' && first === 'd') ||
    ((last === 'il' || last === 'a') && /^nat[oa]$/.test(middle ?? ''))
  )
}

const isBirth =
  (read: (parts: readonly string[]) => boolean): Validator =>
  (text, start, end) =>
    isSaid(text, start) && read(text.slice(start, end).match(/\d+|[A-Za-z]+/g) ?? [])

const isYearFirst = isBirth(([year, month, day]) => isDate(Number(year), Number(month), Number(day)))

const isYearLast = isBirth(
  ([first, second, year]) =>
    isDate(Number(year), Number(second), Number(first)) ||
    isDate(Number(year), Number(first), Number(second)),
)

const isSpelledOut = isBirth((parts) => {
  const name = parts.find((part) => monthNumbers.has(part.toLowerCase())) ?? ''
  const numbers = parts.filter((part) => /^\d+$/.test(part)).map(Number)
  const [day = 0, year = 0] = (numbers[0] ?? 0) > 31 ? [...numbers].reverse() : numbers
  return isDate(year, monthNumbers.get(name.toLowerCase()) ?? 0, day)
})

const isCompact: Validator = (text, start, end) => {
  const value = text.slice(start, end)
  return (
    isDate(Number(value.slice(0, 4)), Number(value.slice(4, 6)), Number(value.slice(6))) &&
    isSaid(text, start)
  )
}

const rule = (pattern: string, validate: Validator): Rule => ({
  pattern,
  left: { not: 'A-Za-z0-9', notPair: { near: '.\\-/', far: '0-9' } },
  right: { not: 'A-Za-z0-9', notPair: { near: '.\\-/', far: '0-9' } },
  lengthMax: 32,
  ignoreCase: true,
  validate,
})

const oneWay = (pattern: (joint: string) => string): string =>
  ['-', '/', '\\.', ' '].map((joint) => pattern(joint)).join('|')

export const dateOfBirth: Recognizer = {
  id: 'date-of-birth',
  entity: 'DATE_OF_BIRTH',
  category: 'identity',
  tier: 2,
  family: 'digits',
  rules: [
    rule(
      oneWay((joint) => `\\d{4}${joint}\\d{1,2}${joint}\\d{1,2}`),
      isYearFirst,
    ),
    rule(
      oneWay((joint) => `\\d{1,2}${joint}\\d{1,2}${joint}(\\d{4}|\\d{2})`),
      isYearLast,
    ),
    rule(`\\d{1,2}(st|nd|rd|th)?[ .\\-]{1,2}(of )?${monthPattern}[ .,\\-]{1,2}\\d{4}`, isSpelledOut),
    rule(`${monthPattern}[ .\\-]{1,2}\\d{1,2}(st|nd|rd|th)?[ ,\\-]{1,2}\\d{4}`, isSpelledOut),
    rule('(18|19|20)\\d{6}', isCompact),
  ],
  examples: {
    match: [
      { before: 'born on ', value: '1985-03-12' },
      { before: 'DOB: ', value: '03/12/1985' },
      { before: 'Geburtsdatum: ', value: '12.3.1985' },
      { before: 'date of birth is ', value: '12-03-85' },
      { before: 'She was born in Paris on ', value: 'March 12th, 1985' },
      { before: 'birthday: ', value: '12 Mar 1985' },
      { before: '"dateOfBirth": "', value: '19850312' },
      { before: 'D.O.B. ', value: '1985-03-12' },
      { before: 'nato il ', value: '12/03/1985' },
      { before: 'n\u00e9e le ', value: '12/03/1985' },
    ],
    miss: [
      '1985-03-12',
      'released on 1985-03-12',
      'born on 1985-13-12',
      'born on 1985-02-29',
      'DOB: 31/02/1985',
      'born in 1980, admitted on 2024-01-02',
      'newborn screening 2024-01-02',
      'stubborn 12.3.1985',
      'the NATO summit of 12.3.1985',
    ],
  },
}
