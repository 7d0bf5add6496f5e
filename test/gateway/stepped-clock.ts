import type { Clock } from '../../src/clock.ts'

interface Sleeper {
  readonly until: number
  wake(): void
}

/** A fake clock that stands still until it is stepped; whoever sleeps is woken at its time. */
export class SteppedClock implements Clock {
  #now = 1_900_000_000_000
  readonly #sleeping = new Set<Sleeper>()

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  get sleepers(): number {
    return this.#sleeping.size
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (signal?.aborted) return Promise.reject(signal.reason)
    const sleeper = { until: this.#now + ms, wake: resolve }
    this.#sleeping.add(sleeper)
    signal?.addEventListener('abort', () => {
      this.#sleeping.delete(sleeper)
      reject(signal.reason)
    })
    return promise
  }

  async step(ms: number): Promise<void> {
    this.#now += ms
    for (const sleeper of [...this.#sleeping].filter(({ until }) => until <= this.#now)) {
      this.#sleeping.delete(sleeper)
      sleeper.wake()
    }
    // Those who were woken go on in microtasks.
    await new Promise((resolve) => setImmediate(resolve))
  }
}
