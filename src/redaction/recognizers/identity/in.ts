import { passesLuhnModN } from '../../checksums/luhn-mod-n.ts'
import { at, numberOf, onValues, valuesOf } from '../../checksums/values.ts'
import { passesVerhoeff } from '../../checksums/verhoeff.ts'
import type { Recognizer, Validator } from '../../recognizer.ts'
import {
  after,
  apartRule,
  bareRule,
  dotted,
  grouped,
  identity,
  idRule,
  spelled,
  spreadRule,
  wholeRule,
  worth,
} from './id-rule.ts'

const quads = ['\\d{4}', '\\d{4}', '\\d{4}'] as const

/** UIDAI: Verhoeff; numbers that read the same backwards are not given out. */
function isAadhaar(values: ArrayLike<number>): boolean {
  let mirrored = true
  for (let index = 0; index < 6; index++) mirrored &&= values[index] === values[11 - index]
  return !mirrored && at(values, 0) > 1 && passesVerhoeff(values, 12)
}

const isYear = (number: number): boolean => number >= 1900 && number < 2100

/** Three years in a row have the groups too, and one of ten such rows would pass. */
const isNoListOfYears = (values: ArrayLike<number>): boolean =>
  !(isYear(numberOf(values, 0, 4)) && isYear(numberOf(values, 4, 8)) && isYear(numberOf(values, 8, 12)))

const aadhaar = identity({
  id: 'in-aadhaar',
  entity: 'IN_AADHAAR',
  tier: 1,
  family: 'digits',
  rules: [
    apartRule(grouped(quads, ' ', '-'), {
      validate: onValues((values) => isNoListOfYears(values) && isAadhaar(values)),
    }),
  ],
  match: ['3123 4567 8909', '3998-7654-3211', '2345 6789 0124'],
  miss: [
    '3123 4567 8908',
    '1123 4567 8909',
    '3123 4567-8909',
    'no. 312345678909',
    '3123 4567 8909 1234',
    '1234 3123 4567 8909',
  ],
})

const aadhaarNamed = {
  validate: onValues(isAadhaar),
  score: worth.checkDigit,
  context: ['aadhaar', 'aadhar', 'adhaar', 'aadhaars', 'uidai', 'आधार'],
}

const aadhaarBare = identity({
  id: 'in-aadhaar-bare',
  entity: 'IN_AADHAAR',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(grouped(quads, '', ' ', '-', '.', ':'), aadhaarNamed),
    spreadRule(`${spelled(4, 4, 4)}|${dotted(12)}`, aadhaarNamed),
    bareRule(grouped(quads, '', '.', ':'), { validate: onValues(isAadhaar) }),
  ],
  match: after(
    'Aadhaar ',
    '312345678909',
    '3998 7654 3211',
    '3 1 2 3 4 5 6 7 8 9 0 9',
    '3 1 2 3   4 5 6 7   8 9 0 9',
    '3998:7654:3211',
  ),
  miss: [
    'no. 312345678909',
    '312345678908',
    'Aadhaar 312345678908',
    'Aadhaar 212345678909',
    'Aadhaar 3123456789091',
  ],
})

/** The fourth letter of a PAN is the kind of its holder. */
const panBody = '[A-Z]{3}[ABCEFGHJKLPT][A-Z]\\d{4}[A-Z]'

const pan = identity({
  id: 'in-pan',
  entity: 'IN_PAN',
  tier: 2,
  family: 'shape',
  rules: [
    wholeRule(panBody, { score: worth.distinct }),
    // In small letters it would begin at every word.
    bareRule(panBody, { ignoreCase: true }),
    idRule(panBody, {
      score: worth.shape,
      context: ['pan', 'pans', 'income', 'tax', 'permanent', 'nsdl'],
    }),
  ],
  match: ['ABCPD1234Z', 'AAAPL1234C', ...after('pan: ', 'ABCPD1234Z', 'ZZZCA9999Z')],
  miss: ['ABCXD1234Z', 'ABCD1234Z', 'pan abcpd1234z', 'ABCPD12345', 'ABCPD1234Z1', 'XABCPD1234Z'],
})

/** Codes of the states 01 to 38, of other territory 97 and of the center 99; a PAN; the check character to base 36. */
const isGstin = onValues((values) => isOfGstState(values) && passesLuhnModN(values, 0, 15, 36))
const gstinBody = '\\d{2}[A-Z]{5}\\d{4}[A-Z][1-9A-Z][Z][0-9A-Z]'

function isOfGstState(values: ArrayLike<number>): boolean {
  const state = numberOf(values, 0, 2)
  return (state > 0 && state < 39) || state === 97 || state === 99
}

const gstin = identity({
  id: 'in-gstin',
  entity: 'IN_GSTIN',
  tier: 1,
  family: 'shape',
  rules: [
    wholeRule(gstinBody, { ignoreCase: true, validate: isGstin }),
    bareRule(gstinBody, { ignoreCase: true, validate: onValues(isOfGstState) }),
  ],
  match: ['27AAPFU0939F1ZV', '29AAGCB7383J1Z4', '27aapfu0939f1zv'],
  miss: ['no. 27AAPFU0939F1ZW', '00AAPFU0939F1ZV', '39AAPFU0939F1ZV', '27AAPFU0939F1ZV5', '27AAPFU0939F1AV'],
})

/** No series Q, X or Z; neither the first nor the last digit is 0. */
const isPassport: Validator = (text, start, end) =>
  !'QXZqxz'.includes(text.charAt(start)) && text.charAt(start + 1) !== '0' && text.charAt(end - 1) !== '0'

const passport = identity({
  id: 'in-passport',
  entity: 'IN_PASSPORT',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]\\d{2} ?\\d{5}', {
      validate: isPassport,
      ignoreCase: true,
      score: worth.shape,
      context: ['passport', 'passports', 'पासपोर्ट'],
    }),
  ],
  match: after('passport ', 'B3097651', 'C3590543', 'j83 69854'),
  miss: ['B3097651', 'passport B0097651', 'passport B3097650', 'passport Q3097651', 'passport B30976511'],
})

const states = new Set(
  'AN AP AR AS BR CG CH DD DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TG TN TR TS UA UK UP UT WB'.split(
    ' ',
  ),
)
const isOfState = (text: string, start: number): boolean =>
  states.has(text.slice(start, start + 2).toUpperCase())
const isRegistered = (text: string, start: number, end: number): boolean =>
  at(valuesOf(text, start, end), 0) < 10 || isOfState(text, start)

const vehicleContext = [
  ...[
    'vehicle',
    'vehicles',
    'registration',
    'rto',
    'plate',
    'plates',
    'car',
    'bike',
    'scooter',
    'rc',
    'reg',
    'gaadi',
  ],
]

const vehicle = identity({
  id: 'in-vehicle-registration',
  entity: 'IN_VEHICLE_REGISTRATION',
  tier: 2,
  family: 'shape',
  rules: [
    wholeRule(grouped(['[A-Z]{2}', '\\d{2}', '[A-Z]{2}', '\\d{4}'], '', ' ', '-'), {
      validate: isOfState,
      score: worth.distinct,
    }),
    idRule('[A-Z]{2}\\d{2}[A-Z]{1,3}\\d{4}', {
      ignoreCase: true,
      validate: isOfState,
      score: worth.shape,
      context: vehicleContext,
    }),
    // Small letters apart from digits are words: `a car as 2 of 2000`.
    idRule(
      '[A-Z]{2}[ \\-]?\\d{1,2}[ \\-]?[A-Z]{0,3}[ \\-]?\\d{4}|\\d{2}[ \\-]?BH[ \\-]?\\d{4}[ \\-]?[A-Z]{1,2}',
      {
        validate: isRegistered,
        score: worth.shape,
        context: vehicleContext,
      },
    ),
  ],
  match: [
    'DL01CA1234',
    'MH 12 AB 1234',
    'KA-05-MJ-2345',
    ...after('vehicle ', 'TN 7 C 4523', '22 BH 1234 AA', 'ka01a1234'),
  ],
  miss: ['XX01CA1234', 'DL01C1234', 'vehicle XX 01 C 1234', 'DL01CA12345', 'DL01CA123', 'a car as 2 of 2000'],
})

const voter = identity({
  id: 'in-voter',
  entity: 'IN_VOTER',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]{3}\\d{7}', {
      score: worth.shape,
      context: ['voter', 'voters', 'epic', 'election', 'elector', 'electoral', 'matdata'],
    }),
  ],
  match: after('voter id ', 'KSD1287349', 'ABC1234567', 'XGF2389012'),
  miss: [
    'KSD1287349',
    'voter id ksd1287349',
    'voter id KSDA128734',
    'voter id KSD12873491',
    'voter id KSD128734',
  ],
})

export const india: readonly Recognizer[] = [aadhaar, aadhaarBare, pan, gstin, passport, vehicle, voter]
