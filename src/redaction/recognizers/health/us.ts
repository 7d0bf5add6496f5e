import { passesLuhnModN } from '../../checksums/luhn-mod-n.ts'
import { at, onValues } from '../../checksums/values.ts'
import { weightedSum } from '../../checksums/weighted.ts'
import { leadingDigits } from '../../digits.ts'
import type { Recognizer, Validator } from '../../recognizer.ts'
import { after, bareRule, grouped, health, idRule, wholeRule, worth } from '../identity/id-rule.ts'

/** ISO 7812 prefix 80840 (health, United States) adds 24 to the Luhn sum. */
const isNpi = onValues(
  (values) => (at(values, 0) === 1 || at(values, 0) === 2) && passesLuhnModN(values, 0, 10, 10, 24),
)

const npi = health({
  id: 'us-npi',
  entity: 'US_NPI',
  tier: 2,
  family: 'digits',
  rules: [
    idRule(grouped(['\\d{4}', '\\d{3}', '\\d{3}'], '', '-', ' '), {
      validate: isNpi,
      score: worth.checkDigit,
      context: ['npi', 'npis', 'nppes'],
    }),
    // Clouds have providers, too, and times in seconds begin with 15 to 19.
    idRule('\\d{10}', {
      validate: (text, start, end) =>
        leadingDigits(text, start, end, 2) < 15 === (text.charAt(start) === '1') && isNpi(text, start, end),
      score: worth.checkDigit,
      context: ['provider', 'prescriber', 'physician', 'clinician', 'practitioner'],
    }),
    bareRule(grouped(['\\d{4}', '\\d{3}', '\\d{3}'], '', '-', ' '), { validate: isNpi }),
  ],
  match: [
    ...after('NPI ', '1234567893', '1245319599', '1234-567-893', '1234 567 893'),
    ...after('"provider_id": "', '1003000126'),
  ],
  miss: [
    'no. 1234567893',
    '1234567890',
    'NPI 1234567890',
    'NPI 3234567893',
    'NPI 12345678931',
    'NPI 1234-567 893',
  ],
})

/** CMS: no S, L, O, I, B, Z, which look like digits. */
const letter = '[AC-HJKMNP-RT-Y]'
const either = '[AC-HJKMNP-RT-Y0-9]'
const mbiGroups = [`[1-9]${letter}${either}\\d`, `${letter}${either}\\d`, `${letter}{2}\\d{2}`] as const

const mbi = health({
  id: 'us-mbi',
  entity: 'US_MBI',
  tier: 1,
  family: 'shape',
  rules: [
    wholeRule(grouped(mbiGroups, '-'), { ignoreCase: true }),
    wholeRule(grouped(mbiGroups, '', ' ')),
    idRule(grouped(mbiGroups, ''), {
      ignoreCase: true,
      score: worth.checkDigit,
      context: ['mbi', 'medicare', 'beneficiary', 'cms'],
    }),
    bareRule(grouped(mbiGroups, ''), { ignoreCase: true }),
  ],
  match: ['1EG4-TE5-MK73', '1EG4TE5MK73', '1eg4-te5-mk73', ...after('Medicare id ', '1eg4te5mk73')],
  miss: [
    '1EG4-TE5-OK73',
    '0EG4-TE5-MK73',
    '1EG4-TE5MK73',
    'no. 1eg4te5mk73',
    '1EG4TE5MK734',
    '12G4-TE5-MK73',
  ],
})

const deaWeights = [0, 0, 1, 2, 1, 2, 1, 2]

/** DEA: the last digit of the first, third, fifth and twice the second, fourth, sixth digit. */
const isDea = onValues((values) => weightedSum(values, deaWeights) % 10 === at(values, 8))

const deaPattern = '[A-Z]{2}\\d{7}|[A-Z]9\\d{7}'
const isOfRegistrant: Validator = (text, start, end) =>
  !'INOQVWYZinoqvwyz'.includes(text.charAt(start)) && isDea(text, start, end)

const dea = health({
  id: 'us-dea',
  entity: 'MEDICAL_LICENSE',
  tier: 2,
  family: 'shape',
  rules: [
    idRule(deaPattern, {
      ignoreCase: true,
      validate: isOfRegistrant,
      score: worth.checkDigit,
      context: [
        'dea',
        'prescriber',
        'physician',
        'doctor',
        'rx',
        'license',
        'licence',
        'registrant',
        'certificate',
      ],
    }),
    bareRule(deaPattern, { ignoreCase: true, validate: isOfRegistrant }),
  ],
  match: after('DEA number ', 'AB1234563', 'F91234563', 'ap5836727'),
  miss: [
    'no. AB1234563',
    'AB1234564',
    'DEA number AB1234564',
    'DEA number WB1234563',
    'DEA number AB12345631',
  ],
})

export const usHealth: readonly Recognizer[] = [npi, mbi, dea]
