import { areSame, at, numberOf, onValues } from '../../checksums/values.ts'
import { weightedSum } from '../../checksums/weighted.ts'
import type { Recognizer } from '../../recognizer.ts'
import { isBirthDate } from './birth-date.ts'
import { after, bareRule, grouped, identity, idRule, worth } from './id-rule.ts'

const residentWeights = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]

/** The seventh digit tells sex, century and whether a citizen: 1 2 5 6 for 19xx, 3 4 7 8 for 20xx, 9 0 for 18xx. */
function isBorn(values: ArrayLike<number>): boolean {
  const century = at(values, 6) % 4 === 1 || at(values, 6) % 4 === 2 ? 1900 : 2000
  return isBirthDate(century + numberOf(values, 0, 2), numberOf(values, 2, 4), numberOf(values, 4, 6))
}

/** Numbers given out until October 2020 end in a check digit; the base is 11 for citizens and 13 for foreigners. */
const isChecked = (values: ArrayLike<number>, base: number): boolean =>
  (base - (weightedSum(values, residentWeights) % 11)) % 10 === at(values, 12)

const registered = (lowest: number, base: number, context: readonly string[]) => {
  const isKind = (values: ArrayLike<number>) =>
    at(values, 6) >= lowest && at(values, 6) < lowest + 4 && isBorn(values)
  return [
    idRule('\\d{6}-\\d{7}', {
      validate: onValues((values) => isKind(values) && isChecked(values, base)),
      score: worth.distinct,
    }),
    idRule(grouped(['\\d{6}', '\\d{7}'], '', '-', ' '), {
      validate: onValues(isKind),
      score: worth.checkDigit,
      context,
    }),
    // Newer numbers have no check digit, but a date, sex and century pass as seldom as one.
    bareRule(grouped(['\\d{6}', '\\d{7}'], '', '-'), { validate: onValues(isKind) }),
  ] as const
}

const rrn = identity({
  id: 'kr-rrn',
  entity: 'KR_RRN',
  tier: 2,
  family: 'digits',
  rules: registered(1, 11, ['rrn', 'resident', 'korean', '주민등록번호', '주민번호', '주민']),
  match: ['960121-1021413', '050912-4000014', ...after('주민등록번호 ', '960121-1234567', '9601211234567')],
  miss: [
    'no. 960121-1234567',
    'no. 9601211021413',
    '960121-0021413',
    'RRN 961321-1021413',
    '960121+1021413',
    'RRN 960121-5021413',
    'RRN 960121-10214135',
  ],
})

const frn = identity({
  id: 'kr-frn',
  entity: 'KR_FRN',
  tier: 2,
  family: 'digits',
  rules: registered(5, 13, ['frn', 'foreigner', 'foreign', 'alien', 'arc', '외국인등록번호', '외국인']),
  match: ['911124-5678906', ...after('FRN ', '911124-5678901', '9111245678906')],
  miss: [
    'no. 9111245678901',
    '9111321678901',
    'FRN 911324-5678901',
    'FRN 911124-1678901',
    'FRN 911124-56789011',
  ],
})

const brnWeights = [1, 3, 7, 1, 3, 7, 1, 3, 5]

/** National Tax Service: the last product counts its tens as well. */
const isBusiness = onValues((values) => {
  const sum = weightedSum(values, brnWeights) + Math.floor((at(values, 8) * 5) / 10)
  return (10 - (sum % 10)) % 10 === at(values, 9) && at(values, 0) > 0 && !areSame(values, 0, 10)
})

const brn = identity({
  id: 'kr-brn',
  entity: 'KR_BRN',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(grouped(['\\d{3}', '\\d{2}', '\\d{5}'], '', '-'), {
      validate: isBusiness,
      score: worth.checkDigit,
      context: ['brn', 'business', 'company', '사업자등록번호', '사업자번호', '사업자'],
    }),
    bareRule(grouped(['\\d{3}', '\\d{2}', '\\d{5}'], '', '-'), { validate: isBusiness }),
  ],
  match: after('BRN ', '124-81-00998', '220-81-62517', '1248100998'),
  miss: ['no. 124-81-00998', '124-81-00999', 'BRN 124-81-00999', 'BRN 024-81-00998', 'BRN 124-81-009981'],
})

/** Regions of the police 11 to 28. */
const isRegion = onValues((values) => numberOf(values, 0, 2) > 10 && numberOf(values, 0, 2) < 29)

const driver = identity({
  id: 'kr-driver-license',
  entity: 'KR_DRIVER_LICENSE',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(grouped(['\\d{2}', '\\d{2}', '\\d{6}', '\\d{2}'], '', '-', ' '), {
      validate: isRegion,
      score: worth.shape,
      context: ['license', 'licence', 'driver', 'driving', '운전면허', '면허번호', '면허'],
    }),
  ],
  match: after('운전면허 ', '11-22-123456-12', '28 22 123456 12', '132212345612'),
  miss: ['11-22-123456-12', 'license 29-22-123456-12', 'license 11-22-12345-12', 'license 11-22 123456-12'],
})

const passport = identity({
  id: 'kr-passport',
  entity: 'KR_PASSPORT',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]\\d{8}|[A-Z]\\d{3}[A-Z]\\d{4}', {
      validate: (text, start) => 'MSRODmsrod'.includes(text.charAt(start)),
      ignoreCase: true,
      score: worth.shape,
      context: ['korean', 'korea', '여권', '여권번호'],
    }),
  ],
  match: after('여권번호 ', 'M12345678', 'M123A4567', 's012d5678'),
  miss: ['M12345678', '여권 A12345678', '여권 M1234567', '여권 M1234A567', '여권 M123-A4567'],
})

export const kr: readonly Recognizer[] = [rrn, frn, brn, driver, passport]
