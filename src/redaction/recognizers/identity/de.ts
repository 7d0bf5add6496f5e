import { passesMod11And10 } from '../../checksums/iso7064.ts'
import { passesMrz } from '../../checksums/mrz.ts'
import { at, numberOf, onValues } from '../../checksums/values.ts'
import { countDigits } from '../../digits.ts'
import type { Recognizer } from '../../recognizer.ts'
import { isDay } from './birth-date.ts'
import { after, bareRule, grouped, identity, idRule, wholeRule, worth } from './id-rule.ts'

const taxContext = [
  ...['steuer', 'steuerid', 'steueridentifikationsnummer', 'steuernummer', 'idnr', 'identifikationsnummer'],
  ...['steueridnr', 'finanzamt', 'tin', 'tax', 'stnr', 'steuernr', 'bzst'],
]

/** The most frequent of the first `count` digits comes this often. */
function mostSame(values: ArrayLike<number>, count: number): number {
  let most = 0
  for (let digit = 0; digit < 10; digit++) {
    let seen = 0
    for (let index = 0; index < count; index++) if (values[index] === digit) seen++
    most = Math.max(most, seen)
  }
  return most
}

/** Section 139a AO: no leading zero, no digit more than three times. */
const isTaxId = onValues(
  (values) => at(values, 0) > 0 && passesMod11And10(values, 0, 11) && mostSame(values, 10) <= 3,
)

/** Among the first ten digits one comes twice or three times; in older test numbers none does. */
function isDistinct(values: ArrayLike<number>): boolean {
  let seen = 0
  let count = 0
  for (let index = 0; index < 10; index++) {
    const bit = 1 << at(values, index)
    if ((seen & bit) === 0) count++
    seen |= bit
  }
  return count >= 9 || (count === 8 && mostSame(values, 10) === 3)
}

const isBareTaxId = onValues(
  (values) => at(values, 0) > 0 && passesMod11And10(values, 0, 11) && isDistinct(values),
)

const taxId = identity({
  id: 'de-tax-id',
  entity: 'DE_TAX_ID',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(grouped(['\\d{2}', '\\d{3}', '\\d{3}', '\\d{3}'], '', ' ', '-', '.'), {
      validate: isTaxId,
      score: worth.checkDigit,
      context: taxContext,
    }),
    bareRule(grouped(['\\d{2}', '\\d{3}', '\\d{3}', '\\d{3}'], '', ' '), { validate: isBareTaxId }),
  ],
  match: after('Steuer-ID: ', '86095742719', '86 095 742 719', '47036892816', '65929970489'),
  miss: [
    'no. 86095742719',
    '86095742710',
    'Steuer-ID 86095742710',
    'Steuer-ID 02345678901',
    'Steuer-ID 11111111111',
    'Steuer-ID 860957427191',
  ],
})

/** Codes of the Laender: of the tax offices (10 to 55), or of the statisticians (01 to 16). */
const isOfLand = onValues((values) => numberOf(values, 0, 2) > 0 && numberOf(values, 0, 2) < 56)

const taxNumber = identity({
  id: 'de-tax-number',
  entity: 'DE_TAX_NUMBER',
  tier: 2,
  family: 'digits',
  rules: [
    idRule('\\d{2,3}/\\d{3,4}/\\d{4,5}|\\d{3} \\d{3} \\d{5}', { score: worth.shape, context: taxContext }),
    // ELSTER: the office of the Land, the district and the serial number.
    idRule('\\d{13}', { validate: isOfLand, score: worth.shape, context: taxContext }),
  ],
  match: after('Steuernummer ', '12/345/67890', '123/3456/7890', '2893081508152', '181/815/08155'),
  miss: [
    '12/345/67890',
    'Steuernummer 12/34/5678',
    'Steuernummer 0081508150001',
    'Steuernummer 289308150815',
  ],
})

const vatContext = [
  'ust',
  'ustid',
  'ustidnr',
  'umsatzsteuer',
  'mwst',
  'vat',
  'uid',
  'umsatzsteueridentifikationsnummer',
]
const isVatId = onValues((values) => passesMod11And10(values, 2, 11) && at(values, 2) > 0)

const vatId = identity({
  id: 'de-vat-id',
  entity: 'DE_VAT_ID',
  tier: 2,
  family: 'shape',
  rules: [
    idRule(
      `DE ?(${grouped(['\\d{3}', '\\d{3}', '\\d{3}'], '', ' ', '.', '-')})|DE\\.\\d{3}\\.\\d{3}\\.\\d{3}|de\\d{9}`,
      {
        validate: isVatId,
        score: worth.distinct,
      },
    ),
    idRule('de \\d{9}', { validate: isVatId, score: worth.checkDigit, context: vatContext }),
    bareRule('de \\d{9}', { validate: isVatId }),
  ],
  match: [
    'DE136695976',
    'DE 136 695 976',
    'DE.136.695.976',
    'de136695976',
    ...after('USt-IdNr. ', 'de 136695976'),
  ],
  miss: ['DE136695977', 'DE12345678', 'DE1366959761', 'XDE136695976', 'no. de 136695976'],
})

const serial = 'CFGHJKLMNPRTVWXYZ0-9'

/** Nine characters; a tenth or, in documents of old, the ninth digit is the check digit of ICAO 9303. */
function isDocument(text: string, start: number, end: number): boolean {
  if (countDigits(text, start, end) < 3) return false
  return end - start === 9 || passesMrz(text, start, start + 9, start + 9)
}

const document = `[CFGHJKLMNPRTVWXYZ][${serial}]{8}\\d?`

const passport = identity({
  id: 'de-passport',
  entity: 'DE_PASSPORT',
  tier: 2,
  family: 'shape',
  rules: [
    idRule(document, {
      validate: (text, start, end) => 'CFGHJK'.includes(text.charAt(start)) && isDocument(text, start, end),
      score: worth.shape,
      context: [
        'reisepass',
        'reisepassnummer',
        'reisepasses',
        'pass',
        'passnummer',
        'passport',
        'reisedokument',
      ],
    }),
  ],
  match: after('Reisepass ', 'C01X00T47', 'C01X00T478', 'C01234565'),
  miss: [
    'C01X00T47',
    'Reisepass C01X00T471',
    'Reisepass CCCCCCCCC',
    'Reisepass D01X00T47',
    'Reisepass C01X00T4',
  ],
})

const idCard = identity({
  id: 'de-id-card',
  entity: 'DE_ID_CARD',
  tier: 2,
  family: 'shape',
  rules: [
    idRule(document, {
      validate: isDocument,
      score: worth.shape,
      context: [
        ...[
          'personalausweis',
          'ausweis',
          'ausweisnummer',
          'personalausweisnummer',
          'ausweises',
          'identitätskarte',
        ],
        ...['npa', 'aufenthaltstitel', 'personalausweises'],
      ],
    }),
  ],
  match: after('Personalausweis ', 'T22000129', 'T220001293', 'L01X00T47', 'LZ6311T475'),
  miss: ['T22000129', 'Ausweis T220001294', 'Ausweis LLLLLLLLL', 'Ausweis B22000129', 'Ausweis T2200012'],
})

const pensionWeights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]
const digitSum = (number: number): number => Math.floor(number / 10) + (number % 10)

/** VKVV section 2: the letter counts as two digits; weights 2 1 2 5 7 1 2 1 2 1 2 1, sums of digits, modulus 10. */
const isPensionNumber = onValues((values) => {
  const day = numberOf(values, 2, 4) % 50
  if (!isDay(numberOf(values, 4, 6), day) || numberOf(values, 0, 2) < 2) return false
  let sum = 0
  for (let index = 0; index < pensionWeights.length; index++)
    sum += digitSum(pensionDigit(values, index) * at(pensionWeights, index))
  return sum % 10 === at(values, 11)
})

/** The digit of a place when the letter, the ninth character, is written as two. */
function pensionDigit(values: ArrayLike<number>, index: number): number {
  const letter = at(values, 8) - 9
  if (index === 8) return Math.floor(letter / 10)
  if (index === 9) return letter % 10
  return at(values, index < 8 ? index : index - 1)
}

const pension = identity({
  id: 'de-social-security',
  entity: 'DE_SOCIAL_SECURITY',
  tier: 1,
  family: 'shape',
  rules: [
    wholeRule(
      `\\d{8}[A-Z]\\d{3}|${grouped(['\\d{2}', '\\d{6}', '[A-Z]', '\\d{3}'], ' ')}|\\d{2} \\d{6} [A-Z] \\d{2} \\d`,
      {
        ignoreCase: true,
        validate: isPensionNumber,
      },
    ),
  ],
  match: ['15070649C103', '65070803A019', '15 070649 C 103'],
  miss: ['15070649C100', '15320649C103', '15071349C103', '15070649C1031', '1507064C9103'],
})

const license = identity({
  id: 'de-fuehrerschein',
  entity: 'DE_FUEHRERSCHEIN',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]\\d{2}[A-Z0-9]{6}\\d[A-Z0-9]|[A-Z]{2}\\d{8}[A-Z0-9]', {
      ignoreCase: true,
      score: worth.shape,
      context: [
        'führerschein',
        'fuehrerschein',
        'führerscheinnummer',
        'fuehrerscheinnummer',
        'fahrerlaubnis',
        'licence',
        'license',
      ],
    }),
  ],
  match: after('Führerschein ', 'B072RRE2I55', 'KO12345678X', 'mu12345678b'),
  miss: ['B072RRE2I55', 'Führerschein BO12345678', 'Führerschein B072RRE2I5', 'Führerschein B072RRE2I555'],
})

export const de: readonly Recognizer[] = [taxId, taxNumber, vatId, passport, idCard, pension, license]
