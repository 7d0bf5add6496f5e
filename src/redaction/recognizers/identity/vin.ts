import { onValues } from '../../checksums/values.ts'
import { passesVin } from '../../checksums/vin.ts'
import { countDigits } from '../../digits.ts'
import type { Recognizer } from '../../recognizer.ts'
import { after, bareRule, identity, idRule, wholeRule, worth } from './id-rule.ts'

const unused = /[IOQ]/i
const isChecked = onValues(passesVin)
/** In two parts, because so short a repetition is counted and ends at the first small letter. */
const vinBody = '[A-Z0-9]{9}[A-Z0-9]{8}'

/** Letters and digits both, as no key or number of one kind has. */
function isMixed(text: string, start: number, end: number): boolean {
  const digits = countDigits(text, start, end)
  return digits >= 5 && digits <= end - start - 2 && !unused.test(text.slice(start, end))
}

export const vin: readonly Recognizer[] = [
  identity({
    id: 'vin',
    entity: 'VIN',
    tier: 1,
    family: 'shape',
    rules: [
      // The last four are digits in North America, where the check digit is the law (49 CFR 565).
      wholeRule(vinBody, {
        validate: (text, start, end) =>
          isMixed(text, start, end) && countDigits(text, end - 4, end) === 4 && isChecked(text, start, end),
      }),
      idRule(vinBody, {
        validate: isMixed,
        score: worth.shape,
        context: [
          'vin',
          'vins',
          'chassis',
          'fahrgestellnummer',
          'fin',
          'fahrzeugidentifikationsnummer',
          'vehicle',
          'telaio',
        ],
      }),
      bareRule(vinBody, {
        ignoreCase: true,
        validate: (text, start, end) => isMixed(text, start, end) && isChecked(text, start, end),
      }),
    ],
    match: [
      '1M8GDM9AXKP042788',
      '1HGCM82633A004352',
      ...after('VIN ', 'WVWZZZ1JZXW000001', '1HGCM82643A004352'),
    ],
    miss: [
      '1HGCM82643A004352',
      '11111111111111111',
      '1HGCM82633A00435',
      '1HGCM82633A0043521',
      'VIN IHGCM82633A004352',
    ],
  }),
]
