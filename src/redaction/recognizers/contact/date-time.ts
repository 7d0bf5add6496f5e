import type { Recognizer, Rule, Validator } from '../../recognizer.ts'
import { alphanumeric, digits, monthPattern } from '../shapes.ts'

const numbersIn = (text: string, start: number, end: number): number[] =>
  (text.slice(start, end).match(/\d+/g) ?? []).map(Number)

const isMonth = (month: number): boolean => month >= 1 && month <= 12
const isDay = (day: number): boolean => day >= 1 && day <= 31
const isYear = (year: number): boolean => year < 100 || (year >= 1800 && year <= 2200)

const isNumeric: Validator = (text, start, end) => {
  const [first = 0, second = 0, third = 0] = numbersIn(text, start, end)
  if (first > 31) return isYear(first) && isMonth(second) && isDay(third)
  return isYear(third) && ((isMonth(first) && isDay(second)) || (isDay(first) && isMonth(second)))
}

const isMonthAndYear: Validator = (text, start, end) => {
  const [month = 0, year = 0] = numbersIn(text, start, end)
  return isMonth(month) && year > 31 && isYear(year)
}

/** RFC 3339: the date, and the time where it is one. */
const isInstant: Validator = (text, start, end) => {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = numbersIn(text, start, end)
  return isYear(year) && isMonth(month) && isDay(day) && hour < 24 && minute < 60 && second <= 60
}

const isSpelledOut: Validator = (text, start, end) =>
  numbersIn(text, start, end).every((number) => isDay(number) || (number > 31 && isYear(number)))

const ordinal = '(st|nd|rd|th)?'

const rule = (pattern: string, validate?: Validator): Rule => ({
  pattern,
  left: { not: alphanumeric, notPair: { near: '.\\-/', far: digits } },
  right: { not: alphanumeric, notPair: { near: '.\\-/', far: digits } },
  lengthMax: 40,
  ignoreCase: true,
  ...(validate === undefined ? {} : { validate }),
})

const oneWay = (pattern: (joint: string) => string): string =>
  ['-', '/', '\\.'].map((joint) => pattern(joint)).join('|')

/**
 * Any date, with its time: a guess, since nearly all of them say nothing about anybody. Dates of birth are recognized by
 * the words before them.
 */
export const dateTime: Recognizer = {
  id: 'date-time',
  entity: 'DATE_TIME',
  category: 'identity',
  tier: 3,
  // Not with the digits: dates of every form would multiply their states, and most profiles have no use for them.
  family: 'name',
  rules: [
    rule('\\d{4}-\\d{2}-\\d{2}[T ]\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,9})?)?(Z|[+\\-]\\d{2}:?\\d{2})?', isInstant),
    rule(
      oneWay((joint) => `\\d{4}${joint}\\d{1,2}${joint}\\d{1,2}`),
      isNumeric,
    ),
    rule(
      oneWay((joint) => `\\d{1,2}${joint}\\d{1,2}${joint}(\\d{4}|\\d{2})`),
      isNumeric,
    ),
    rule('\\d{1,2}[/\\-]\\d{4}', isMonthAndYear),
    rule(`\\d{1,2}${ordinal}[ \\-](of )?${monthPattern}([ ,\\-]{1,2}\\d{4})?`, isSpelledOut),
    rule(`${monthPattern}[ \\-](\\d{1,2}${ordinal}([ ,\\-]{1,2}\\d{4})?|\\d{4})`, isSpelledOut),
  ],
  examples: {
    match: [
      '5/20/2021',
      '21.5.2021',
      '21/05/21',
      '5-May-2021',
      'May-2021',
      '21-May',
      '05/2021',
      '2024-03-15',
      '2024-03-15T14:30:00+02:00',
      '2024-03-15T14:30Z',
      'March 12th, 1985',
      '12 of March 1985',
    ],
    miss: ['45/50/2021', '2024-13-15', '1.2.3.4', '10.0.19041', '3-4 copies', 'may 1000 flowers bloom'],
  },
}
