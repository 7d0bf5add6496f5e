import { passesMod11And2 } from '../../checksums/iso7064.ts'
import { at, numberOf, onValues } from '../../checksums/values.ts'
import { weightedSum } from '../../checksums/weighted.ts'
import type { Recognizer } from '../../recognizer.ts'
import { isBirthDate } from './birth-date.ts'
import { after, bareRule, grouped, identity, idRule, wholeRule, worth } from './id-rule.ts'

/** GB/T 2260: provinces. */
const provinces = new Set(
  '11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83'
    .split(' ')
    .map(Number),
)

/** GB 11643: place, date of birth, number, ISO 7064 MOD 11-2. */
const isChinese = onValues(
  (values) =>
    provinces.has(numberOf(values, 0, 2)) &&
    isBirthDate(numberOf(values, 6, 10), numberOf(values, 10, 12), numberOf(values, 12, 14)) &&
    passesMod11And2(values, 18),
)

const chinese = identity({
  id: 'cn-id',
  entity: 'CN_ID',
  tier: 1,
  family: 'shape',
  rules: [wholeRule('[1-8]\\d{16}[0-9Xx]|[1-8]\\d{5} \\d{8} \\d{3}[0-9Xx]', { validate: isChinese })],
  match: ['11010519491231002X', '440524198801010011', '110105 19491231 002X'],
  miss: ['110105194912310021', '99010519491231002X', '11010519491331002X', '11010519491231002X1'],
})

const thaiWeights = [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]
/** The second and third digit are a province (Department of Provincial Administration). */
const isProvince = (code: number): boolean =>
  (code >= 10 && code <= 27) ||
  (code >= 30 && code <= 58) ||
  (code >= 60 && code <= 67) ||
  (code >= 70 && code <= 77) ||
  (code >= 80 && code <= 86) ||
  (code >= 90 && code <= 96)

const isThai = onValues(
  (values) =>
    at(values, 0) > 0 &&
    at(values, 0) < 9 &&
    isProvince(numberOf(values, 1, 3)) &&
    (11 - (weightedSum(values, thaiWeights) % 11)) % 10 === at(values, 12),
)

const thaiGroups = ['\\d', '\\d{4}', '\\d{5}', '\\d{2}', '\\d'] as const

const thai = identity({
  id: 'th-tnin',
  entity: 'TH_TNIN',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(grouped(thaiGroups, '-', ' '), { validate: isThai, score: worth.distinct }),
    idRule(grouped(thaiGroups, ''), {
      validate: isThai,
      score: worth.checkDigit,
      context: ['tnin', 'thai', 'thailand', 'บัตรประชาชน', 'เลขประจำตัวประชาชน', 'ประชาชน', 'ประจำตัว'],
    }),
    bareRule(grouped(thaiGroups, ''), { validate: isThai }),
  ],
  match: [
    '1-2345-67890-12-1',
    '4 5678 90123 45 9',
    ...after('Thai national ID ', '1234567890121', '2345678901234'),
  ],
  miss: [
    'no. 1234567890121',
    '1234567890122',
    'Thai 1234567890122',
    'Thai 0234567890121',
    'Thai 1284567890124',
    '1-2345-67890-12-2',
  ],
})

/** The Bureau of Internal Revenue keeps the check digit to itself, so only words confirm the number. */
const philippine = identity({
  id: 'ph-tin',
  entity: 'PH_TIN',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(`${grouped(['\\d{3}', '\\d{3}', '\\d{3}', '\\d{3,5}'], '-', ' ')}|\\d{3}-\\d{3}-\\d{3}|\\d{12}`, {
      validate: onValues((values) => numberOf(values, 3, 9) > 0),
      score: worth.shape,
      context: ['tin', 'bir', 'tins', 'taxpayer'],
    }),
    idRule('\\d{3}-\\d{3}-\\d{3}-\\d{3,5}', {
      validate: onValues((values) => numberOf(values, 3, 9) > 0),
      score: worth.shape,
      context: ['tax', 'philippine', 'philippines'],
    }),
  ],
  match: after('BIR TIN: ', '000-123-456-000', '000123456000', '123-456-789-00000', '123-456-789'),
  miss: ['000-123-456-000', '000123456000', 'TIN 600-000-000', 'TIN 123456789', 'TIN 000-123-4567-000'],
})

export const asia: readonly Recognizer[] = [chinese, thai, philippine]
