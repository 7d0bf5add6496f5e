import { ibanLength, isIban } from '../../iban.ts'
import type { Edge, Recognizer, Rule, Validator } from '../../recognizer.ts'
import { alphanumeric, times } from '../shapes.ts'
import { breakGap, isSpread, mended, spreadGap } from './spelling.ts'

const edge: Edge = { not: alphanumeric }

const rule = (pattern: string): Rule => ({
  pattern,
  left: edge,
  right: edge,
  lengthMax: 48,
  validate: isIban,
})

const grouped = (separator: string): string =>
  `[A-Za-z]{2}\\d{2}${times(`${separator}[A-Za-z0-9]{4}`, 2, 7)}(${separator}[A-Za-z0-9]{1,3})?`

const isPrinted =
  /^[a-z]{2}\d{2}(?:[a-z\d]{11,30}|(?: [a-z\d]{4}){2,7}(?: [a-z\d]{1,3})?|(?:-[a-z\d]{4}){2,7}(?:-[a-z\d]{1,3})?)$/i

/** Marks, blanks and a line end add no more than this to a broken number. */
const breaksMax = 24

const isBrokenIban: Validator = (text, start, end) => {
  const extra = end - start - ibanLength(text, start)
  if (extra <= 0 || extra > breaksMax || !isIban(text, start, end)) return false
  return mended(text, start, end).some((value) => isPrinted.test(value))
}

/** A separator after every character, and two more between the groups. */
const isSpreadIban: Validator = (text, start, end) => {
  const length = ibanLength(text, start)
  const extra = end - start - (2 * length - 1)
  if (length === 0 || extra < 0 || extra > length / 2) return false
  return isSpread(text, start, end) && isIban(text, start, end)
}

const alone = (gap: string): Edge => ({ ...edge, notPair: { near: gap, far: '0-9' } })

/** Country and check digits with `tight` between their characters, then the account number with `gap`. */
const joined = (tight: string, gap: string): string =>
  `[A-Za-z]${tight}[A-Za-z]${tight}\\d${tight}\\d${times(`${gap}[A-Za-z0-9]`, 11, 29)}`

export const iban: Recognizer = {
  id: 'iban',
  entity: 'IBAN_CODE',
  category: 'payment',
  tier: 1,
  family: 'shape',
  rules: [
    rule('[A-Za-z]{2}\\d{2}[A-Za-z0-9]{11,30}'),
    rule(grouped(' ')),
    rule(grouped('-')),
    {
      pattern: joined(`[${spreadGap}]{1,3}`, `[${spreadGap}]{1,3}`),
      left: alone(spreadGap),
      right: edge,
      lengthMax: 132,
      validate: isSpreadIban,
    },
    {
      // No blank in the country: `of 10 apples` would be held for its length.
      pattern: joined(`[${breakGap}]{0,2}`, `[ \\-${breakGap}]{0,3}`),
      left: edge,
      right: edge,
      lengthMax: 132,
      validate: isBrokenIban,
    },
  ],
  examples: {
    match: [
      'GB82WEST12345698765432',
      'GB82 WEST 1234 5698 7654 32',
      'DE89 3704 0044 0532 0130 00',
      'de89370400440532013000',
      'FR14 2004 1010 0505 0001 3M02 606',
      'NO93 8601 1117 947',
      'ES91 2100 0418 4502 0005 1332',
      'MT84-MALT-0110-0001-2345-MTLC-AST0-01S',
      'G B 8 2 W E S T 1 2 3 4 5 6 9 8 7 6 5 4 3 2',
      'D.E.8.9.3.7.0.4.0.0.4.4.0.5.3.2.0.1.3.0.0.0',
      'D E 8 9   3 7 0 4   0 0 4 4   0 5 3 2   0 1 3 0   0 0',
      'GB82**WEST**12345698765432',
      'FR14** 2004** 1010 0505 0001 3M02 606',
      { before: 'Pay to ', value: 'DE89 3704 0\n044 0532 0130 00' },
      { before: 'Pay to ', value: 'NO9386011\n117947' },
    ],
    miss: [
      'GB82WEST12345698765433',
      'DE89 3704 0044 0532 0130 01',
      'DE8937040044053201300',
      'ZZ89370400440532013000',
      'XGB82WEST12345698765432',
      'GB82WEST12345698765432X',
      'Gb82WEST12345698765432',
      'DE89/3704/0044/0532/0130/00',
      'G B 8 2 W E S T 1 2 3 4 5 6 9 8 7 6 5 4 3 3',
    ],
  },
}
