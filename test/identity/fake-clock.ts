import type { Clock } from '../../src/clock.ts'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now: number
  #monotonic = 0
  #sleepers: Sleeper[] = []

  constructor(now = Date.now()) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#monotonic
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const sleeper = { at: this.#monotonic + ms, wake: resolve }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper)
        reject(signal.reason)
      })
    })
  }

  /** Lets time pass, wakes whoever slept until then, and gives them a turn. */
  async advance(ms: number): Promise<void> {
    const until = this.#monotonic + ms
    for (;;) {
      await turn()
      const next = this.#sleepers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#sleepers = this.#sleepers.filter((each) => each !== next)
      this.#move(next.at)
      next.wake()
    }
    this.#move(until)
    await turn()
  }

  /** Sets the wall clock alone, as an administrator or NTP does. */
  setWall(now: number): void {
    this.#now = now
  }

  #move(to: number): void {
    this.#now += to - this.#monotonic
    this.#monotonic = to
  }
}

/** Lets everything that is ready run. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
