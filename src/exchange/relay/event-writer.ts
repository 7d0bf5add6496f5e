import type { Client, Head } from '../arrival.ts'
import type { Trail } from '../trail.ts'

export interface WriterOptions {
  readonly head: () => Head
  readonly trail: Trail
  readonly keepAliveCommentMs: number
  readonly comment: string
  readonly signal: AbortSignal
}

/**
 * Writes events to the caller with backpressure, and a comment when nothing was written for a while. The head is sent
 * with the first bytes, so that a failure before the first event still gets an honest status.
 */
export class EventWriter implements Disposable {
  readonly #client: Client
  readonly #options: WriterOptions
  readonly #timer: NodeJS.Timeout
  #quiet = true
  #waiting = false

  constructor(client: Client, options: WriterOptions) {
    this.#client = client
    this.#options = options
    this.#timer = setInterval(() => this.#keepAlive(), options.keepAliveCommentMs)
    this.#timer.unref()
  }

  async write(text: string): Promise<void> {
    this.#open()
    this.#quiet = false
    this.#options.trail.firstByte()
    const pressure = this.#client.write(text)
    if (pressure === undefined) return
    this.#waiting = true
    try {
      await orAborted(pressure, this.#options.signal)
    } finally {
      this.#waiting = false
    }
  }

  async end(text: string): Promise<void> {
    this.#open()
    this.#options.trail.firstByte()
    await this.#client.end(text)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #open(): void {
    if (this.#client.begun) return
    this.#client.open(this.#options.head())
    this.#options.trail.streamBegan()
  }

  #keepAlive(): void {
    const due = this.#quiet && !this.#waiting && !this.#options.signal.aborted
    this.#quiet = true
    if (!due) return
    this.#open()
    // Its pressure is waited for by the next event; a caller who has left ends the exchange by itself.
    this.#client.write(this.#options.comment)?.catch(() => {})
  }
}

/** Settles with the promise, or rejects with the signal's reason if that comes first. */
async function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  promise.catch(() => {})
  try {
    signal.throwIfAborted()
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
