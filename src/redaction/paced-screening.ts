import type { RuleSet, Screening, StreamWindow } from './finding.ts'
import { Pace } from './pace.ts'

/** How much is scanned in one turn of the event loop: a few milliseconds of the slowest text there is. */
export const unitsPerTurn = 4 * 1024

/** What opening a window costs, as code units: a call may have a hundred thousand texts of one letter. */
const unitsPerText = 64

interface PacedText {
  readonly kind: 'text' | 'json'
  readonly text: string
}

/**
 * Screens the texts of one exchange with pauses, so that no caller's texts hold up the others: after every
 * `unitsPerTurn` code units, counted over all texts, the event loop has a turn. An abort ends it there.
 */
export class PacedScreening {
  readonly #rules: RuleSet
  readonly #pace: Pace

  constructor(rules: RuleSet, signal: AbortSignal) {
    this.#rules = rules
    this.#pace = new Pace(unitsPerTurn, signal)
  }

  /** What `screen` or `screenJson` gives; a long text goes through a window, a fresh one, in slices. */
  async screen({ kind, text }: PacedText, window: StreamWindow = this.#rules.open(kind)): Promise<Screening> {
    await this.#pace.spend(unitsPerText)
    let screened = ''
    for (let from = 0; from < text.length && window.blocked === undefined; ) {
      const to = Math.min(text.length, from + this.#pace.unitsLeft)
      screened += window.push(text.slice(from, to))
      await this.#pace.spend(to - from)
      from = to
    }
    screened += window.flush()
    const { blocked, findings, tallies } = window
    return { text: blocked === undefined ? screened : '', findings, tallies, blocked }
  }
}
