import { at } from './values.ts'

/**
 * J. Verhoeff, Error Detecting Decimal Codes (1969): digits are elements of the dihedral group D5, permuted by place.
 * Finds every wrong digit and every swap of neighbors.
 */
const places = 8
const permutation: readonly number[] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]

/** The product of D5: 0 to 4 are turns, 5 to 9 are reflections. */
function product(left: number, right: number): number {
  const turn = left % 5
  const other = right % 5
  if (left < 5) return right < 5 ? (turn + other) % 5 : 5 + ((turn + other) % 5)
  return right < 5 ? 5 + ((turn - other + 5) % 5) : (turn - other + 5) % 5
}

const permuted: readonly (readonly number[])[] = (() => {
  const rows: number[][] = [Array.from({ length: 10 }, (_, digit) => digit)]
  while (rows.length < places) rows.push((rows.at(-1) ?? []).map((digit) => at(permutation, digit)))
  return rows
})()

const products: readonly (readonly number[])[] = Array.from({ length: 10 }, (_, left) =>
  Array.from({ length: 10 }, (_, right) => product(left, right)),
)

/** Whether the first `count` digits, the last of them the check digit, pass. */
export function passesVerhoeff(digits: ArrayLike<number>, count: number): boolean {
  let state = 0
  for (let place = 0; place < count; place++) {
    const digit = at(permuted[place % places] ?? [], at(digits, count - 1 - place))
    state = at(products[state] ?? [], digit)
  }
  return state === 0
}
