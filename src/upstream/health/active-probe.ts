/**
 * Asks one server whether it is alive, again and again.
 *
 * 1. At most one request is under way, each for at most `timeoutMs`; one that does not end when it is aborted keeps the
 *    next from beginning.
 * 2. Between the end of one and the next lie 80 to 100 % of `intervalMs`, of `ejectedIntervalMs` while the server is not
 *    healthy; an ejection during the wait shortens it.
 * 3. A probe that began before an ejection does not end it.
 * 4. After `close` nothing is asked and nothing is told.
 */
import type { Clock } from '../../clock.ts'
import type { ServerKind } from '../pool.ts'
import type { EndpointHealth } from './endpoint-health.ts'
import { type ProbePath, type ProbeVerdict, probePathOf, probeVerdictOf } from './probe-verdict.ts'

export interface ProbeBounds {
  readonly intervalMs: number
  /** Not above `intervalMs`. */
  readonly ejectedIntervalMs: number
  /** For the whole probe, connecting included. */
  readonly timeoutMs: number
}

export const probeBounds: ProbeBounds = { intervalMs: 5_000, ejectedIntervalMs: 1_000, timeoutMs: 1_000 }

export interface ActiveProbeOptions {
  readonly server: ServerKind
  readonly health: Pick<EndpointHealth, 'state' | 'ejections' | 'probed'>
  /** Resolves with the status, rejects when there is none. Must end soon after the signal aborts. */
  readonly request: (path: ProbePath, signal: AbortSignal) => Promise<number>
  readonly bounds: ProbeBounds
  readonly clock: Pick<Clock, 'sleep'>
  /** From 0 to below 1. */
  readonly random: () => number
  /** Told of each probe, for metrics; `status` is undefined when there was none. Must not throw. */
  readonly observer?: (verdict: ProbeVerdict, status: number | undefined) => void
}

/** Part of a wait that chance may take away, so that gateways do not probe all at once. */
const JITTER = 0.2

export class ActiveProbe {
  readonly #options: ActiveProbeOptions
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  #isAsking = false

  /** Begins at once; the first probe comes within `ejectedIntervalMs`. */
  constructor(options: ActiveProbeOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** Resolves when the last probe is over. */
  close(): Promise<void> {
    this.#closing.abort()
    return this.#running
  }

  async #run(): Promise<void> {
    const { clock, random, bounds } = this.#options
    const { signal } = this.#closing
    try {
      await clock.sleep(bounds.ejectedIntervalMs * random(), signal)
      while (!signal.aborted) {
        await this.#probe()
        await this.#rest()
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** In short sleeps: a server that is ejected meanwhile is asked soon. */
  async #rest(): Promise<void> {
    const { clock, random, bounds } = this.#options
    const part = 1 - JITTER * random()
    for (let restedMs = 0; ; ) {
      const leftMs = this.#intervalMs * part - restedMs
      if (leftMs <= 0 || this.#closing.signal.aborted) return
      const sleepMs = Math.min(leftMs, bounds.ejectedIntervalMs * part)
      await clock.sleep(sleepMs, this.#closing.signal)
      restedMs += sleepMs
    }
  }

  get #intervalMs(): number {
    const { health, bounds } = this.#options
    return health.state === 'healthy' ? bounds.intervalMs : bounds.ejectedIntervalMs
  }

  async #probe(): Promise<void> {
    const { server, health, observer } = this.#options
    if (this.#isAsking) return
    const { ejections } = health
    const status = await this.#ask()
    if (this.#closing.signal.aborted) return
    const verdict = status === undefined ? 'down' : probeVerdictOf(server, status)
    observer?.(verdict, status)
    if (verdict === 'undecided' || (verdict === 'alive' && ejections !== health.ejections)) return
    health.probed(verdict)
  }

  /** The status; `undefined` when none came in time. */
  async #ask(): Promise<number | undefined> {
    const { clock, bounds } = this.#options
    const ending = new AbortController()
    const end = (): void => ending.abort()
    this.#closing.signal.addEventListener('abort', end, { once: true })
    try {
      const late = clock.sleep(bounds.timeoutMs, ending.signal).then(() => undefined)
      return await Promise.race([this.#request(ending.signal), late])
    } catch {
      return undefined
    } finally {
      this.#closing.signal.removeEventListener('abort', end)
      ending.abort()
    }
  }

  async #request(signal: AbortSignal): Promise<number> {
    const { server, request } = this.#options
    this.#isAsking = true
    try {
      return await request(probePathOf(server), signal)
    } finally {
      this.#isAsking = false
    }
  }
}
