import { at, numberOf, valuesOf } from '../../checksums/values.ts'
import { mod11Digit, weightedSum } from '../../checksums/weighted.ts'
import { digitAt } from '../../digits.ts'
import type { Recognizer } from '../../recognizer.ts'
import {
  after,
  apartRule,
  bareRule,
  dotted,
  grouped,
  health,
  idRule,
  spelled,
  spreadRule,
  worth,
} from '../identity/id-rule.ts'

const nhsWeights = [10, 9, 8, 7, 6, 5, 4, 3, 2]
const nhsGroups = ['\\d{3}', '\\d{3}', '\\d{4}'] as const

/** NHS Data Dictionary: modulus 11, and a number whose check digit would be 10 is not issued. */
function isNhsNumber(text: string, start: number, end: number): boolean {
  const values = valuesOf(text, start, end)
  const sum = weightedSum(values, nhsWeights)
  return sum % 11 !== 1 && mod11Digit(sum) === at(values, 9) && numberOf(values, 0, 9) > 0
}

/** North American telephone numbers have the same groups, and one in eleven of them would pass. */
const isNoTelephone = (text: string, start: number): boolean =>
  digitAt(text, start) < 2 || digitAt(text, start + 4) < 2

const nhs = health({
  id: 'uk-nhs',
  entity: 'UK_NHS',
  tier: 1,
  family: 'digits',
  rules: [
    apartRule(grouped(nhsGroups, ' ', '-'), {
      validate: (text, start, end) => isNoTelephone(text, start) && isNhsNumber(text, start, end),
    }),
  ],
  match: ['401 023 2137', '401-023-2137', '432 104 0019', '604-103-1224'],
  miss: ['401 023 2138', '401 023-2137', 'no. 4010232137', '943 476 5919', '000 000 0000', '12 401 023 2137'],
})

const nhsNamed = { validate: isNhsNumber, score: worth.checkDigit, context: ['nhs', 'nhsno', 'nhsnumber'] }

const nhsBare = health({
  id: 'uk-nhs-bare',
  entity: 'UK_NHS',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(grouped(nhsGroups, '', ' ', '-', '.'), nhsNamed),
    spreadRule(`${spelled(3, 3, 4)}|${dotted(10)}`, nhsNamed),
    idRule(grouped(nhsGroups, ''), {
      validate: isNhsNumber,
      score: worth.checkDigit,
      context: ['patient', 'patients'],
    }),
    bareRule(grouped(nhsGroups, '', ' ', '-'), { validate: isNhsNumber }),
  ],
  match: [
    ...after(
      'NHS number ',
      '9434765919',
      '943 476 5919',
      '943-476-5919',
      '9 4 3 4 7 6 5 9 1 9',
      '9 4 3 - 4 7 6 - 5 9 1 9',
    ),
    ...after('patient ', '4010232137'),
  ],
  miss: [
    'no. 9434765919',
    '9434765918',
    'NHS number 9434765918',
    'NHS 0000000000',
    'NHS 94347659191',
    'patient tel. 943 476 5919',
  ],
})

export const ukNhs: readonly Recognizer[] = [nhs, nhsBare]
