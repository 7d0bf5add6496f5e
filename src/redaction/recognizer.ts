import type { Direction } from './finding.ts'

/**
 * What a recognizer is: data, and pure functions over text. The text that these functions see is folded (fold.ts) and
 * without what is invisible, so they need not know of other digits, escapes or zero-width characters.
 */

import type { WordEnds } from './word-ends.ts'

/**
 * Looks at `text.slice(start, end)` when a match has ended and may only veto it. It may also look at the
 * `leftContextUnits` code units before `start`, never further and never past `end`; it allocates nothing large.
 */
export type Validator = (text: string, start: number, end: number) => boolean

/**
 * Decides whether a match may begin at `start`, from the `leftContextUnits` code units before it alone, so that a stream
 * and a whole text agree. It is asked only where `left` and the first character allow a match.
 */
export interface Guard {
  (text: string, start: number): boolean
  /** Behind a small letter and a single blank, the guard agrees only where the word before ends with one of these. */
  readonly ends?: WordEnds
  /**
   * Looks ahead, as a guard itself may not: `false` where no match that begins at `start` can be valid, as far as the text up
   * to `end` tells. It decides nothing that the validator would not, and saves a thread; a stream rarely has the text for it.
   */
  readonly outlook?: Validator
}

/** How far before a match a validator or a guard may look; the scanner keeps that much text. */
export const leftContextUnits = 128

/** What may stand beside a match. Classes are written without brackets, such as `A-Za-z0-9`. */
export interface Edge {
  /** The neighbor may not be one of these. */
  readonly not?: string
  /** The neighbor must be there and be one of these. */
  readonly only?: string
  /** There must be no neighbor: the text begins or ends here. */
  readonly none?: true
  /** The neighbor may not be one of `near` if the one beyond it is one of `far` (`1.2.3.4` before `.5`). */
  readonly notPair?: { readonly near: string; readonly far: string }
}

/**
 * How a match that is certain goes on: everything is swallowed in O(1) memory.
 * `run`: while characters are of the class, single joiners between them included.
 * `block`: until a rule with `closes`, or until `gapMax` code units went by without a run of `runMin` of the class.
 */
export type Tail =
  | { readonly kind: 'run'; readonly members: string; readonly joiners?: string }
  | { readonly kind: 'block'; readonly members: string; readonly runMin: number; readonly gapMax: number }

export interface Rule {
  /** In the subset of pattern.ts. */
  readonly pattern: string
  /** The machine of this rule, where it is not the recognizer's. */
  readonly family?: Family
  /** Applies in this direction alone: a bare number that a person sends is theirs, one that a model sends is a result. */
  readonly direction?: Direction
  /** ASCII letters of the pattern match in either case. */
  readonly ignoreCase?: true
  readonly left?: Edge
  readonly right?: Edge
  /** Longest match in code units; up to `ruleLengthMax`. */
  readonly lengthMax: number
  /**
   * A run that comes before the pattern and would otherwise keep one thread for each of its characters. Only its
   * last `lengthMax` code units belong to the match, from the first member of `first` on; `left` does not apply.
   */
  readonly head?: { readonly first: string; readonly rest: string; readonly lengthMax: number }
  /** The first valid match is certain at once, without looking at the right edge; the tail is swallowed with it. */
  readonly sure?: Tail
  /** A valid match ends the open `block` tails of the same entity and is itself no finding. */
  readonly closes?: true
  readonly guard?: Guard
  readonly validate?: Validator
  /** What a valid match is worth without context, 0 to 1; 1 where it is left out. */
  readonly score?: number
  /** Words that add `contextBoost` when one stands shortly before the match; see context.ts. */
  readonly context?: readonly string[]
}

/** What a context word adds to the score of a match. */
export const contextBoost = 0.4

/** The score that a match needs where a profile sets none. */
export const scoreMinDefault = 0.5

/** The kinds of data that presets are made of. */
export type Category = 'secret' | 'payment' | 'identity' | 'contact' | 'network' | 'health' | 'name'

/**
 * How far a match proves itself. 1: by a checksum, an issuer's prefix or a structure that nothing else has. 2: by its
 * shape together with words before it. 3: a guess that masks harmless text as well; only for those who ask for it.
 */
export type Tier = 1 | 2 | 3

/**
 * The machine that a recognizer is compiled into. `prefix`: fixed first characters, then a run of a class. `digits`:
 * digits and single separators. `shape`: short identifiers of letters and digits. `spread`: values whose characters
 * stand apart, `4 1 1 1`, which multiply the states of any other machine. `name`: names and addresses, which most
 * profiles leave alone. `text`: everything else.
 */
export type Family = 'prefix' | 'text' | 'shape' | 'digits' | 'spread' | 'name'

export interface Recognizer {
  /** Unique, in kebab-case: `stripe-secret-key`. */
  readonly id: string
  /** The label that stands in the text, in metrics and records: `API_KEY`. Several recognizers may share it. */
  readonly entity: string
  readonly category: Category
  readonly tier: Tier
  readonly family: Family
  readonly rules: readonly Rule[]
  readonly examples: {
    /** Each is one value, masked whole in any surroundings; `before` is the context that it needs. */
    readonly match: readonly (string | { readonly before: string; readonly value: string })[]
    /** Nothing in these is masked by this recognizer. */
    readonly miss: readonly string[]
  }
}

export const ruleLengthMax = 512
