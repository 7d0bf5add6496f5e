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

const unitSets: CharSet[] = []

/** The set with one member; the same set for the same unit, since patterns have thousands. */
export const unitSet = (unit: number): CharSet => {
  unitSets[unit] ??= rangesSet([unit, unit])
  return unitSets[unit]
}

/** Adds every member of `other` to `set`. */
export function addAll(set: CharSet, other: CharSet): void {
  for (let symbol = other.indexOf(1); symbol !== -1; symbol = other.indexOf(1, symbol + 1)) set[symbol] = 1
}

/** Whether `inner` has no member outside `outer`. */
export const isSubset = (inner: CharSet, outer: CharSet): boolean =>
  inner.every((member, symbol) => member === 0 || outer[symbol] === 1)

/** Every symbol. */
export const anySet: CharSet = new Uint8Array(SYMBOLS).fill(1)

/** Everything that is not in a set. */
export const complement = (set: CharSet): CharSet => set.map((member) => 1 - member)
