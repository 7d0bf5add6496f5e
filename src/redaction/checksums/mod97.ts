import { at } from './values.ts'

/** The remainder modulo 97 of the number that the digits from `from` up to `to` make, of any length. */
export function remainder97(digits: ArrayLike<number>, from: number, to: number): number {
  let rest = 0
  for (let index = from; index < to; index++) rest = (rest * 10 + at(digits, index)) % 97
  return rest
}
