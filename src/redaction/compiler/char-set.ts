/**
 * Sets of UTF-16 code units. Latin, Greek and Cyrillic (below 0x530) are told apart; everything above is one
 * symbol, so a set is a small fixed array and the scanner's class table stays in the first-level cache.
 */
export const DISTINCT_UNITS = 0x530
/** Number of symbols: each distinct code unit, and one for all others. */
export const SYMBOLS = DISTINCT_UNITS + 1

export type CharSet = Uint8Array

/** The symbol of a code unit. */
export const symbolOf = (unit: number): number => Math.min(unit, DISTINCT_UNITS)

/** A set from inclusive ranges of code units. */
export function rangesSet(...ranges: readonly (readonly [number, number])[]): CharSet {
  const set = new Uint8Array(SYMBOLS)
  for (const [low, high] of ranges) set.fill(1, low, high + 1)
  return set
}

/** The set with one member. */
export const unitSet = (unit: number): CharSet => rangesSet([unit, unit])

/** Adds every member of `other` to `set`. */
export function addAll(set: CharSet, other: CharSet): void {
  for (let symbol = 0; symbol < SYMBOLS; symbol++) if (other[symbol] === 1) set[symbol] = 1
}

/** Whether `inner` has no member outside `outer`. */
export const isSubset = (inner: CharSet, outer: CharSet): boolean =>
  inner.every((member, symbol) => member === 0 || outer[symbol] === 1)
