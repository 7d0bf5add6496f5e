import type { Edge, Recognizer, Rule, Validator } from '../../recognizer.ts'
import { alphanumeric, digits, times } from '../shapes.ts'
import { isCard, isLuhnNumber } from './card-networks.ts'
import { breakGap, isSpread, mended, spreadGap } from './spelling.ts'

/** Digits of the groups that cards are printed in. */
const groupings: readonly (readonly number[])[] = [
  [4, 4, 4, 4],
  [4, 4, 4, 4, 3],
  [4, 6, 5],
  [4, 6, 4],
  [4, 5, 6],
  [4, 4, 4, 3],
  [4, 4, 4, 1],
  [6, 13],
]

const first = '[1-689]'

const grouped = (separator: string): string =>
  groupings
    .map(
      ([size = 0, ...rest]) =>
        `${first}\\d{${size - 1}}${rest.map((count) => `${separator}\\d{${count}}`).join('')}`,
    )
    .join('|')

const groupedInOneWay = [' ', '-', '\\.'].map((separator) => `(?:${grouped(separator)})`)
const isPrinted = new RegExp(`^(?:\\d{12,19}|${groupedInOneWay.join('|')})$`)

const brokenLengthMin = 13

const isBrokenCard: Validator = (text, start, end) =>
  end - start >= brokenLengthMin &&
  isCard(text, start, end) &&
  mended(text, start, end).some((value) => isPrinted.test(value))

const isSpreadCard: Validator = (text, start, end) => isSpread(text, start, end) && isCard(text, start, end)

/** The part of a decimal fraction is no card; a card that a program printed as a float is one. */
const left: Edge = { not: alphanumeric, notPair: { near: '.', far: digits } }
const right: Edge = { not: alphanumeric }

const rule = (pattern: string): Rule => ({ pattern, left, right, lengthMax: 24, validate: isCard })

/** A number that digits and separators continue on either side is another one, and a thread for each is dear. */
const alone = (gap: string): Edge => ({ not: alphanumeric, notPair: { near: gap, far: digits } })

const context = ['card', 'creditcard', 'debit', 'visa', 'mastercard', 'amex', 'maestro', 'cc', 'pan', 'karte']
context.push('kreditkarte', 'carte', 'tarjeta', 'carta', 'cart\u00e3o', '\u5361\u53f7', '\u30ab\u30fc\u30c9')

export const creditCard: Recognizer = {
  id: 'credit-card',
  entity: 'CREDIT_CARD',
  category: 'payment',
  tier: 1,
  family: 'digits',
  rules: [
    rule(`${first}\\d{11,18}`),
    rule(grouped(' ')),
    rule(grouped('-')),
    rule(grouped('\\.')),
    // Networks that are not in the table: the word says what it is. 13 digits are as often a time in milliseconds.
    { ...rule('\\d{14,19}'), validate: isLuhnNumber, score: 0.2, context },
    {
      pattern: `${first}${times(`[${spreadGap}]{1,3}\\d`, 11, 18)}`,
      left: alone(spreadGap),
      right: alone(spreadGap),
      lengthMax: 80,
      validate: isSpreadCard,
    },
    {
      pattern: `${first}[0-9 .\\-${breakGap}]+\\d`,
      left: alone(` .\\-${breakGap}`),
      right: alone(breakGap),
      lengthMax: 48,
      validate: isBrokenCard,
    },
  ],
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
      '122000000000003',
      '4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1',
      '4.0.1.2.8.8.8.8.8.8.8.8.1.8.8.1',
      '4 0 1 2 - 8 8 8 8 - 8 8 8 8 - 1 8 8 1',
      '4012**8888**88881881',
      '3782**-822**463-10005',
      '4012\\-8888\\-8888\\-1881',
      { before: 'My card is ', value: '4012 8888\n 8888 1881' },
      { before: 'card number ', value: '9450123456789011' },
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
      '4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1',
      '4 1 1 1.1 1 1 1 1 1 1 1 1 1 1 1',
      '40128888\n88881881\n',
      'ids:\n4012\n8888\n8888\n1881',
      '4*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1',
    ],
  },
}
