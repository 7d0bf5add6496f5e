import { type CharSet, SYMBOLS } from './char-set.ts'

/** Code units that no rule tells apart share a class; the last class is the edge of the channel. */
export interface Alphabet {
  /** Symbol (see char-set.ts) to class. */
  readonly classes: Uint8Array
  /** Number of classes, the edge included. */
  readonly size: number
  readonly edge: number
  /** The classes that make up one of the sets the alphabet was built from. */
  classesOf(set: CharSet): readonly number[]
}

const classesMax = 255

/** The coarsest partition in which every given set is a union of classes. */
export function buildAlphabet(sets: readonly CharSet[]): Alphabet {
  const classes = new Uint8Array(SYMBOLS)
  let size = 1
  for (const set of distinct(sets)) size = split(classes, size, set)
  const samples = Array.from({ length: size }, (_, symbol) => classes.indexOf(symbol))
  const known = new Map<CharSet, readonly number[]>()
  const classesOf = (set: CharSet): readonly number[] => {
    const before = known.get(set)
    if (before !== undefined) return before
    // A class lies in a set or outside, so one of its members tells.
    const inside = [...samples.keys()].filter((symbol) => set[samples[symbol] as number] === 1)
    known.set(set, inside)
    return inside
  }
  return { classes, size: size + 1, edge: size, classesOf }
}

/** One of each set: equal ones split nothing further, and most are equal, or the same. */
const distinct = (sets: readonly CharSet[]): Iterable<CharSet> =>
  new Map([...new Set(sets)].map((set) => [Buffer.from(set.buffer).toString('latin1'), set])).values()

/** Splits every class that lies partly inside a set: its inside moves to a new class. */
function split(classes: Uint8Array, size: number, set: CharSet): number {
  const isSplit = new Uint8Array(size)
  const moved = new Uint8Array(size)
  for (let symbol = 0; symbol < SYMBOLS; symbol++)
    if (set[symbol] === 0) isSplit[classes[symbol] as number] = 1
  let grown = size
  for (let symbol = set.indexOf(1); symbol !== -1; symbol = set.indexOf(1, symbol + 1)) {
    const from = classes[symbol] as number
    if (isSplit[from] === 0) continue
    if (moved[from] === 0) {
      if (grown >= classesMax)
        throw new Error(`the rules tell more than ${classesMax} character classes apart`)
      moved[from] = grown++
    }
    classes[symbol] = moved[from] as number
  }
  return grown
}
