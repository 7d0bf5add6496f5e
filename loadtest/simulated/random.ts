import { createHash } from 'node:crypto'

/** A seeded source of numbers: the same seed gives the same run. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** Around `mean`, never negative. */
  normal(mean: number, standardDeviation: number): number
}

/** xorshift-multiply (mulberry32): 32 bits of state, good enough to vary a simulation. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const normal = (mean: number, standardDeviation: number): number => {
    if (standardDeviation === 0) return mean
    const radius = Math.sqrt(-2 * Math.log(1 - next()))
    return Math.max(0, mean + standardDeviation * radius * Math.cos(2 * Math.PI * next()))
  }
  return { next, normal }
}

/** A seed made of a run's seed and a text, so that the same request gives the same reply in any order of arrival. */
export const seedOf = (seed: number, text: string | Uint8Array): number =>
  createHash('sha256').update(String(seed)).update(text).digest().readUInt32LE(0)
