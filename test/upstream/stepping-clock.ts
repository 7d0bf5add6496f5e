import type { Clock } from '../../src/clock.ts'

interface Timer {
  readonly at: number
  ring(): void
}

/** A clock that stands still until it is told, with sleepers that wake when their time has come. */
export class SteppingClock implements Clock {
  #nowMs = 1_000
  readonly #timers = new Set<Timer>()

  now = (): number => this.#nowMs
  monotonic = (): number => this.#nowMs

  get sleepers(): number {
    return this.#timers.size
  }

  sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer: Timer = { at: this.#nowMs + ms, ring: resolve }
    this.#timers.add(timer)
    const stop = (): void => {
      this.#timers.delete(timer)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', stop, { once: true })
    return promise
  }

  /** Lets time pass; whoever wakes has had its turn when this resolves. */
  async advance(ms: number): Promise<void> {
    this.#nowMs += ms
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at > this.#nowMs) continue
      this.#timers.delete(timer)
      timer.ring()
    }
    await settled()
  }
}

/** Resolves when everything that could go on without a timer has done so. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
