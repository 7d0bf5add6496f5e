import { readFileSync } from 'node:fs'

const hashSeed = 0x811c9dc5
const hashPrime = 0x01000193

/** One step of FNV-1a. */
const hashStep = (hash: number, unit: number): number => Math.imul(hash ^ unit, hashPrime)
/** 0 is kept for "nothing". */
const hashEnd = (hash: number): number => hash >>> 0 || 1

/** The hash of a word of a text, each unit folded by `fold`. */
export function hashOf(text: string, start: number, end: number, fold: (unit: number) => number): number {
  let hash = hashSeed
  for (let index = start; index < end; index++) hash = hashStep(hash, fold(text.charCodeAt(index)))
  return hashEnd(hash)
}

/** The base-36 digit (0-9, A-Z) that begins a word of a packed list, or -1 for a letter of a word. */
function sharedLetters(unit: number): number {
  if (unit >= 48 && unit <= 57) return unit - 48
  return unit >= 65 && unit <= 90 ? unit - 55 : -1
}

/**
 * Calls `found` with the hash of each word of a packed list, without making strings of them: 60,000 words
 * take a few milliseconds. A packed list is sorted and front-coded, which halves it: each word is a digit,
 * which says how many letters it shares with the word before, and the letters that follow.
 */
export function eachHash(
  packed: string,
  fold: (unit: number) => number,
  found: (hash: number) => void,
): void {
  /** The hash of the first `n` letters of the word at hand. */
  const prefixes = new Uint32Array(64)
  prefixes[0] = hashSeed
  let length = 0
  for (let index = 0; index < packed.length; index++) {
    const unit = packed.charCodeAt(index)
    const shared = sharedLetters(unit)
    if (shared < 0) {
      prefixes[length + 1] = hashStep(prefixes[length] as number, fold(unit))
      length++
      continue
    }
    if (length > 0) found(hashEnd(prefixes[length] as number))
    length = shared
  }
  if (length > 0) found(hashEnd(prefixes[length] as number))
}

/** A list of this folder without the lines that say where it comes from. */
export function readPackedList(name: string): string {
  const lines = readFileSync(new URL(`${name}.txt`, import.meta.url), 'utf8').split('\n')
  return lines.filter((line) => !line.startsWith('#')).join('')
}
