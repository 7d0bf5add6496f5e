// When each token left the model server.
//
// 1. A call is in the log from the moment its body had arrived; its tokens are there in order, each once.
// 2. `take` gives every call once, and what it gave is forgotten.
// 3. The log never holds more than `callsMax` calls: the oldest is dropped, and counted.
import { monotonicMs } from './monotonic-clock.ts'

export interface SentCall {
  readonly id: number
  /** The whole request had arrived (all times: monotonic milliseconds). */
  readonly arrivedMs: number
  /** Just before each token was written. */
  readonly sentMs: number[]
}

export interface Taken {
  readonly calls: readonly SentCall[]
  readonly dropped: number
}

export class SentLog {
  readonly #calls = new Map<number, SentCall>()
  readonly #callsMax: number
  readonly #now: () => number
  #dropped = 0

  constructor(callsMax: number, now: () => number = monotonicMs) {
    this.#callsMax = callsMax
    this.#now = now
  }

  /** A call has come; the function that it returns is called before each token is written. */
  arrived(id: number): () => void {
    const call: SentCall = { id, arrivedMs: this.#now(), sentMs: [] }
    this.#calls.delete(id)
    this.#calls.set(id, call)
    if (this.#calls.size > this.#callsMax) this.#dropOldest()
    return () => void call.sentMs.push(this.#now())
  }

  take(): Taken {
    const taken = { calls: [...this.#calls.values()], dropped: this.#dropped }
    this.#calls.clear()
    this.#dropped = 0
    return taken
  }

  #dropOldest(): void {
    const [oldest] = this.#calls.keys()
    if (oldest === undefined) return
    this.#calls.delete(oldest)
    this.#dropped += 1
  }
}
