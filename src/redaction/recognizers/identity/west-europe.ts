import { remainder97 } from '../../checksums/mod97.ts'
import { areSame, at, numberOf, onValues, valuesOf } from '../../checksums/values.ts'
import { mod11Digit, weightedSum } from '../../checksums/weighted.ts'
import type { Recognizer } from '../../recognizer.ts'
import { isDay } from './birth-date.ts'
import { after, bareRule, grouped, identity, idRule, wholeRule, worth } from './id-rule.ts'

const letterA = 10

/**
 * INSEE: sex, year, month, place, number, and 97 less the rest of them modulo 97. Corsica's 2A and 2B count as 19 and
 * 18, months past 12 are those of births whose month is not known.
 */
function isNir(text: string, start: number, end: number): boolean {
  const values = valuesOf(text, start, end)
  const month = numberOf(values, 3, 5)
  if (!((month > 0 && month < 13) || (month > 19 && month < 43) || month > 49)) return false
  const letter = at(values, 6)
  if (letter >= letterA) {
    values[5] = 1
    values[6] = letter === letterA ? 9 : 8
  }
  return numberOf(values, 5, 7) > 0 && 97 - remainder97(values, 0, 13) === numberOf(values, 13, 15)
}

const nirGroups = ['[1-478]', '\\d{2}', '\\d{2}', '(\\d{2}|2[AB])', '\\d{3}', '\\d{3}', '\\d{2}'] as const

const nir = identity({
  id: 'fr-nir',
  entity: 'FR_NIR',
  tier: 1,
  family: 'shape',
  rules: [
    wholeRule(grouped(nirGroups, ' ', '-', '.'), { ignoreCase: true, validate: isNir }),
    wholeRule('[12]\\d{2}[0-5]\\d(\\d{2}|2[AB])\\d{8}', {
      ignoreCase: true,
      validate: (text, start, end) =>
        numberOf(valuesOf(text, start, end), 3, 5) < 13 && isNir(text, start, end),
    }),
    idRule('[1-478]\\d{4}(\\d{2}|2[AB])\\d{6} ?\\d{2}', {
      ignoreCase: true,
      validate: isNir,
      score: worth.checkDigit,
      context: [
        'nir',
        'sécu',
        'secu',
        'sécurité',
        'securite',
        'sociale',
        'insee',
        'vitale',
        'assuré',
        'assurée',
      ],
    }),
    bareRule('[1-478]\\d{4}(\\d{2}|2[AB])\\d{6} ?\\d{2}', { ignoreCase: true, validate: isNir }),
  ],
  match: ['2 55 08 14 168 025 38', '255081416802538', ...after('numéro de sécu ', '2550814168025 38')],
  miss: [
    '255081416802539',
    '2 55 13 14 168 025 38',
    '5 55 08 14 168 025 38',
    '2550814168025381',
    '255 081 416 802 538',
  ],
})

/** Royal decree of 3 April 1984: 97 less the rest of nine digits; people born since 2000 have a 2 put before them. */
const isBelgian = onValues((values) => {
  const month = numberOf(values, 2, 4) % 20
  const day = numberOf(values, 4, 6)
  if (month !== 0 && day !== 0 && !isDay(month, day)) return false
  const number = numberOf(values, 0, 9)
  const check = numberOf(values, 9, 11)
  return !areSame(values, 0, 11) && (97 - (number % 97) === check || 97 - ((number + 2e9) % 97) === check)
})

const belgian = identity({
  id: 'be-nn',
  entity: 'BE_NN',
  tier: 1,
  family: 'digits',
  rules: [
    idRule('\\d{2}\\.\\d{2}\\.\\d{2}[\\- ]\\d{3}[.\\- ]\\d{2}', { validate: isBelgian }),
    idRule('\\d{6}[\\- ]\\d{3}[.\\- ]\\d{2}|\\d{11}', {
      validate: isBelgian,
      score: worth.checkDigit,
      context: [
        ...['rijksregisternummer', 'rijksregister', 'registre', 'niss', 'insz', 'rrn', 'belgian', 'national'],
        ...['nationaal', 'nationalregisternummer', 'identificatienummer'],
      ],
    }),
    bareRule('\\d{6}[\\- ]\\d{3}[.\\- ]\\d{2}|\\d{11}', { validate: isBelgian }),
  ],
  match: [
    '85.07.30-033.28',
    '17.07.30-033.84',
    ...after('rijksregisternummer ', '85073003328', '850730-033-28'),
  ],
  miss: ['85.07.30-033.29', '85.13.30-033.28', 'no. 85073003328', 'NISS 85073003329', '85.07.30-033.281'],
})

const elevenTest = [9, 8, 7, 6, 5, 4, 3, 2]
const isBsn = onValues(
  (values) => weightedSum(values, elevenTest) % 11 === at(values, 8) && numberOf(values, 0, 8) > 100,
)

const bsnPattern =
  '\\d{9}|\\d{3}\\.\\d{3}\\.\\d{3}|\\d{4}\\.\\d{2}\\.\\d{3}|\\d{3} \\d{3} \\d{3}|\\d{4} \\d{2} \\d{3}'

const bsn = identity({
  id: 'nl-bsn',
  entity: 'NL_BSN',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(bsnPattern, {
      validate: isBsn,
      score: worth.checkDigit,
      context: ['bsn', 'burgerservicenummer', 'sofinummer', 'sofi', 'burgerservice', 'persoonsnummer'],
    }),
    bareRule(bsnPattern, { validate: isBsn }),
  ],
  match: after('BSN ', '111222333', '123456782', '1112.22.333', '111.222.333'),
  miss: ['no. 111222333', '111222334', 'BSN 111222334', 'BSN 000000000', 'BSN 1112223331', 'BSN 111.222333'],
})

/** Portaria Tributaria: the first digit is the kind of person. */
const isPortuguese = onValues((values) => {
  const from = values[0] === 25 ? 2 : 0
  let sum = 0
  for (let index = 0; index < 8; index++) sum += at(values, from + index) * (9 - index)
  return mod11Digit(sum) === at(values, from + 8)
})

const nif = identity({
  id: 'pt-nif',
  entity: 'PT_NIF',
  tier: 2,
  family: 'shape',
  rules: [
    wholeRule('PT ?[1-35689]\\d{8}', { validate: isPortuguese, score: worth.distinct }),
    idRule(grouped(['[1-35689]\\d{2}', '\\d{3}', '\\d{3}'], '', ' ', '.'), {
      validate: isPortuguese,
      score: worth.checkDigit,
      context: ['nif', 'contribuinte', 'nipc', 'fiscal', 'contribuintes'],
    }),
    bareRule(grouped(['[1-35689]\\d{2}', '\\d{3}', '\\d{3}'], '', ' ', '.'), { validate: isPortuguese }),
  ],
  match: ['PT501964843', ...after('NIF ', '123456789', '501 964 843', '501964843')],
  miss: ['no. 501964843', '501964844', 'NIF 501964844', 'NIF 401964843', 'PT501964844', 'NIF 5019648431'],
})

export const westEurope: readonly Recognizer[] = [nir, belgian, bsn, nif]
