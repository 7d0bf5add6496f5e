import { at } from './values.ts'

/** 49 CFR 565.15 table III: letters stand for digits; I, O and Q are not used. A is at 10. */
const digitOf: readonly number[] = [
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  ...[1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 0, 7, 0, 9, 2, 3, 4, 5, 6, 7, 8, 9],
]
/** Table IV. */
const weights: readonly number[] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
const letterX = 33

/** Whether the ninth of 17 values is the check digit of a vehicle identification number, X for ten. */
export function passesVin(values: ArrayLike<number>): boolean {
  let sum = 0
  for (let index = 0; index < weights.length; index++)
    sum += at(digitOf, at(values, index)) * at(weights, index)
  const check = at(values, 8)
  return sum % 11 === (check === letterX ? 10 : check)
}
