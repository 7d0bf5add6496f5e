import type { Stats } from './record.ts'
import { ApiError } from './request.ts'

/** The batch of a model server: a number of places, and a queue before it in order of arrival. */
export class Slots {
  readonly #places: number
  readonly #queueMax: number
  readonly #stats: Stats
  readonly #queue: (() => void)[] = []

  constructor(places: number, queueMax: number, stats: Stats) {
    this.#places = Math.max(1, places)
    this.#queueMax = queueMax
    this.#stats = stats
  }

  /** Resolves when a place is free; rejects with the signal's reason, or with 429 when the queue is full. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#stats.running >= this.#places) await this.#wait(signal)
    else this.#stats.running++
    let inside = true
    return () => {
      if (inside) this.#leave()
      inside = false
    }
  }

  #leave(): void {
    const next = this.#queue.shift()
    // The place goes from one to the next: `running` stays as it is.
    if (next) next()
    else this.#stats.running--
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#queue.length >= this.#queueMax)
      throw new ApiError(429, 'RateLimitError', 'the waiting queue is full')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const gone = (): void => {
      this.#queue.splice(this.#queue.indexOf(resolve), 1)
      reject(signal.reason)
    }
    this.#queue.push(resolve)
    signal.addEventListener('abort', gone, { once: true })
    this.#stats.waiting++
    try {
      await promise
    } finally {
      this.#stats.waiting--
      signal.removeEventListener('abort', gone)
    }
  }
}
