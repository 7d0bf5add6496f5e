/**
 * Looks at `text.slice(start, end)` when a match has ended and may only veto it. It may also look at the
 * `leftContextUnits` code units before `start`, never further and never past `end`; it allocates nothing large.
 */
export type Validator = (text: string, start: number, end: number) => boolean

/** How far before a match a validator may look; the scanner keeps that much raw text. */
export const leftContextUnits = 16

/** What may not stand beside a match. Classes are written without brackets, such as `A-Za-z0-9`. */
export interface Edge {
  /** The neighbor may not be one of these. */
  readonly not?: string
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
  readonly validate?: Validator
}

/** One entity: its rules, and examples that are run as tests. */
export interface Recognizer {
  readonly entity: string
  readonly rules: readonly Rule[]
  readonly examples: {
    /** Each is one value, masked whole in any surroundings. */
    readonly match: readonly string[]
    /** Nothing in these is masked as this entity. */
    readonly miss: readonly string[]
  }
}

export const ruleLengthMax = 512
