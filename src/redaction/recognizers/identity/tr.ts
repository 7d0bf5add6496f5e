import { at, numberOf, onValues } from '../../checksums/values.ts'
import type { Recognizer } from '../../recognizer.ts'
import { after, bareRule, identity, idRule, worth } from './id-rule.ts'

/** Two check digits: seven times the odd places less the even ones, then the sum of all ten. */
const isNationalId = onValues((values) => {
  if (at(values, 0) === 0) return false
  let odd = 0
  let even = 0
  for (let index = 0; index < 9; index++) {
    if (index % 2 === 0) odd += at(values, index)
    else even += at(values, index)
  }
  const tenth = (odd * 7 - even + 100) % 10
  return tenth === at(values, 9) && (odd + even + tenth) % 10 === at(values, 10)
})

const nationalId = identity({
  id: 'tr-national-id',
  entity: 'TR_NATIONAL_ID',
  tier: 2,
  family: 'digits',
  rules: [
    idRule('\\d{11}', {
      validate: isNationalId,
      score: worth.checkDigit,
      context: [
        'tc',
        'tckn',
        'tckno',
        'kimlik',
        'nüfus',
        'vatandaş',
        'vatandaşlık',
        'vatandaslik',
        'turkish',
        'kişi',
      ],
    }),
    bareRule('\\d{11}', { validate: isNationalId }),
  ],
  match: after('TC Kimlik No: ', '10000000146', '76543210794', '36493665440'),
  miss: [
    'no. 10000000146',
    '10000000147',
    'TC 10000000147',
    'TC 00000000000',
    'TC 100000001461',
    'TC 62286775983',
  ],
})

/** Provinces 01 to 81. */
const isProvince = onValues((values) => numberOf(values, 0, 2) > 0 && numberOf(values, 0, 2) < 82)

const platePattern = '\\d{2} ?([A-Z] ?\\d{2,5}|[A-Z]{2} ?\\d{2,4}|[A-Z]{3} ?\\d{2,4})'

const plate = identity({
  id: 'tr-license-plate',
  entity: 'TR_LICENSE_PLATE',
  tier: 2,
  family: 'shape',
  rules: [
    idRule(platePattern, {
      ignoreCase: true,
      validate: isProvince,
      score: worth.shape,
      context: ['plaka', 'plakası', 'plakasi', 'plakalı', 'plakali', 'plakanın', 'plakanin'],
    }),
    // In small letters they are measures: `a plate of 12 x 2000`.
    idRule(platePattern, {
      validate: isProvince,
      score: worth.shape,
      context: ['plate', 'plates', 'araç', 'arac', 'aracın', 'aracin', 'otomobil'],
    }),
  ],
  match: after('plaka ', '34 ABC 1234', '34ABC1234', '06 A 1234', '35 JK 123', '06 a 123'),
  miss: [
    '34 ABC 1234',
    'plaka 82 ABC 123',
    'plaka 00 ABC 123',
    'plaka 34 ABCD 12',
    'plaka 34 ABC 12345',
    'a plate of 12 x 2000',
  ],
})

export const tr: readonly Recognizer[] = [nationalId, plate]
