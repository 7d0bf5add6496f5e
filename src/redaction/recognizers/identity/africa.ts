import { passesLuhnModN } from '../../checksums/luhn-mod-n.ts'
import { at, numberOf, onValues } from '../../checksums/values.ts'
import type { Recognizer } from '../../recognizer.ts'
import { isDay } from './birth-date.ts'
import { after, bareRule, identity, idRule, worth } from './id-rule.ts'

/** Department of Home Affairs: date of birth, number, citizenship 0 to 2, Luhn. */
const isSouthAfrican = (values: ArrayLike<number>): boolean =>
  isDay(numberOf(values, 2, 4), numberOf(values, 4, 6)) &&
  at(values, 10) < 3 &&
  passesLuhnModN(values, 0, 13, 10)

const southAfrican = identity({
  id: 'za-id-number',
  entity: 'ZA_ID_NUMBER',
  tier: 2,
  family: 'digits',
  rules: [
    // The last digit but one has been 8 since 1987, 9 before: with date, citizenship and Luhn one number in 4000 passes.
    idRule('\\d{13}', {
      validate: onValues((values) => at(values, 11) > 7 && isSouthAfrican(values)),
      score: worth.distinct,
    }),
    idRule('\\d{13}|\\d{6} \\d{4} \\d{3}', {
      validate: onValues(isSouthAfrican),
      score: worth.checkDigit,
      context: ['id', 'identity', 'sa', 'african', 'resident', 'refugee', 'rsa', 'identiteitsnommer'],
    }),
    bareRule('\\d{13}|\\d{6} \\d{4} \\d{3}', { validate: onValues(isSouthAfrican) }),
  ],
  match: ['8001015009087', '9202201234088', ...after('SA ID number ', '800101 5009 087')],
  miss: ['8001015009086', '8013015009087', '8001015009387', 'SA ID 80010150090870', '1711223344556'],
})

const nin = identity({
  id: 'ng-nin',
  entity: 'NG_NIN',
  tier: 2,
  family: 'digits',
  rules: [
    idRule('\\d{11}', {
      validate: (text, start) => text.charAt(start) !== '0',
      score: worth.shape,
      context: ['nin', 'nins', 'nimc', 'nigerian'],
    }),
  ],
  match: after('NIN: ', '12345678901', '54321098765', '70123456789'),
  miss: ['12345678901', 'NIN 1234567890', 'NIN 123456789012', 'NIN 02345678901'],
})

const plate = identity({
  id: 'ng-vehicle-registration',
  entity: 'NG_VEHICLE_REGISTRATION',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]{3}[ \\-]?\\d{3}[ \\-]?[A-Z]{2}', {
      score: worth.shape,
      context: ['plate', 'plates', 'vehicle', 'registration', 'frsc', 'car', 'nigeria', 'nigerian'],
    }),
  ],
  match: after('plate number ', 'ABJ-123XY', 'KJA-999PZ', 'APP456CV', 'LSR-456 KL'),
  miss: ['ABJ-123XY', 'plate ABJ-1234XY', 'plate AB-123XY', 'plate ABJ-123XYZ', 'the car did 100 km'],
})

export const southAfricans: readonly Recognizer[] = [southAfrican]
export const nigeria: readonly Recognizer[] = [nin, plate]
