import { countDigits, digitAt, leadingDigits } from '../digits.ts'
import { passesLuhn } from '../luhn.ts'
import type { Recognizer, Rule } from '../recognizer.ts'
import { alphanumeric, digits } from './shapes.ts'

/** First digits [low, high], and the lengths that were issued with them (ISO/IEC 7812 ranges of the networks). */
const networks: readonly (readonly [low: number, high: number, lengths: readonly number[]])[] = [
  [4, 4, [13, 16, 19]],
  [51, 55, [16]],
  [2221, 2720, [16]],
  [34, 34, [15]],
  [37, 37, [15]],
  [6011, 6011, [16, 17, 18, 19]],
  [644, 659, [16, 17, 18, 19]],
  [622126, 622925, [16, 17, 18, 19]],
  [3528, 3589, [16, 17, 18, 19]],
  [300, 305, [14, 16, 19]],
  [3095, 3095, [14, 16, 19]],
  [36, 36, [14, 15, 16, 17, 18, 19]],
  [38, 39, [14, 16, 19]],
  [2131, 2131, [15]],
  [1800, 1800, [15]],
  [62, 62, [16, 17, 18, 19]],
  [81, 81, [16, 17, 18, 19]],
  [2200, 2204, [16, 17, 18, 19]],
  [508, 508, [16]],
  [60, 60, [16]],
  [500, 509, [13, 16, 19]],
  [5018, 5020, [12, 13, 14, 15, 16, 17, 18, 19]],
  [5038, 5038, [12, 13, 14, 15, 16, 17, 18, 19]],
  [5893, 5893, [12, 13, 14, 15, 16, 17, 18, 19]],
  [560, 589, [16, 19]],
  [6304, 6304, [12, 13, 14, 15, 16, 17, 18, 19]],
  [6759, 6763, [12, 13, 14, 15, 16, 17, 18, 19]],
  [670, 679, [16, 18, 19]],
  [630, 639, [16, 18, 19]],
]

const widthOf = (value: number): number => String(value).length

function isIssued(text: string, start: number, end: number, length: number): boolean {
  return networks.some(([low, high, lengths]) => {
    const first = leadingDigits(text, start, end, widthOf(low))
    return first >= low && first <= high && lengths.includes(length)
  })
}

function isOneDigit(text: string, start: number, end: number): boolean {
  const first = digitAt(text, start)
  for (let index = start; index < end; index++) {
    const digit = digitAt(text, index)
    if (digit >= 0 && digit !== first) return false
  }
  return true
}

const isCard = (text: string, start: number, end: number): boolean =>
  passesLuhn(text, start, end) &&
  isIssued(text, start, end, countDigits(text, start, end)) &&
  !isOneDigit(text, start, end)

/** The part of a decimal fraction is no card; a card that a program printed as a float is one. */
const rule = (pattern: string): Rule => ({
  pattern,
  left: { not: alphanumeric, notPair: { near: '.', far: digits } },
  right: { not: alphanumeric },
  lengthMax: 24,
  validate: isCard,
})

const grouped = (separator: string): string =>
  [
    [4, 4, 4, 4],
    [4, 4, 4, 4, 3],
    [4, 6, 5],
    [4, 6, 4],
    [4, 4, 4, 3],
    [4, 4, 4, 1],
    [6, 13],
  ]
    .map(
      ([first = 0, ...rest]) =>
        `[1-68]\\d{${first - 1}}${rest.map((count) => `${separator}\\d{${count}}`).join('')}`,
    )
    .join('|')

export const creditCard: Recognizer = {
  entity: 'CREDIT_CARD',
  rules: [rule('[1-68]\\d{11,18}'), rule(grouped(' ')), rule(grouped('-')), rule(grouped('\\.'))],
  examples: {
    match: [
      '4111111111111111',
      '4111 1111 1111 1111',
      '4012-8888-8888-1881',
      '5555.5555.5555.4444',
      '378282246310005',
      '3782 822463 10005',
      '2221000000000009',
      '30569309025904',
      '3056 930902 5904',
      '6011111111111117',
      '3530111333300000',
      '6759649826438453',
      '6205500000000000004',
      '4222222222222',
    ],
    miss: [
      '4111111111111112',
      '4111 1111-1111 1111',
      '9111111111111111',
      '1786656074238',
      '0.4111111111111111',
      'x4111111111111111',
      '41111111111111110000',
      '4444444444444444',
      '00000000-0000-4000-8000-000000000000',
    ],
  },
}
