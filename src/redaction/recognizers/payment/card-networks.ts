import { countDigits, digitAt, leadingDigits } from '../../digits.ts'
import { passesLuhn } from '../../luhn.ts'

const through = (low: number, high: number): readonly number[] =>
  Array.from({ length: high - low + 1 }, (_, step) => low + step)

const sixteenUp = through(16, 19)
const twelveUp = through(12, 19)

/** First digits [low, high], and the lengths that were issued with them (ISO/IEC 7812 ranges of the networks). */
const networks: readonly (readonly [low: number, high: number, lengths: readonly number[]])[] = [
  // Visa
  [4, 4, [13, 16, 19]],
  // Mastercard
  [51, 55, [16]],
  [2221, 2720, [16]],
  // American Express
  [34, 34, [15]],
  [37, 37, [15]],
  // Discover
  [6011, 6011, sixteenUp],
  [644, 659, sixteenUp],
  [622126, 622925, sixteenUp],
  // JCB
  [3528, 3589, sixteenUp],
  [2131, 2131, [15]],
  [1800, 1800, [15]],
  // Diners Club
  [300, 305, [14, 16, 19]],
  [3095, 3095, [14, 16, 19]],
  [36, 36, through(14, 19)],
  [38, 39, [14, 16, 19]],
  // UATP
  [1, 1, [15]],
  // UnionPay
  [62, 62, sixteenUp],
  [81, 81, sixteenUp],
  // Mir
  [2200, 2204, sixteenUp],
  // RuPay
  [508, 508, [16]],
  [60, 60, [16]],
  [82, 82, [16]],
  [353, 353, [16]],
  [356, 356, [16]],
  // Maestro, Dankort, Verve, InterPayment, InstaPayment
  [500, 509, [13, 16, 19]],
  [5018, 5020, twelveUp],
  [5038, 5038, twelveUp],
  [5893, 5893, twelveUp],
  [560, 589, [16, 19]],
  [6304, 6304, twelveUp],
  [6390, 6390, twelveUp],
  [6759, 6763, twelveUp],
  [670, 679, [16, 18, 19]],
  [630, 639, [16, 18, 19]],
  [506099, 506198, [16, 18, 19]],
  // Troy, Humo, UzCard, Napas
  [9792, 9792, [16]],
  [9860, 9860, [16]],
  [8600, 8600, [16]],
  [9704, 9704, [16, 19]],
]

const widthOf = (value: number): number => String(value).length

function isIssued(text: string, start: number, end: number, length: number): boolean {
  return networks.some(([low, high, lengths]) => {
    if (!lengths.includes(length)) return false
    const first = leadingDigits(text, start, end, widthOf(low))
    return first >= low && first <= high
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

/** Whether the digits of a slice pass the Luhn check and are not all the same. */
export const isLuhnNumber = (text: string, start: number, end: number): boolean =>
  passesLuhn(text, start, end) && !isOneDigit(text, start, end)

/** Whether the digits of a slice are a card number of a known network. */
export const isCard = (text: string, start: number, end: number): boolean =>
  isLuhnNumber(text, start, end) && isIssued(text, start, end, countDigits(text, start, end))
