import { at } from './values.ts'

/** Decree of 23 December 1976: what characters at odd places count; digits count as the letters A to J. */
const oddValues: readonly number[] = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
]

const letterIndex = (value: number): number => (value < 10 ? value : value - 10)

/** Whether the sixteenth value is the check letter of an Italian fiscal code. */
export function passesCodiceFiscale(values: ArrayLike<number>): boolean {
  let sum = 0
  for (let index = 0; index < 15; index++) {
    const letter = letterIndex(at(values, index))
    sum += index % 2 === 0 ? at(oddValues, letter) : letter
  }
  return at(values, 15) === 10 + (sum % 26)
}
