import { leadingDigits } from '../../digits.ts'
import type { Recognizer } from '../../recognizer.ts'
import { after, bareRule, grouped, identity, idRule, standsAfter, worth } from './id-rule.ts'

const groups = ['\\d{3}', '\\d{2}', '\\d{4}'] as const
const context = ['itin', 'itins', 'taxpayer', 'tax', 'irs']
/** A number that is called an SSN and is none is a sample: 987-65-4321 stands in a thousand manuals. */
const calledSsn = /(?:ssn|social security)[^\d]{0,24}$/i

/** Groups of the fourth and fifth digit that the IRS assigns (IRM 3.21.263.5.3). */
function isAssigned(text: string, start: number, end: number): boolean {
  if (text.charAt(start) !== '9') return false
  const group = leadingDigits(text, start, end, 5) % 100
  if (group < 50 || group === 66 || group === 93 || group === 89 || (group > 66 && group < 70)) return false
  return leadingDigits(text, start, end, 8) !== 98765432 && !standsAfter(text, start, calledSsn)
}

export const usItin: readonly Recognizer[] = [
  identity({
    id: 'us-itin',
    entity: 'US_ITIN',
    tier: 1,
    family: 'digits',
    rules: [
      idRule(grouped(groups, '-'), { validate: isAssigned }),
      idRule(`${grouped(groups, '', ' ')}|\\d{3}[\\- ]\\d{6}|\\d{5}[\\- ]\\d{4}`, {
        validate: isAssigned,
        score: worth.checkDigit,
        context,
      }),
      bareRule(grouped(groups, ''), { validate: isAssigned }),
    ],
    match: [
      '911-70-1234',
      '900-50-0001',
      '999-99-9999',
      ...after('ITIN ', '911701234', '911-701234', '911 70 1234'),
    ],
    miss: [
      '911-89-1234',
      '911-93-1234',
      '911-49-1234',
      '811-70-1234',
      'no. 911701234',
      'SSN 911-70-1234',
      '987-65-4321',
    ],
  }),
]
