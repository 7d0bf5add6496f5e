import { passesMrz } from '../../checksums/mrz.ts'
import { countDigits } from '../../digits.ts'
import type { Recognizer, Validator } from '../../recognizer.ts'
import { after, identity, idRule, worth } from './id-rule.ts'

/** ICAO Doc 9303 parts 4 and 6: number, birth and expiry each have their check digit. TD3 has 44 characters, TD2 36. */
const isSecondLine = (text: string, start: number): boolean =>
  passesMrz(text, start, start + 9, start + 9) &&
  passesMrz(text, start + 13, start + 19, start + 19) &&
  passesMrz(text, start + 21, start + 27, start + 27)

/** Part 5: the second of three lines of 30 characters. */
const isDateLine = (text: string, start: number): boolean =>
  passesMrz(text, start, start + 6, start + 6) && passesMrz(text, start + 8, start + 14, start + 14)

/** A surname, two fillers, given names and the fillers that fill the line. */
function hasNames(text: string, start: number, end: number): boolean {
  for (let index = start; index < end - 2; index++)
    if (text.charAt(index) === '<' && text.charAt(index + 1) === '<') return true
  return false
}

const line = (pattern: string, validate: Validator) => idRule(pattern, { validate })

const mrz = identity({
  id: 'machine-readable-zone',
  entity: 'PASSPORT',
  tier: 1,
  family: 'shape',
  rules: [
    // The first line holds the name. A filler right after the type or two of them tell it from any other word.
    line('P[A-Z<][A-Z<]{42}|[ACIPV][A-Z<][A-Z<]{34}', hasNames),
    line('[A-Z0-9<]{9}\\d[A-Z<]{3}\\d{6}\\d[MFX<]\\d{6}\\d[A-Z0-9<]{7,16}', isSecondLine),
    line('[ACI][A-Z<][A-Z<]{3}[A-Z0-9<]{9}[0-9<][A-Z0-9<]{15}', (text, start) =>
      passesMrz(text, start + 5, start + 14, start + 14),
    ),
    line('\\d{6}\\d[MFX<]\\d{6}\\d[A-Z<]{3}[A-Z0-9<]{11}\\d', isDateLine),
    line('[A-Z][A-Z<]{29}', hasNames),
  ],
  match: [
    'P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<',
    'L898902C36UTO7408122F1204159ZE184226B<<<<<10',
    'I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<',
    'D231458907UTO7408122F1204159<<<<<<<6',
    'I<UTOD231458907<<<<<<<<<<<<<<<',
    '7408122F1204159UTO<<<<<<<<<<<6',
    'ERIKSSON<<ANNA<MARIA<<<<<<<<<<',
  ],
  miss: [
    'L898902C37UTO7408122F1204159ZE184226B<<<<<10',
    'L898902C36UTO7408123F1204159ZE184226B<<<<<10',
    'PASSPORTSOFTHEWORLDUNITEANDTAKEOVERTHEPLANET',
    'I<UTOD231458908<<<<<<<<<<<<<<<',
    'A<<B',
  ],
})

/** Two letters and seven digits have the labels of the United Kingdom and Italy. */
const isOwnShape: Validator = (text, start, end) =>
  countDigits(text, start, end) >= 5 && countDigits(text, start + 2, end) < 7

const passport = identity({
  id: 'passport',
  entity: 'PASSPORT',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('\\d{2}[A-Z]{2}\\d{5}|[A-Z]{2}\\d{6}|[A-Z]{2}[A-Z0-9]{6}\\d|[A-Z]\\d{6}[A-Z]{2}', {
      validate: isOwnShape,
      score: worth.shape,
      context: ['passport', 'passports', 'passeport'],
    }),
    idRule('[A-Z]{1,3}\\d{6,8}|\\d{9}', {
      score: worth.shape,
      context: [
        ...['passeport', 'passaporte', 'paspoort', 'pasaport', 'paszport', 'paszportu', 'pasport'],
        ...['护照', '護照', 'パスポート', '旅券'],
      ],
    }),
  ],
  match: [
    ...after('passport ', '12AB34567', 'GA302922', 'NP4128R57'),
    ...after('passeport ', '12AB34567', 'TK1234567'),
    ...after('护照 ', 'E12345678'),
  ],
  miss: ['12AB34567', 'E12345678', 'passport expires 2031', 'passport ABCDEFGH1', 'passport number 1234567'],
})

export const mrzLines: readonly Recognizer[] = [mrz]
/** Of countries that have no label of their own. */
export const passports: readonly Recognizer[] = [passport]
