import { passesLuhnModN } from '../../checksums/luhn-mod-n.ts'
import { at, countOf, numberOf, onValues } from '../../checksums/values.ts'
import type { Recognizer } from '../../recognizer.ts'
import { isBirthDate, isDay } from './birth-date.ts'
import { after, bareRule, identity, idRule, wholeRule, worth } from './id-rule.ts'

/** Coordination numbers have 60 added to the day. */
const dayOf = (number: number): number => (number > 60 ? number - 60 : number)

/** Skatteverket SKV 704: date, number, Luhn over the last ten digits. */
const isPersonnummer = onValues((values) => {
  const to = countOf(values)
  const month = numberOf(values, to - 8, to - 6)
  const day = dayOf(numberOf(values, to - 6, to - 4))
  const dated = to === 12 ? isBirthDate(numberOf(values, 0, 4), month, day) : isDay(month, day)
  return dated && passesLuhnModN(values, to - 10, to, 10)
})

const personnummer = identity({
  id: 'se-personnummer',
  entity: 'SE_PERSONNUMMER',
  tier: 2,
  family: 'digits',
  rules: [
    idRule('\\d{8}[\\-+]?\\d{4}', {
      validate: (text, start, end) => text.startsWith('19', start) && isPersonnummer(text, start, end),
      score: worth.distinct,
    }),
    // A date of our days and a running number look the same, so what is not of the last century needs the word.
    idRule('\\d{6}[\\-+]?\\d{4}|\\d{8}[\\-+]?\\d{4}', {
      validate: isPersonnummer,
      score: worth.checkDigit,
      context: [
        ...[
          'personnummer',
          'personnumret',
          'pnr',
          'personnr',
          'samordningsnummer',
          'identitetsnummer',
          'folkbokförd',
        ],
        ...['swedish', 'svensk', 'svenskt', 'personal', 'identity', 'född'],
      ],
    }),
    bareRule('\\d{6}[\\-+]?\\d{4}|\\d{8}[\\-+]?\\d{4}', { validate: isPersonnummer }),
  ],
  match: [
    '19811218-9876',
    '198112189876',
    ...after('personnummer ', '811218-9876', '8112189876', '811218+9876'),
  ],
  miss: [
    'no. 811218-9876',
    '811218-9877',
    'pnr 811218-9877',
    'pnr 811318-9876',
    'pnr 8112-189876',
    'pnr 17811218-9876',
  ],
})

/** Bolagsverket: the third digit is at least 2, so that no date fits. */
const isOrganisation = onValues((values) => {
  const to = countOf(values)
  if (to === 12 && numberOf(values, 0, 2) !== 16) return false
  return at(values, to - 8) >= 2 && at(values, to - 10) > 0 && passesLuhnModN(values, to - 10, to, 10)
})

const organisation = identity({
  id: 'se-organisationsnummer',
  entity: 'SE_ORGANISATIONSNUMMER',
  tier: 2,
  family: 'digits',
  rules: [
    idRule('\\d{6}-?\\d{4}|\\d{8}-?\\d{4}', {
      validate: isOrganisation,
      score: worth.checkDigit,
      context: ['organisationsnummer', 'organisationsnumret', 'orgnr', 'bolag', 'företag', 'momsnr'],
    }),
    bareRule('\\d{6}-?\\d{4}', { validate: isOrganisation }),
  ],
  match: after('organisationsnummer ', '556016-0680', '5560160680', '212000-0142'),
  miss: ['no. 556016-0680', '556016-0681', 'orgnr 556016-0681', 'orgnr 551016-0680', 'orgnr 55601-60680'],
})

const hetuLetters = '0123456789ABCDEFHJKLMNPRSTUVWXY'
/** Century of birth by the sign in the middle (decree 690/2022 added the letters). */
const centuryOf = (sign: string): number => {
  if (sign === '+') return 1800
  return '-YXWVUyxwvu'.includes(sign) ? 1900 : 2000
}

function isHetu(text: string, start: number, end: number): boolean {
  const digit = (from: number, to: number) => Number(text.slice(start + from, start + to))
  const year = centuryOf(text.charAt(start + 6)) + digit(4, 6)
  if (!isBirthDate(year, digit(2, 4), digit(0, 2)) || digit(7, 10) < 2) return false
  return hetuLetters[(digit(0, 6) * 1000 + digit(7, 10)) % 31] === text.charAt(end - 1).toUpperCase()
}

const hetuDate = '[0-3]\\d[01]\\d{3}'

const hetu = identity({
  id: 'fi-personal-identity-code',
  entity: 'FI_PERSONAL_IDENTITY_CODE',
  tier: 1,
  family: 'shape',
  rules: [
    wholeRule(`${hetuDate}([\\-+]\\d{3}[A-FHJ-NPR-Y]|[A-FU-Y]\\d{3}[0-9A-FHJ-NPR-Y])`, {
      ignoreCase: true,
      validate: isHetu,
    }),
    // Without any letter it may be a date and a running number.
    idRule(`${hetuDate}[\\-+]\\d{4}`, {
      validate: isHetu,
      score: worth.checkDigit,
      context: [
        'hetu',
        'hetun',
        'henkilötunnus',
        'henkilötunnuksen',
        'personbeteckning',
        'identity',
        'personal',
      ],
    }),
    bareRule(`${hetuDate}[\\-+]\\d{4}`, { validate: isHetu }),
  ],
  match: ['131052-308T', '010594Y9032', '020516C903K', '131052-308t', ...after('hetu ', '240115-1234')],
  miss: ['131052-308U', '131352-308T', '131052/308T', '131052-308', '131052-308TT', 'no. 240115-1234'],
})

export const nordic: readonly Recognizer[] = [hetu, personnummer]
/** One bare number of ten digits in fourteen is one, so they come after stricter ones. */
export const swedishCompanies: readonly Recognizer[] = [organisation]
