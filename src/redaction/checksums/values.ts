import type { Validator } from '../recognizer.ts'

/** Longer than every identifier here; what comes after is not read. */
const valuesMax = 64
const scratch = new Uint8Array(valuesMax)

/** What stands where an identifier has ended. */
export const noValue = 255

/** 0 to 9 for digits, 10 to 35 for letters of either case, -1 for anything else. */
export function unitValue(unit: number): number {
  if (unit >= 48 && unit <= 57) return unit - 48
  const letter = (unit | 32) - 97
  return letter >= 0 && letter < 26 ? letter + 10 : -1
}

/**
 * The values of the digits and letters in `text.slice(start, end)`, separators left out, then `noValue`. The array is
 * the same one at each call, so that a text full of candidates allocates nothing: read it before the next call.
 */
export function valuesOf(text: string, start: number, end: number): Uint8Array {
  let count = 0
  for (let index = start; index < end && count < valuesMax; index++) {
    const value = unitValue(text.charCodeAt(index))
    if (value >= 0) scratch[count++] = value
  }
  return scratch.fill(noValue, count)
}

/** A validator that looks at the values alone. */
export const onValues =
  (passes: (values: Uint8Array) => boolean): Validator =>
  (text, start, end) =>
    passes(valuesOf(text, start, end))

/** The value at an index: 0 where there is none, so that a check reads like its formula. */
export const at = (values: ArrayLike<number>, index: number): number => values[index] ?? 0

/** How many values there are before `noValue`. */
export function countOf(values: ArrayLike<number>): number {
  let count = 0
  while (count < values.length && values[count] !== noValue) count++
  return count
}

/** The number that the digits from `from` up to `to` make. */
export function numberOf(values: ArrayLike<number>, from: number, to: number): number {
  let number = 0
  for (let index = from; index < to; index++) number = number * 10 + at(values, index)
  return number
}

/** Whether the values from `from` up to `to` are all the same. */
export function areSame(values: ArrayLike<number>, from: number, to: number): boolean {
  for (let index = from + 1; index < to; index++) if (values[index] !== values[from]) return false
  return true
}
