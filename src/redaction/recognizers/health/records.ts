import { digitAt } from '../../digits.ts'
import type { Recognizer, Validator } from '../../recognizer.ts'
import { after, health, idRule, standsAfter, worth } from '../identity/id-rule.ts'

/** Numbers without any structure: only the words right before them say what they are. */
const calledBy =
  (words: RegExp): Validator =>
  (text, start, end) =>
    end - start >= 4 && hasDigits(text, start, end) && standsAfter(text, start, words)

function hasDigits(text: string, start: number, end: number): boolean {
  let count = 0
  for (let index = start; index < end; index++) if (digitAt(text, index) >= 0) count++
  return count >= 4
}

const ending = '(?:[ _\\-]?(?:number|num|no|nr|id|#)\\b)?[ "\'.:=#]{0,8}(?:(?:is|was) )?["\']?$'
/** So written that the digits are counted: a year or a day is too short at once. */
const token = '[A-Z]{0,4}-?\\d{4}\\d{0,8}'

const record = health({
  id: 'medical-record',
  entity: 'MEDICAL_RECORD',
  tier: 2,
  family: 'shape',
  rules: [
    idRule(token, {
      validate: calledBy(
        new RegExp(
          `(?:\\bmrn|medical[ _-]?record|\\bpatient[ _-]?(?:number|id)|\\bchart (?:number|no)|hospital (?:number|no))${ending}`,
          'i',
        ),
      ),
    }),
  ],
  match: [
    ...after('MRN: ', '12345678', 'A-123456', 'MR00012345'),
    ...after('medical record number is ', '483920'),
    ...after('"patient_id": "', '00482913'),
  ],
  miss: ['12345678', 'MRN pending', 'the medical record of 2024', 'patient 12345678', 'MRN and 12345678'],
})

const insurance = health({
  id: 'insurance-id',
  entity: 'INSURANCE_ID',
  tier: 2,
  family: 'shape',
  rules: [
    idRule('[A-Z]{0,4}-?\\d{5}\\d{0,7}', {
      validate: calledBy(
        new RegExp(
          `(?:\\b(?:insurance|member|subscriber|beneficiary|health plan)[ _-]?(?:policy[ _-]?)?(?:number|num|no|id|#)|\\binsurance policy)${ending}`,
          'i',
        ),
      ),
    }),
  ],
  match: [
    ...after('member id: ', 'XYZ123456789', '84920133'),
    ...after('insurance policy number ', 'AB-9382710'),
    ...after('subscriber_id=', 'W123456789'),
  ],
  miss: ['XYZ123456789', 'a member since 20190412', 'insurance of 250000 dollars', 'member id: none'],
})

/** Chapters A00 to Z99 without the unused ones; the third place may be A or B. */
const icdCode = '[A-TV-Z]\\d[0-9AB]'

const icd10 = health({
  id: 'icd-10',
  entity: 'ICD_10',
  tier: 2,
  family: 'shape',
  rules: [
    idRule(`${icdCode}\\.[0-9A-TV-Z]{1,4}`, {
      score: worth.shape,
      context: ['icd', 'icd10', 'dx', 'diagnosis', 'diagnoses', 'diagnosed', 'diagnose', 'diagnosen'],
    }),
    idRule(`${icdCode}[0-9A-TV-Z]{0,4}`, { score: worth.shape, context: ['icd', 'icd10', 'dx'] }),
  ],
  match: [...after('diagnosis: ', 'E11.9', 'S72.001A', 'F32.1'), ...after('ICD-10 ', 'I10', 'E119')],
  miss: ['E11.9', 'diagnosis I10', 'ICD-10 U11.9', 'diagnosis EE1.9', 'dx 11.9'],
})

export const records: readonly Recognizer[] = [record, insurance, icd10]
