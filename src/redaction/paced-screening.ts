import { setImmediate } from 'node:timers/promises'
import type { RuleSet, Screening } from './finding.ts'

/** How much is scanned in one turn of the event loop: about 10 ms of the slowest text there is. */
export const unitsPerTurn = 32 * 1024

/** What opening a window costs, as code units: a call may have a hundred thousand texts of one letter. */
const unitsPerText = 64

/**
 * Screens the texts of one exchange with pauses, so that no caller's texts hold up the others: after every
 * `unitsPerTurn` code units, counted over all texts, the event loop has a turn. An abort ends it there.
 */
export class PacedScreening {
  readonly #rules: RuleSet
  readonly #signal: AbortSignal
  #unitsLeft = unitsPerTurn

  constructor(rules: RuleSet, signal: AbortSignal) {
    this.#rules = rules
    this.#signal = signal
  }

  /** What `screen` or `screenJson` gives; a long text goes through a window in slices. */
  async screen({
    kind,
    text,
  }: {
    readonly kind: 'text' | 'json'
    readonly text: string
  }): Promise<Screening> {
    await this.#spend(unitsPerText)
    const window = this.#rules.open(kind)
    let screened = ''
    for (let from = 0; from < text.length && window.blocked === undefined; ) {
      const to = Math.min(text.length, from + this.#unitsLeft)
      screened += window.push(text.slice(from, to))
      await this.#spend(to - from)
      from = to
    }
    screened += window.flush()
    const { blocked, findings, tallies } = window
    return { text: blocked === undefined ? screened : '', findings, tallies, blocked }
  }

  async #spend(units: number): Promise<void> {
    this.#unitsLeft -= units
    if (this.#unitsLeft > 0) return
    await setImmediate()
    this.#signal.throwIfAborted()
    this.#unitsLeft = unitsPerTurn
  }
}
