import { at, numberOf, onValues } from '../../checksums/values.ts'
import { mod10Digit, weightedSum } from '../../checksums/weighted.ts'
import type { Recognizer } from '../../recognizer.ts'
import { isDay } from './birth-date.ts'
import { after, bareRule, identity, idRule, worth } from './id-rule.ts'

const weights = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]

/** Ministry of Digital Affairs: the month carries the century in steps of 20. */
const isPesel = onValues(
  (values) =>
    isDay(numberOf(values, 2, 4) % 20, numberOf(values, 4, 6)) &&
    mod10Digit(weightedSum(values, weights)) === at(values, 10),
)

export const pl: readonly Recognizer[] = [
  identity({
    id: 'pl-pesel',
    entity: 'PL_PESEL',
    tier: 2,
    family: 'digits',
    rules: [
      idRule('\\d{11}', {
        validate: isPesel,
        score: worth.checkDigit,
        context: ['pesel', 'pesele', 'peselu', 'obywatel', 'ewidencyjny', 'polish', 'polski'],
      }),
      bareRule('\\d{11}', { validate: isPesel }),
    ],
    match: after('PESEL: ', '44051401359', '02070803628', '11111111116'),
    miss: [
      'no. 44051401359',
      '44051401358',
      'PESEL 44051401358',
      'PESEL 44133201359',
      'PESEL 440514013591',
      'PESEL 4405140135',
    ],
  }),
]
