import { setImmediate } from 'node:timers/promises'

/** Gives the event loop a turn after every `unitsPerTurn` units of work. An abort ends the work there. */
export class Pace {
  readonly #unitsPerTurn: number
  readonly #signal: AbortSignal
  #unitsLeft: number

  constructor(unitsPerTurn: number, signal: AbortSignal) {
    this.#unitsPerTurn = unitsPerTurn
    this.#signal = signal
    this.#unitsLeft = unitsPerTurn
  }

  /** What may still be done in this turn; more than nothing. */
  get unitsLeft(): number {
    return this.#unitsLeft
  }

  async spend(units: number): Promise<void> {
    this.#unitsLeft -= units
    if (this.#unitsLeft > 0) return
    await setImmediate()
    this.#signal.throwIfAborted()
    this.#unitsLeft = this.#unitsPerTurn
  }
}
