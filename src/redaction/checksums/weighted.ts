import { at } from './values.ts'

/** The sum of the values times their weights, from the first value on. */
export function weightedSum(values: ArrayLike<number>, weights: readonly number[]): number {
  let sum = 0
  for (let index = 0; index < weights.length; index++) sum += at(values, index) * at(weights, index)
  return sum
}

const digitSum = (product: number): number => Math.floor(product / 10) + (product % 10)

/** As `weightedSum`, but of each product the sum of its digits counts. */
export function crossSum(values: ArrayLike<number>, weights: readonly number[]): number {
  let sum = 0
  for (let index = 0; index < weights.length; index++) sum += digitSum(at(values, index) * at(weights, index))
  return sum
}

/** The digit that lifts a sum to a multiple of eleven, and 0 where that would take two digits. */
export function mod11Digit(sum: number): number {
  const digit = (11 - (sum % 11)) % 11
  return digit > 9 ? 0 : digit
}

/** The digit that lifts a sum to a multiple of ten. */
export const mod10Digit = (sum: number): number => (10 - (sum % 10)) % 10
