import type { Category, Tier } from '../redaction/recognizer.ts'

/** Which kinds of data a profile begins with; what is done with them is the profile's `default`. */
export interface Preset {
  readonly categories: readonly Category[]
  /** Matches that prove themselves less than this are left alone. */
  readonly tierMax: Tier
}

export const categories = [
  'secret',
  'payment',
  'identity',
  'contact',
  'network',
  'health',
  'name',
] as const satisfies readonly Category[]

const personal: readonly Category[] = ['payment', 'identity', 'contact', 'network', 'health', 'name']

/**
 * `standard` leaves harmless text alone, so it is for every caller: no names, no guesses. `phi` and `strict` would rather
 * take away too much: they include what is only a guess.
 */
export const presets = {
  standard: { categories: categories.filter((category) => category !== 'name'), tierMax: 2 },
  secrets: { categories: ['secret'], tierMax: 2 },
  pii: { categories: personal, tierMax: 2 },
  pci: { categories: ['payment'], tierMax: 2 },
  phi: { categories: personal, tierMax: 3 },
  strict: { categories, tierMax: 3 },
} as const satisfies Readonly<Record<string, Preset>>

export type PresetName = keyof typeof presets
