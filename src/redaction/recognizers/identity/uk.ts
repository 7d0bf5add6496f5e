import { at, numberOf, onValues, valuesOf } from '../../checksums/values.ts'
import type { Recognizer, Validator } from '../../recognizer.ts'
import { after, bareRule, grouped, identity, idRule, wholeRule, worth } from './id-rule.ts'
import { isPostcode, postcodePattern } from './uk-postcode.ts'

const notPrefixes = new Set(['BG', 'GB', 'KN', 'NK', 'NT', 'TN', 'ZZ'])
const notFirst = 'DFIQUV'
const notSecond = 'DFIOQUV'

const ninoContext = ['nino', 'ninos', 'insurance', 'ni', 'hmrc', 'paye', 'payroll']
function isPrefix(text: string, start: number): boolean {
  const prefix = text.slice(start, start + 2).toUpperCase()
  return (
    !notFirst.includes(prefix.charAt(0)) && !notSecond.includes(prefix.charAt(1)) && !notPrefixes.has(prefix)
  )
}

const nino = identity({
  id: 'uk-nino',
  entity: 'UK_NINO',
  tier: 2,
  family: 'shape',
  rules: [
    wholeRule(grouped(['[A-Z]{2}', '\\d{2}', '\\d{2}', '\\d{2}', '[A-D]'], ' ', '-'), {
      validate: isPrefix,
      score: worth.distinct,
    }),
    idRule('[A-Z]{2}\\d{6}[A-D]', {
      ignoreCase: true,
      validate: isPrefix,
      score: worth.checkDigit,
      context: ninoContext,
    }),
    // The two letters and the last one pass as seldom as a check digit.
    bareRule('[A-Z]{2}[ \\-]?\\d{6}[ \\-]?[A-D]', { ignoreCase: true, validate: isPrefix }),
    // Small letters apart from digits are words: `insurance by 250000 a year`.
    idRule('[A-Z]{2}[ \\-]?\\d{6}[ \\-]?[A-D]', {
      validate: isPrefix,
      score: worth.checkDigit,
      context: ninoContext,
    }),
  ],
  match: [
    'AB 12 34 56 C',
    'AA-12-34-56-B',
    ...after('national insurance number ', 'AB123456C', 'tw987654a', 'AB 123456 C'),
  ],
  miss: [
    'no. AB123456C',
    'BG123456C',
    'NINO BG123456C',
    'NINO DB123456C',
    'NINO AB123456E',
    'NINO AO123456C',
    'GB 12 34 56 C',
  ],
})

const passport = identity({
  id: 'uk-passport',
  entity: 'UK_PASSPORT',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]{2}\\d{7}', {
      ignoreCase: true,
      score: worth.shape,
      context: ['passport', 'passports', 'hmpo'],
    }),
  ],
  match: after('passport no. ', 'AB1234567', 'ab1234567', 'XY9876543'),
  miss: ['AB1234567', 'passport 1234567AB', 'passport AB12345678', 'passport ABC123456'],
})

/** DVLA: five letters of the name, filled with 9; decade, month (women's plus 50), day, year; initials; check letters. */
const isDrivingLicence = onValues((values) => {
  const month = numberOf(values, 6, 8) % 50
  const day = numberOf(values, 8, 10)
  if (month < 1 || month > 12 || day < 1 || day > 31 || at(values, 6) % 5 > 1) return false
  for (let index = 1; index < 5; index++)
    if (at(values, index - 1) === 9 && at(values, index) !== 9) return false
  return at(values, 0) !== 9
})

const drivingLicence = identity({
  id: 'uk-driving-licence',
  entity: 'UK_DRIVING_LICENCE',
  tier: 1,
  family: 'shape',
  rules: [wholeRule('[A-Z][A-Z9]{4}\\d{6}[A-Z9]{2}[A-Z0-9][A-Z]{2}', { validate: isDrivingLicence })],
  match: ['MORGA657054SM9IJ', 'FO999512018AA1AB', 'JONES710153J99EF'],
  miss: ['MORGA699054SM9IJ', 'MORGA657324SM9IJ', 'FO9A9512018AA1AB', 'MORGA657054SM9IJ1', 'MORGA657054SM9I'],
})

/** `S8 4GB` is a telephone and its memory. */
const isNoSize: Validator = (text, start, end) =>
  isPostcode(text, start, end) && !['GB', 'TB'].includes(text.slice(end - 2, end))

const postcode = identity({
  id: 'uk-postcode',
  entity: 'UK_POSTCODE',
  tier: 2,
  family: 'shape',
  rules: [
    idRule(postcodePattern, {
      ignoreCase: true,
      validate: isPostcode,
      score: worth.checkDigit,
      context: ['postcode', 'postcodes', 'postal'],
    }),
    idRule(postcodePattern, {
      score: worth.checkDigit,
      validate: isNoSize,
      context: ['post', 'address', 'addresses', 'zip', 'london', 'street', 'road', 'lane', 'avenue'],
    }),
    bareRule(postcodePattern, { validate: isNoSize }),
  ],
  match: after('postcode: ', 'EC1A 1BB', 'W1A1HQ', 'SW1A 1AA', 'm1 1aa', 'GIR 0AA', 'CR2 6XH'),
  miss: [
    'in EC1A 1BB',
    'QQ1 1AA',
    'postcode QQ1 1AA',
    'postcode EC1A 1CB',
    'postcode EC1A  1BB',
    'postcode A1 1AA',
    'the post on the S8 4GB',
  ],
})

/** Since September 2001: the year from March, or plus 50 from September. */
const isAgeIdentifier = onValues((values) => {
  const age = numberOf(values, 2, 4)
  return ((age > 1 && age < 40) || (age > 50 && age < 90)) && !hasUnused(values)
})

/** Marks do without I and Q (values 18 and 26). */
function hasUnused(values: ArrayLike<number>): boolean {
  for (let index = 0; index < 7; index++) if (values[index] === 18 || values[index] === 26) return true
  return false
}

const notYearLetters = 'IOQUZ'

/** A letter of the year comes first or last, and no year had I, O, Q, U or Z. */
const isOlderMark: Validator = (text, start, end) => {
  const prefixed = text.charAt(start + 1) <= '9'
  return (
    !notYearLetters.includes(text.charAt(prefixed ? start : end - 1)) &&
    !hasUnused(valuesOf(text, start, end))
  )
}

const vehicleContext = [
  'registration',
  'reg',
  'plate',
  'plates',
  'vehicle',
  'vehicles',
  'vrm',
  'vrn',
  'dvla',
  'mot',
  'car',
  'van',
]

const vehicle = identity({
  id: 'uk-vehicle-registration',
  entity: 'UK_VEHICLE_REGISTRATION',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]{2}\\d{2}[ \\-]?[A-Z]{3}', {
      ignoreCase: true,
      validate: isAgeIdentifier,
      score: worth.shape,
      context: vehicleContext,
    }),
    // Older marks in small letters are prose: `a car for 5m`.
    idRule('[A-Z]\\d{1,3}[ \\-]?[A-Z]{3}|[A-Z]{3}[ \\-]?\\d{1,3}[A-Z]', {
      validate: isOlderMark,
      score: worth.shape,
      context: vehicleContext,
    }),
  ],
  match: after('vehicle registration ', 'AB12 CDE', 'LN14-HGT', 'A123 BCD', 'DEF456G', 'ab70 def'),
  miss: [
    'AB12 CDE',
    'vehicle AB49 ABC',
    'vehicle O123 BCD',
    'vehicle AB12 CDQ',
    'vehicle AB123 CDE',
    'the car for 5m',
  ],
})

export const uk: readonly Recognizer[] = [nino, passport, drivingLicence, postcode, vehicle]
