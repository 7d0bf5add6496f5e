import { at, onValues } from '../../checksums/values.ts'
import { weightedSum } from '../../checksums/weighted.ts'
import type { Recognizer } from '../../recognizer.ts'
import { after, bareRule, identity, idRule, wholeRule, worth } from './id-rule.ts'

const nricWeights = [0, 2, 7, 6, 5, 4, 3, 2]
const offsets: Readonly<Record<number, number>> = { 29: 4, 16: 4, 22: 3 }
const citizenLetters = 'JZIHGFEDCBA'
const foreignLetters = 'XWUTRQPNMLK'
const newForeignLetters = 'XWUTRQPNJLK'
const letterM = 22
/** F, G, M, S, T. */
const kinds: readonly number[] = [15, 16, 22, 28, 29]

const lettersOf = (first: number): string => {
  if (first === letterM) return newForeignLetters
  return first === 15 || first === 16 ? foreignLetters : citizenLetters
}

/** The first letter tells citizens (S, T) from foreigners (F, G, M) and centuries from each other. */
const isNric = onValues((values) => {
  const first = at(values, 0)
  if (!kinds.includes(first)) return false
  const rest = (weightedSum(values, nricWeights) + (offsets[first] ?? 0)) % 11
  return lettersOf(first).charCodeAt(rest) - 55 === at(values, 8)
})

const nric = identity({
  id: 'sg-nric-fin',
  entity: 'SG_NRIC_FIN',
  tier: 2,
  family: 'shape',
  rules: [
    wholeRule('[A-Z]\\d{7}[A-Z]', { validate: isNric, score: worth.distinct }),
    idRule('[A-Z]\\d{7}[A-Z]', {
      ignoreCase: true,
      validate: (text, start) => 'STFGMstfgm'.includes(text.charAt(start)),
      score: worth.shape,
      context: ['nric', 'fin', 'nrics', 'singapore', 'singaporean'],
    }),
    bareRule('[A-Z]\\d{7}[A-Z]', { ignoreCase: true, validate: isNric }),
  ],
  match: ['S1234567D', 'F1234567N', 'T1234567J', 'G1234567X', ...after('NRIC ', 's1234567d')],
  miss: ['S1234567E', 'A1234567D', 'no. s1234567d', 'S12345678D', 'S1234567DD'],
})

const businessWeights = [10, 4, 9, 3, 8, 2, 7, 1]
const companyWeights = [10, 8, 6, 4, 9, 7, 5, 3, 1]
const entityWeights = [4, 3, 5, 3, 10, 2, 2, 5, 7]
/** ACRA's alphabet of the third form leaves I, O, Y and Z out. */
const entityAlphabet = 'ABCDEFGHJKLMNPQRSTUVWX0123456789'

const indexOfValue = (value: number): number =>
  entityAlphabet.indexOf(value < 10 ? String(value) : String.fromCharCode(value + 55))

const isBusiness = onValues(
  (values) => 'XMKECAWLJDB'.charCodeAt(weightedSum(values, businessWeights) % 11) - 55 === at(values, 8),
)
const isCompany = onValues(
  (values) => 'ZKCMDNERGWH'.charCodeAt(weightedSum(values, companyWeights) % 11) - 55 === at(values, 9),
)
const isEntity = onValues((values) => {
  let sum = 0
  for (let index = 0; index < 9; index++) sum += indexOfValue(at(values, index)) * at(entityWeights, index)
  return indexOfValue(at(values, 9)) === (sum + 6) % 11
})

const context = ['uen', 'acra', 'company', 'business', 'gst', 'registration']

const uen = identity({
  id: 'sg-uen',
  entity: 'SG_UEN',
  tier: 2,
  family: 'shape',
  rules: [
    wholeRule('[TSR]\\d{2}[A-Z]{2}\\d{4}[A-Z]', { validate: isEntity, score: worth.distinct }),
    idRule('\\d{8}[A-Z]', { ignoreCase: true, validate: isBusiness, score: worth.checkDigit, context }),
    wholeRule('(19|20)\\d{7}[A-Z]', { validate: isCompany, score: worth.checkDigit, context }),
    bareRule('\\d{8}[A-Z]', { ignoreCase: true, validate: isBusiness }),
    bareRule('(19|20)\\d{7}[A-Z]', { ignoreCase: true, validate: isCompany }),
  ],
  match: ['T16RF0037C', 'S57TU0392K', ...after('UEN ', '53125226D', '201434292D')],
  miss: ['T16RF0037D', 'no. 53125226D', '53125226E', 'UEN 53125226E', 'UEN 201434292E', 'UEN 2014342921D'],
})

export const sg: readonly Recognizer[] = [nric]
export const singaporeEntities: readonly Recognizer[] = [uen]
