/** Why exchanges were refused: the newest `entriesMax` of the last day, in this process. */
import type { Clock } from '../clock.ts'
import type { DecisionStore } from './store.ts'

const dayMs = 86_400_000

export class KeptDecisions implements DecisionStore {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #entriesMax: number
  readonly #entries = new Map<string, { readonly text: string; readonly untilMs: number }>()

  constructor(clock: Pick<Clock, 'monotonic'>, entriesMax = 10_000) {
    this.#clock = clock
    this.#entriesMax = entriesMax
  }

  keep(exchangeId: string, text: string): void {
    this.#entries.delete(exchangeId)
    this.#entries.set(exchangeId, { text, untilMs: this.#clock.monotonic() + dayMs })
    if (this.#entries.size <= this.#entriesMax) return
    const [oldest] = this.#entries.keys()
    this.#entries.delete(oldest as string)
  }

  async find(exchangeId: string): Promise<string | undefined> {
    const entry = this.#entries.get(exchangeId)
    return entry === undefined || entry.untilMs <= this.#clock.monotonic() ? undefined : entry.text
  }
}
