/**
 * The way to Redis, with a deadline and a breaker. Invariants:
 *
 * 1. No command is waited for longer than the deadline. One that is late because this process was busy is not late: what
 *    has arrived is read before it is given up.
 * 2. The first command that fails, whyever, opens the breaker. Whoever waits then waits no longer, and nobody waits or
 *    sends anything until it closes.
 * 3. It closes when the server has run a script that writes, for every shard that has failed, and `recover` has charged
 *    it with what happened meanwhile. One attempt at a time, `probeMs` apart at first and then longer, jittered.
 * 4. What operators ask (`ask`) has a longer deadline and never opens it.
 */
import type { Clock } from '../../clock.ts'
import { type Cause, causeOf, isReply, StoreAway, Unanswered } from './cause.ts'
import type { RedisObserver } from './options.ts'
import type { ScriptName } from './scripts.ts'

export type RunScript = (
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>

export interface LinkOptions {
  readonly run: RunScript
  readonly clock: Clock
  readonly observer: RedisObserver
  readonly deadlineMs: number
  readonly probeMsMax: number
  /** Key to write for a probe of this shard. */
  probeKey(shard: string): string
  /** The breaker has opened, and nothing has been decided since. */
  opened(): void
  /** Charges the server with what happened while it was away; resolves to the number of settlements. */
  recover(): Promise<number>
  /** The breaker has closed, and nothing has been decided since. */
  closed(): void
}

const probeMsFirst = 100
const askMsMax = 2_000
/** Shards that have failed and are probed; of more, the first ones. */
const suspectsMax = 16

interface Away {
  readonly sinceMs: number
  readonly sinceMonotonicMs: number
  readonly cause: Cause
}

export class Link {
  readonly #options: LinkOptions
  readonly #waiting = new Set<(error: unknown) => void>()
  readonly #suspects = new Set<string>()
  readonly #stop = new AbortController()
  #away: Away | undefined
  #nextProbeMs = 0
  #recovery: Promise<void> | undefined

  constructor(options: LinkOptions) {
    this.#options = options
  }

  get away(): Away | undefined {
    return this.#away
  }

  /** Until the server is tried again. */
  get probeMs(): number {
    return Math.max(1, Math.ceil(this.#nextProbeMs - this.#options.clock.monotonic()))
  }

  /** Rejects with `StoreAway` when nothing was sent, or with what failed; then the breaker is open. */
  async run(
    shard: string,
    name: ScriptName,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    if (this.#away !== undefined) throw new StoreAway()
    try {
      return await this.#timed(() => this.#options.run(name, keys, args), 'released')
    } catch (error) {
      this.#suspect(shard)
      this.open(error)
      throw error
    }
  }

  /** As `run`, while the breaker is open: for `recover`. */
  attempt: RunScript = (name, keys, args) => this.#timed(() => this.#options.run(name, keys, args), 'kept')

  /** For operators: rejects while the server is away. */
  ask<T>(command: () => Promise<T>): Promise<T> {
    if (this.#away !== undefined) return Promise.reject(new StoreAway())
    return this.#within(command(), askMsMax, 'kept')
  }

  open(error: unknown): void {
    if (this.#away !== undefined || this.#stop.signal.aborted) return
    const { clock, observer } = this.#options
    const cause = causeOf(error)
    this.#away = { sinceMs: clock.now(), sinceMonotonicMs: clock.monotonic(), cause }
    for (const release of [...this.#waiting]) release(new Unanswered(cause, error))
    this.#options.opened()
    observer.away(cause, error)
    this.#recovery = this.#comeBack()
  }

  async close(): Promise<void> {
    this.#stop.abort(new StoreAway())
    await this.#recovery
  }

  #suspect(shard: string): void {
    if (this.#suspects.size < suspectsMax) this.#suspects.add(shard)
  }

  async #timed<T>(command: () => Promise<T>, when: 'released' | 'kept'): Promise<T> {
    const { clock, observer, deadlineMs } = this.#options
    const startedMs = clock.monotonic()
    const answer = await this.#within(command(), deadlineMs, when)
    observer.answered(clock.monotonic() - startedMs)
    return answer
  }

  #within<T>(answer: Promise<T>, ms: number, when: 'released' | 'kept'): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    if (when === 'released') this.#waiting.add(reject)
    const timer = setTimeout(() => setImmediate(() => reject(new Unanswered('timeout'))), ms)
    const settled = () => {
      clearTimeout(timer)
      this.#waiting.delete(reject)
    }
    promise.then(settled, settled)
    answer.then(resolve, (error: unknown) => {
      reject(isReply(error) ? error : new Unanswered(causeOf(error), error))
    })
    return promise
  }

  async #comeBack(): Promise<void> {
    for (let pauseMs = probeMsFirst; !this.#stop.signal.aborted; pauseMs *= 2) {
      await this.#pause(Math.min(pauseMs, this.#options.probeMsMax))
      if (this.#stop.signal.aborted) return
      const settled = await this.#tryOnce()
      if (settled !== undefined) return this.#closeBreaker(settled)
    }
  }

  async #tryOnce(): Promise<number | undefined> {
    try {
      for (const shard of this.#suspects) {
        await this.attempt('probe', [this.#options.probeKey(shard)], [])
      }
      return await this.#options.recover()
    } catch {
      return undefined
    }
  }

  #closeBreaker(settled: number): void {
    const { clock, observer } = this.#options
    const { sinceMonotonicMs } = this.#away as Away
    this.#away = undefined
    this.#suspects.clear()
    this.#options.closed()
    observer.back(clock.monotonic() - sinceMonotonicMs, settled)
  }

  async #pause(ms: number): Promise<void> {
    const { clock } = this.#options
    const jittered = Math.ceil(ms * (0.5 + Math.random() / 2))
    this.#nextProbeMs = clock.monotonic() + jittered
    await clock.sleep(jittered, this.#stop.signal).catch(() => {})
  }
}
