import { at, countOf, numberOf, onValues } from '../../checksums/values.ts'
import { mod10Digit, weightedSum } from '../../checksums/weighted.ts'
import type { Recognizer } from '../../recognizer.ts'
import { after, bareRule, grouped, health, identity, idRule, worth } from './id-rule.ts'

const tfnWeights = [1, 4, 3, 7, 5, 8, 6, 9, 10]
const abnWeights = [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]
const acnWeights = [8, 7, 6, 5, 4, 3, 2, 1]
const medicareWeights = [1, 3, 7, 9, 1, 3, 7, 9]
const threes = ['\\d{3}', '\\d{3}', '\\d{3}'] as const

const isTfn = onValues((values) => weightedSum(values, tfnWeights) % 11 === 0 && numberOf(values, 0, 9) > 0)

const tfn = identity({
  id: 'au-tfn',
  entity: 'AU_TFN',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(grouped(threes, '', ' ', '-'), {
      validate: isTfn,
      score: worth.checkDigit,
      context: ['tfn', 'tfns', 'ato', 'tax', 'taxation'],
    }),
    bareRule(grouped(threes, '', ' ', '-'), { validate: isTfn }),
  ],
  match: after('TFN ', '123456782', '123 456 782', '876 543 210'),
  miss: ['no. 123456782', '123456783', 'TFN 123456783', 'TFN 000000000', 'TFN 123 456-782', 'TFN 1234567821'],
})

/** Australian Business Register: one is taken from the first digit; modulus 89. */
const isAbn = onValues((values) => at(values, 0) > 0 && (weightedSum(values, abnWeights) - 10) % 89 === 0)

const abn = identity({
  id: 'au-abn',
  entity: 'AU_ABN',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(grouped(['\\d{2}', ...threes], '', ' ', '-'), {
      validate: isAbn,
      score: worth.checkDigit,
      context: ['abn', 'abns', 'business', 'australian', 'gst', 'pty', 'abr'],
    }),
    bareRule(grouped(['\\d{2}', ...threes], '', ' ', '-'), { validate: isAbn }),
  ],
  match: after('ABN ', '51824753556', '51 824 753 556', '53 004 085 616'),
  miss: ['no. 51824753556', '52824753556', 'ABN 52824753556', 'ABN 00000000560', 'ABN 518247535561'],
})

const isAcn = onValues(
  (values) => mod10Digit(weightedSum(values, acnWeights)) === at(values, 8) && numberOf(values, 0, 9) > 0,
)

const acn = identity({
  id: 'au-acn',
  entity: 'AU_ACN',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(grouped(threes, '', ' ', '-'), {
      validate: isAcn,
      score: worth.checkDigit,
      context: ['acn', 'acns', 'asic', 'company', 'australian', 'pty'],
    }),
    bareRule(grouped(threes, '', ' ', '-'), { validate: isAcn }),
  ],
  match: after('ACN ', '004085616', '004 085 616', '005 499 981'),
  miss: ['no. 004085616', '004085617', 'ACN 004085617', 'ACN 000000000', 'ACN 0040856161'],
})

/** Nine digits with their check digit, the issue and, on a card of several, the person. */
const isMedicare = onValues(
  (values) =>
    at(values, 0) > 1 &&
    at(values, 0) < 7 &&
    weightedSum(values, medicareWeights) % 10 === at(values, 8) &&
    at(values, 9) > 0 &&
    countOf(values) > 9,
)

const medicarePattern = '\\d{10}|\\d{11}|\\d{4}[ \\-]\\d{5}[ \\-]\\d([ \\-/]\\d)?'

const medicare = health({
  id: 'au-medicare',
  entity: 'AU_MEDICARE',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(medicarePattern, {
      validate: isMedicare,
      score: worth.checkDigit,
      context: ['medicare', 'irn'],
    }),
    bareRule(medicarePattern, { validate: isMedicare }),
  ],
  match: after('Medicare ', '2123 45670 1', '2123456701', '21234567011'),
  miss: [
    'no. 2123456701',
    '2123258701',
    'Medicare 2123 25870 1',
    'Medicare 1123456701',
    'Medicare 212345670111',
  ],
})

export const au: readonly Recognizer[] = [tfn, abn, acn, medicare]
