import { leadingDigits } from '../digits.ts'
import type { Recognizer, Rule } from '../recognizer.ts'
import { alphanumeric, digits } from './shapes.ts'

/** Printed on sample cards in the last century; the administration voided them. */
const voided: readonly number[] = [78051120, 219099999]

/** Areas 000, 666 and 900 up, group 00 and serial 0000 are never issued (SSA, POMS RM 10201). */
function isIssued(text: string, start: number, end: number): boolean {
  const number = leadingDigits(text, start, end, 9)
  const area = Math.floor(number / 1e6)
  const group = Math.floor(number / 1e4) % 100
  return area > 0 && area !== 666 && area < 900 && group > 0 && number % 1e4 > 0 && !voided.includes(number)
}

const rule = (separator: string): Rule => ({
  pattern: `\\d{3}${separator}\\d{2}${separator}\\d{4}`,
  left: { not: alphanumeric, notPair: { near: '.\\-', far: digits } },
  right: { not: alphanumeric, notPair: { near: '.\\-', far: digits } },
  lengthMax: 11,
  validate: isIssued,
})

export const usSsn: Recognizer = {
  entity: 'US_SSN',
  rules: [rule('-'), rule(' '), rule('\\.')],
  examples: {
    match: ['123-45-6789', '536 22 8726', '899-99-9999', '001.01.0001'],
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
    ],
  },
}
