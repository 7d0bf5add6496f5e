import type { Clock } from '../../src/clock.ts'
import { settled } from './stepping-clock.ts'

/** Time that jumps from one event to the next. */
export class SimulatedTime implements Pick<Clock, 'monotonic' | 'sleep'> {
  #nowMs = 0
  readonly #due = new Map<number, (() => void)[]>()

  monotonic = (): number => this.#nowMs

  sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    this.in(ms, resolve)
    return promise
  }

  /** Whole milliseconds, so that events of one moment are together. */
  at(at: number, act: () => void): void {
    const moment = Math.ceil(at)
    const due = this.#due.get(moment)
    if (due === undefined) this.#due.set(moment, [act])
    else due.push(act)
  }

  in(ms: number, act: () => void): void {
    this.at(this.#nowMs + ms, act)
  }

  /** Goes on until nothing is left to happen. */
  async run(): Promise<void> {
    while (this.#due.size > 0) {
      const due = this.#due.get(this.#nowMs)
      this.#due.delete(this.#nowMs)
      for (const act of due ?? []) act()
      if (due !== undefined) await settled()
      // What came of it may be for this very moment.
      if (!this.#due.has(this.#nowMs)) this.#nowMs += 1
    }
  }
}
