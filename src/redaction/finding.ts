/**
 * What a profile does with a value. `mask`: a typed placeholder. `partial`: the placeholder and the last four
 * characters. `pseudonymize`: a keyed token that is the same for the same value of a tenant, and is turned back in the
 * reply. `hash`: a keyed hash. `block` refuses the call, or ends the stream with an error event. `shadow` counts and
 * changes nothing. `allow` looks away.
 */
export type Action = 'mask' | 'partial' | 'pseudonymize' | 'hash' | 'block' | 'shadow' | 'allow'
export type Direction = 'prompt' | 'reply'

/** One detected value. Never carries the value itself: only where it stood and how long it was. */
export interface Finding {
  /** Entity label, e.g. `EMAIL_ADDRESS`, `CREDIT_CARD` (Presidio's names where it has one). */
  readonly entity: string
  /** The recognizer that found it, e.g. `stripe-secret-key`. */
  readonly recognizer: string
  readonly action: Action
  /** Offset in UTF-16 code units of the scanned text (of the whole channel, in a stream). */
  readonly start: number
  readonly end: number
}

/** Says what stands in the text in place of a value. Never called for `block`, `shadow` and `allow`. */
export interface Replacer {
  /** `value` is missing where it is swallowed as it comes (a key of any length): then only a placeholder can stand. */
  replace(found: Pick<Finding, 'entity' | 'action'>, value: string | undefined): string
}

/** How many values of one entity met one action. */
export interface FindingTally {
  readonly entity: string
  readonly action: Action
  readonly count: number
}

/** What was found: `tallies` count everything, `findings` keep the places of a bounded number, the first ones. */
export interface Found {
  readonly findings: readonly Finding[]
  readonly tallies: readonly FindingTally[]
}

export interface Screening extends Found {
  /** The text that may go on. */
  readonly text: string
  /** The first finding whose action is `block`; then `text` must not be used. */
  readonly blocked: Finding | undefined
}

/** A profile made ready for scanning: immutable, shared by all exchanges of a policy version. */
export interface RuleSet {
  readonly name: string
  readonly direction: Direction
  /** Nothing is masked or blocked: text passes untouched and logprobs are harmless. */
  readonly inert: boolean
  /** Upper bound of what a stream window holds back, in UTF-16 code units. */
  readonly heldTextMax: number
  screen(text: string, replacer?: Replacer): Screening
  /** JSON in a string: decoded string values are scanned and re-encoded; text that is not JSON is scanned as text. */
  screenJson(text: string, replacer?: Replacer): Screening
  /** A stream window for one channel of one choice. */
  open(kind: 'text' | 'json', replacer?: Replacer): StreamWindow
}

/**
 * Text of one channel goes in as it comes; the longest prefix that is safe under every continuation comes out.
 * For every way to cut a text into pushes: the joined output equals `screen(text).text`.
 */
export interface StreamWindow extends Found {
  /** Returns what may leave now (often the whole chunk, sometimes nothing). Throws nothing. */
  push(chunk: string): string
  /** The channel has ended properly: decides and returns what is still held. */
  flush(): string
  /** Code units held back now. After an abort the window is dropped: undecided text never leaves. */
  readonly held: number
  /** Set as soon as a finding with action `block` is certain; nothing more comes out from then on. */
  readonly blocked: Finding | undefined
}
