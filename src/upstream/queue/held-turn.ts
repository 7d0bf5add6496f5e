import type { Account, VirtualCounters } from './virtual-counters.ts'

/** Service of one token: output is made one by one, a prompt is read in parallel (the paper's own ratio). */
export const inputPrice = 1
export const outputPrice = 2

/** A place at the pool. */
export interface Turn {
  readonly waitedMs: number
  /** Output tokens that came since the last call. */
  produced(tokens: number): void
  /** Gives the place back. `used` is the truth about the tokens, where it is known. */
  end(used?: { readonly inputTokens: number; readonly outputTokens: number }): void
}

/** A turn that cost nothing would leave its tenant in front for ever. */
export const atLeastOne = (tokens: number): number => Math.max(1, tokens)

interface TurnStart {
  readonly inputTokens: number
  readonly waitedMs: number
  readonly startedAt: number
  giveBack(startedAt: number): void
}

export class HeldTurn<V> implements Turn {
  readonly #line: VirtualCounters<V>
  readonly #account: Account<V>
  readonly #start: TurnStart
  #outputTokens = 0
  #isHeld = true

  constructor(line: VirtualCounters<V>, account: Account<V>, start: TurnStart) {
    this.#line = line
    this.#account = account
    this.#start = start
  }

  get waitedMs(): number {
    return this.#start.waitedMs
  }

  produced(tokens: number): void {
    if (!this.#isHeld) return
    this.#outputTokens += tokens
    this.#line.charge(this.#account, outputPrice * tokens)
  }

  end(used?: { readonly inputTokens: number; readonly outputTokens: number }): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    if (used !== undefined) this.#correct(used.inputTokens, used.outputTokens)
    this.#line.ended(this.#account)
    this.#start.giveBack(this.#start.startedAt)
  }

  #correct(inputTokens: number, outputTokens: number): void {
    const input = inputPrice * (atLeastOne(inputTokens) - this.#start.inputTokens)
    const missing = input + outputPrice * (outputTokens - this.#outputTokens)
    if (missing > 0) this.#line.charge(this.#account, missing)
    else this.#line.giveBack(this.#account, -missing)
  }
}
