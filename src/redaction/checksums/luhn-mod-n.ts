import { at } from './values.ts'

/**
 * The Luhn check over an alphabet of `radix` characters: from the right, every second value is doubled and its digits
 * to that base are added. `prefixSum` is what characters that are not written add (80840 before an NPI).
 */
export function passesLuhnModN(
  values: ArrayLike<number>,
  from: number,
  to: number,
  radix: number,
  prefixSum = 0,
): boolean {
  let sum = prefixSum
  for (let place = 0; place < to - from; place++) {
    const value = at(values, to - 1 - place) * (1 + (place % 2))
    sum += Math.floor(value / radix) + (value % radix)
  }
  return sum % radix === 0
}
