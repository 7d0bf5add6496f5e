import { at, numberOf, onValues } from '../../checksums/values.ts'
import { crossSum, mod10Digit, weightedSum } from '../../checksums/weighted.ts'
import type { Recognizer } from '../../recognizer.ts'
import { after, bareRule, health, idRule, worth } from '../identity/id-rule.ts'

const insuredWeights = [0, 1, 2, 1, 2, 1, 2, 1, 2]

/** GKV-Spitzenverband: the letter counts as two digits 01 to 26; weights 1 and 2 in turn, sums of digits. */
const isInsuredNumber = onValues((values) => {
  const letter = at(values, 0) - 9
  const ones = (letter % 10) * 2
  const ofLetter = Math.floor(letter / 10) + (ones > 9 ? ones - 9 : ones)
  return (ofLetter + crossSum(values, insuredWeights)) % 10 === at(values, 9)
})

const insured = health({
  id: 'de-health-insurance',
  entity: 'DE_HEALTH_INSURANCE',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]\\d{9}', {
      ignoreCase: true,
      validate: isInsuredNumber,
      score: worth.checkDigit,
      context: [
        ...[
          'kvnr',
          'egk',
          'krankenkasse',
          'krankenversicherung',
          'krankenversichertennummer',
          'versichertennummer',
        ],
        ...[
          'versicherten',
          'versicherte',
          'gesundheitskarte',
          'krankenversicherungsnummer',
          'gkv',
          'versicherung',
        ],
      ],
    }),
    bareRule('[A-Z]\\d{9}', { ignoreCase: true, validate: isInsuredNumber }),
  ],
  match: after('Krankenkasse KVNR: ', 'A123456780', 'A000500015', 'M123456785', 'c000500021'),
  miss: [
    'no. A123456780',
    'A123456781',
    'KVNR A123456781',
    'KVNR A12345678',
    'KVNR AA23456780',
    'KVNR A1234567801',
  ],
})

const physicianWeights = [4, 9, 4, 9, 4, 9]

/** KBV: six digits, their check digit, two digits of the specialty. */
const isPhysicianNumber = onValues(
  (values) => mod10Digit(weightedSum(values, physicianWeights)) === at(values, 6),
)

const physician = health({
  id: 'de-lanr',
  entity: 'DE_LANR',
  tier: 2,
  family: 'digits',
  rules: [
    idRule('\\d{9}', {
      validate: isPhysicianNumber,
      score: worth.checkDigit,
      context: ['lanr', 'arztnummer', 'arzt', 'arztes', 'vertragsarzt', 'vertragsarztnummer'],
    }),
    bareRule('\\d{9}', { validate: isPhysicianNumber }),
  ],
  match: after('LANR: ', '123456601', '234567701', '999999901'),
  miss: ['no. 123456601', '123456701', 'LANR 123456701', 'LANR 12345660', 'LANR 1234566011'],
})

/** The first two digits: associations of physicians. */
const regions = new Set([1, 2, 3, 17, 20, 38, 46, 51, 52, 71, 72, 73, 78, 83, 88, 93, 98, 99])
const isPracticeNumber = onValues(
  (values) => regions.has(numberOf(values, 0, 2)) && numberOf(values, 2, 9) > 0,
)

const practice = health({
  id: 'de-bsnr',
  entity: 'DE_BSNR',
  tier: 2,
  family: 'digits',
  rules: [
    idRule('\\d{9}', {
      validate: isPracticeNumber,
      score: worth.shape,
      context: [
        'bsnr',
        'nbsnr',
        'betriebsstätte',
        'betriebsstättennummer',
        'betriebsstaettennummer',
        'arztpraxis',
      ],
    }),
  ],
  match: after('BSNR ', '711234567', '021234568', '989999999'),
  miss: ['711234567', 'BSNR 711234567A', 'BSNR 041234567', 'BSNR 7112345678', 'BSNR 710000000'],
})

export const deHealth: readonly Recognizer[] = [insured, physician, practice]
