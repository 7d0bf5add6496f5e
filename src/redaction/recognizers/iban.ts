import { isIban } from '../iban.ts'
import type { Recognizer, Rule } from '../recognizer.ts'
import { alphanumeric, times } from './shapes.ts'

const rule = (pattern: string): Rule => ({
  pattern,
  left: { not: alphanumeric },
  right: { not: alphanumeric },
  lengthMax: 48,
  validate: isIban,
})

const grouped = (separator: string): string =>
  `[A-Z]{2}\\d{2}${times(`${separator}[A-Z0-9]{4}`, 2, 7)}(${separator}[A-Z0-9]{1,3})?`

export const iban: Recognizer = {
  entity: 'IBAN_CODE',
  rules: [rule('[A-Za-z]{2}\\d{2}[A-Za-z0-9]{11,30}'), rule(grouped(' ')), rule(grouped('-'))],
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
    ],
    miss: [
      'GB82WEST12345698765433',
      'DE89 3704 0044 0532 0130 01',
      'DE8937040044053201300',
      'ZZ89370400440532013000',
      'XGB82WEST12345698765432',
      'GB82WEST12345698765432X',
    ],
  },
}
