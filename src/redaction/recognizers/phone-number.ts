import { countDigits, digitAt, leadingDigits } from '../digits.ts'
import type { Recognizer, Rule } from '../recognizer.ts'
import { alphanumeric, digits, times } from './shapes.ts'

/** Country codes of one and two digits, then of three, as ITU-T E.164 assigns them. */
const shortCodes = new Set(
  '1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98'
    .split(' ')
    .map(Number),
)
const longCodes = new Set(
  (
    '211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240 241 242 ' +
    '243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 290 291 ' +
    '297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378 380 381 382 383 385 386 ' +
    '387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599 670 672 673 ' +
    '674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 852 853 855 856 870 878 880 ' +
    '881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979 992 993 994 995 996 998'
  )
    .split(' ')
    .map(Number),
)

/** Digits of a whole number, country code included, where a plan is narrower than E.164's 8 to 15. */
const lengthsByCode: Readonly<Record<number, readonly [min: number, max: number]>> = {
  1: [11, 11],
  7: [11, 11],
  20: [10, 12],
  27: [11, 11],
  31: [11, 12],
  32: [10, 12],
  33: [11, 12],
  34: [11, 11],
  41: [11, 12],
  44: [11, 13],
  45: [10, 10],
  46: [9, 13],
  47: [10, 10],
  48: [11, 11],
  52: [12, 13],
  55: [12, 13],
  61: [11, 12],
  65: [10, 10],
  81: [11, 13],
  82: [10, 13],
  86: [11, 14],
  90: [12, 13],
  91: [12, 13],
}

const prefixOf = (text: string, start: number, end: number, count: number) =>
  leadingDigits(text, start, end, count)

function isInternational(text: string, start: number, end: number): boolean {
  const length = countDigits(text, start, end)
  const code = [1, 2].map((count) => prefixOf(text, start, end, count)).find((code) => shortCodes.has(code))
  if (code === undefined) return length >= 9 && longCodes.has(prefixOf(text, start, end, 3))
  const [min, max] = lengthsByCode[code] ?? [8, 15]
  return length >= min && length <= max && (code !== 1 || isNanp(text, start, end))
}

/** No area code of the North American plan ends in 11. */
function isNanp(text: string, start: number, end: number): boolean {
  const number: number[] = []
  for (let index = end - 1; index >= start && number.length < 10; index--) {
    const digit = digitAt(text, index)
    if (digit >= 0) number.unshift(digit)
  }
  const [first = 0, second = 0, third = 0, exchange = 0] = number
  return first >= 2 && exchange >= 2 && !(second === 1 && third === 1)
}

const international: Rule = {
  pattern: `\\+[1-9]${times('[ .\\-()]{0,2}\\d', 7, 14)}`,
  left: { not: 'A-Za-z0-9+' },
  right: { not: digits },
  lengthMax: 48,
  validate: isInternational,
}

const nanp = (pattern: string): Rule => ({
  pattern,
  left: { not: alphanumeric, notPair: { near: '.\\-', far: digits } },
  right: { not: digits, notPair: { near: '.\\-', far: digits } },
  lengthMax: 20,
  validate: isNanp,
})

const grouped = (separator: string): string =>
  `((1|001)${separator})?[2-9]\\d{2}${separator}[2-9]\\d{2}${separator}\\d{4}`

export const phoneNumber: Recognizer = {
  entity: 'PHONE_NUMBER',
  rules: [
    international,
    nanp(grouped('-')),
    nanp(grouped(' ')),
    nanp(grouped('\\.')),
    nanp('(1[ .\\-]?)?\\([2-9]\\d{2}\\)[ \\-]?[2-9]\\d{2}[ .\\-]\\d{4}'),
  ],
  examples: {
    match: [
      '+14155552671',
      '+1 (415) 555-2671',
      '+44 20 7946 0958',
      '+49 30 21730311',
      '+91 99083 79277',
      '+353 1 234 5678',
      '+46 (0)157 548 89',
      '(415) 555-2671',
      '415-555-2671',
      '415.555.2671',
      '415 555 2671',
      '1-415-555-2671',
      '001-518-640-0854',
    ],
    miss: [
      '+1 415 555 267',
      '+12345678',
      '+999 123 4567',
      '115-555-2671',
      '415-155-2671',
      '911-555-2671',
      '415-555-26711',
      '2415-555-2671',
      '12-415-555-2671',
      '4155552671',
      '2024-05-06 12:30:45',
      '60-15-25',
      '3 + 4155552671',
    ],
  },
}
