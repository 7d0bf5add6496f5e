import type { Clock } from '../../clock.ts'
import type { ServerLoad } from '../balance/server-load.ts'
import { readSeries, type TextBounds } from './prometheus-text.ts'
import { type LoadSeries, loadOf, wantedOf } from './server-metrics.ts'

/**
 * Asks one endpoint how busy it is, again and again. Invariants:
 *
 * 1. At most one request is under way.
 * 2. Nothing is asked while the endpoint has no traffic, and nothing after `close()`.
 * 3. A request that is over, however it ended, holds nothing: its signal is aborted.
 * 4. `latest` is the last whole reading. It grows old when readings fail (`at` says how old), and goes when the server
 *    turns out to have no metrics.
 * 5. A server that fails is asked less and less often, one without metrics once in `absentMs`.
 */
export interface ScrapeOptions {
  readonly series: LoadSeries
  /**
   * Sends a GET to the endpoint; must end, body included, when the signal aborts. Asks for no compression, follows no
   * redirect.
   */
  readonly get: (path: string, signal: AbortSignal) => Promise<ScrapeAnswer>
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  readonly random: () => number
  /** Whether the endpoint has no calls, so that nobody needs the reading. */
  readonly isIdle: () => boolean
  /** Told of each request's end. Must not throw. */
  readonly observe?: ((end: { readonly result: ScrapeResult }) => void) | undefined
  /** Default `/metrics`. */
  readonly path?: string | undefined
  /** From the end of one request to the next, give or take a tenth. Default 1 000. */
  readonly intervalMs?: number | undefined
  /** Until the last byte. Default 500. */
  readonly timeoutMs?: number | undefined
  /** Longest pause after failures; each doubles it from `intervalMs`. Default 30 000. */
  readonly backoffMsMax?: number | undefined
  /** Default 60 000. */
  readonly absentMs?: number | undefined
  readonly bounds?: TextBounds | undefined
}

export interface ScrapeAnswer {
  readonly status: number
  readonly body: AsyncIterable<Uint8Array>
}

export type ScrapeResult = 'ok' | 'failed' | 'absent'

/** What servers say that have no metrics, or were not started with them (llama.cpp: 501). */
const absentStatuses: ReadonlySet<number> = new Set([404, 405, 501])

export class Scrape {
  readonly #options: ScrapeOptions
  readonly #intervalMs: number
  readonly #closing = new AbortController()
  readonly #done: Promise<void>
  #request: AbortController | undefined
  #latest: ServerLoad | undefined
  #failures = 0
  #isAbsent = false

  /** Begins at once, somewhere within the first interval. */
  constructor(options: ScrapeOptions) {
    this.#options = options
    this.#intervalMs = options.intervalMs ?? 1_000
    this.#done = this.#run()
  }

  get latest(): ServerLoad | undefined {
    return this.#latest
  }

  /** Ends what is under way; resolves when it has ended. */
  close(): Promise<void> {
    this.#closing.abort()
    this.#request?.abort()
    return this.#done
  }

  async #run(): Promise<void> {
    const { clock, random, isIdle } = this.#options
    const { signal } = this.#closing
    let pauseMs = this.#intervalMs * random()
    while (!signal.aborted) {
      await clock.sleep(pauseMs, signal).catch(() => undefined)
      if (!signal.aborted && !isIdle()) await this.#ask()
      pauseMs = this.#pauseMs() * (0.9 + 0.2 * random())
    }
  }

  #pauseMs(): number {
    const { absentMs = 60_000, backoffMsMax = 30_000 } = this.#options
    if (this.#isAbsent) return absentMs
    // 2 ** 1024 is Infinity, which Math.min takes for what it is.
    return Math.min(this.#intervalMs * 2 ** this.#failures, Math.max(backoffMsMax, this.#intervalMs))
  }

  async #ask(): Promise<void> {
    const request = new AbortController()
    this.#request = request
    const result = await this.#within(request).catch(() => 'failed' as const)
    this.#request = undefined
    request.abort()
    if (this.#closing.signal.aborted) return
    this.#isAbsent = result === 'absent'
    this.#failures = result === 'failed' ? this.#failures + 1 : 0
    if (result === 'absent') this.#latest = undefined
    this.#options.observe?.({ result })
  }

  /** A body that does not end with its signal must not hold the next request up. */
  #within(request: AbortController): Promise<ScrapeResult> {
    const { clock, timeoutMs = 500 } = this.#options
    const ended = new Promise<ScrapeResult>((resolve) => {
      request.signal.addEventListener('abort', () => resolve('failed'), { once: true })
    })
    clock.sleep(timeoutMs, request.signal).then(
      () => request.abort(),
      () => undefined,
    )
    return Promise.race([this.#read(request.signal), ended])
  }

  async #read(signal: AbortSignal): Promise<ScrapeResult> {
    const { get, series, clock, bounds, path = '/metrics' } = this.#options
    const { status, body } = await get(path, signal)
    if (status !== 200) return absentStatuses.has(status) ? 'absent' : 'failed'
    const load = loadOf(await readSeries(body, wantedOf(series), bounds), series, clock.monotonic())
    if (signal.aborted) return 'failed'
    if (load === undefined) return 'absent'
    this.#latest = load
    return 'ok'
  }
}
