import { at } from './values.ts'

const letterX = 33

/** ISO/IEC 7064 MOD 11,10 (hybrid): the digits from `from` up to `to`, the last of them the check digit. */
export function passesMod11And10(digits: ArrayLike<number>, from: number, to: number): boolean {
  let product = 10
  for (let index = from; index < to - 1; index++) {
    const sum = (product + at(digits, index)) % 10 || 10
    product = (sum * 2) % 11
  }
  return (product + at(digits, to - 1)) % 10 === 1
}

/** ISO/IEC 7064 MOD 11-2 (pure): `count` values, the last of them the check digit or the letter X for ten. */
export function passesMod11And2(values: ArrayLike<number>, count: number): boolean {
  let rest = 0
  for (let index = 0; index < count - 1; index++) rest = ((rest + at(values, index)) * 2) % 11
  const last = at(values, count - 1)
  return (last < 10 || last === letterX) && (rest + Math.min(last, 10)) % 11 === 1
}
