import { hasCue } from '../../cue.ts'
import { countDigits, digitAt, leadingDigits } from '../../digits.ts'
import type { Edge, Recognizer, Rule, Validator } from '../../recognizer.ts'
import { alphanumeric, digits, ofWholeText } from '../shapes.ts'

const weights = [3, 7, 1]

/** Federal Reserve districts, thrifts, electronic numbers and traveler's checks (ABA routing number policy). */
function isAssigned(prefix: number): boolean {
  return prefix <= 12 || (prefix >= 21 && prefix <= 32) || (prefix >= 61 && prefix <= 72) || prefix === 80
}

const isRoutingNumber: Validator = (text, start, end) => {
  let sum = 0
  let count = 0
  for (let index = start; index < end; index++) {
    const digit = digitAt(text, index)
    if (digit < 0) continue
    sum += digit * (weights[count % 3] as number)
    count++
  }
  return sum > 0 && sum % 10 === 0 && isAssigned(leadingDigits(text, start, end, 2))
}

const edge: Edge = { not: alphanumeric, notPair: { near: '.,\\-', far: digits } }
const rule = (pattern: string): Rule => ({ pattern, left: edge, right: edge, lengthMax: 24 })

export const abaRoutingNumber: Recognizer = {
  id: 'aba-routing-number',
  entity: 'ABA_ROUTING_NUMBER',
  category: 'payment',
  tier: 2,
  family: 'digits',
  rules: [
    {
      ...rule('\\d{9}'),
      validate: isRoutingNumber,
      score: 0.3,
      context: ['routing', 'aba', 'rtn', 'transit', 'wire', 'fedwire', 'ach', 'bank', 'rout'],
    },
    // The printed form of 4-4-1 is of nothing else.
    { ...rule('\\d{4}-\\d{4}-\\d'), validate: isRoutingNumber },
    ofWholeText({ ...rule('\\d{9}'), validate: isRoutingNumber }),
  ],
  examples: {
    match: [
      '0711-0130-7',
      { before: 'routing number ', value: '121000358' },
      { before: 'ABA: ', value: '021000021' },
      { before: '"routingNumber": "', value: '322271627' },
    ],
    miss: [
      'routing number 121000359',
      'routing number 991000358',
      'the order 121000358 was sent',
      'ABA 1210003580',
      '0711-0130-8',
      'routing number 000000000',
    ],
  },
}

const bankCues = new Set(
  (
    'bank acct account accounts checking savings deposit kontonummer cuenta cuentas compte conto conta ' +
    'beneficiary'
  ).split(' '),
)
/** An account of these is no bank's, and what they name is another number. */
const notBank = new Set(
  'aws azure gcp google github user twitter customer routing aba swift order invoice tracking phone card aadhaar npi nhs pesel ssn tax'.split(
    ' ',
  ),
)

/** `account` alone is of anything; a bank or a number must be said with it, close before. */
const isBankNumber: Validator = (text, start, end) => {
  const count = countDigits(text, start, end)
  if (count < 8 || count > 17) return false
  return (
    hasCue(text, start, { cues: bankCues, count: 4, stops: notBank }) &&
    !hasCue(text, start, { cues: notBank, count: 6 })
  )
}

export const usBankNumber: Recognizer = {
  id: 'us-bank-number',
  entity: 'US_BANK_NUMBER',
  category: 'payment',
  tier: 2,
  family: 'digits',
  rules: [
    {
      ...rule('\\d{8,17}'),
      validate: isBankNumber,
      score: 0.2,
      context: ['bank', 'acct', 'checking', 'savings', 'account', 'deposit'],
    },
  ],
  examples: {
    match: [
      { before: 'My bank account number is ', value: '945456787654' },
      { before: 'checking account: ', value: '12345678' },
      { before: 'acct no. ', value: '00012345678' },
    ],
    miss: [
      '945456787654',
      'order 945456787654',
      'bank account 1234567',
      'AWS account 123456789012',
      'the bank opened in 1998',
    ],
  },
}
