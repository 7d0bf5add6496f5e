/**
 * Keeps so many workers running. Invariants:
 *
 * 1. Of each number there is at most one process at a time.
 * 2. While the first worker has not served, no other is forked: what keeps one from starting keeps all from it, and is
 *    said once. A start that fails leaves no process behind.
 * 3. One that ends is replaced, at the earliest `restartMsMin` later; each time that it ends again within `steadyMs`
 *    twice as late, at most `restartMsMax`.
 * 4. From `close` on none is forked. It resolves when all have ended, and rejects when one of them did not end with 0.
 */
import type { Clock } from '../clock.ts'
import type { StartFailure, WorkerEnd, WorkerProcess } from './worker-process.ts'

/** A worker could not start; the message says why, and is for people. */
export class WorkerStartFailed extends Error {
  readonly exitCode: number

  constructor({ message, exitCode }: StartFailure) {
    super(message)
    this.name = 'WorkerStartFailed'
    this.exitCode = exitCode
  }
}

export interface SupervisorObserver {
  started(index: number): void
  /** It ended without being asked to; another takes its place after `restartMs`. */
  ended(index: number, end: WorkerEnd, restartMs: number): void
  /** The one that should take the place cannot start. */
  startFailed(index: number, message: string): void
}

export interface SupervisorOptions {
  readonly count: number
  readonly clock: Clock
  fork(index: number): WorkerProcess
  readonly observer: SupervisorObserver
  readonly restartMsMin?: number
  readonly restartMsMax?: number
  readonly steadyMs?: number
  /** Longest start of a worker. */
  readonly startMsMax?: number
}

const defaults = { restartMsMin: 100, restartMsMax: 30_000, steadyMs: 60_000, startMsMax: 60_000 }
/** What a worker may take beyond the deadline of its drain: callers who do not read, and the disk. */
const KILL_AFTER_MS = 10_000

export class Supervisor {
  readonly #options: SupervisorOptions & typeof defaults
  readonly #living = new Map<number, WorkerProcess>()
  readonly #serving = new Map<number, WorkerProcess>()
  readonly #keepers: Promise<void>[] = []
  readonly #stop = new AbortController()
  #failed: WorkerEnd | undefined

  constructor(options: SupervisorOptions) {
    this.#options = { ...defaults, ...options }
  }

  /** Workers that serve. */
  get serving(): readonly WorkerProcess[] {
    return [...this.#serving.values()]
  }

  /** Workers whose process lives. */
  get living(): readonly WorkerProcess[] {
    return [...this.#living.values()]
  }

  /** Resolves when all serve. Throws `WorkerStartFailed` when one cannot. */
  async start(): Promise<void> {
    try {
      await this.#startFirst(1)
      const others = Array.from({ length: this.#options.count - 1 }, (_, place) =>
        this.#startFirst(place + 2),
      )
      await Promise.all(others)
    } catch (error) {
      this.#stop.abort()
      this.killAll()
      await Promise.all([...this.living.map(({ ended }) => ended), ...this.#keepers])
      throw error
    }
  }

  /** Has every worker drain. A deadline: those that still live a while after it are killed. */
  async close(options: { readonly deadlineMs?: number } = {}): Promise<void> {
    this.#stop.abort()
    for (const { peer } of this.living) peer.tell('drain', [options])
    const done = Promise.all(this.#keepers)
    if (options.deadlineMs !== undefined) {
      const patience = this.#options.clock.sleep(options.deadlineMs + KILL_AFTER_MS)
      await Promise.race([done, patience.then(() => this.killAll())])
    }
    await done
    if (this.#failed !== undefined) throw new Error(`a worker ended with ${howOf(this.#failed)}`)
  }

  /** Ends all at once, without a word. */
  killAll(): void {
    for (const worker of this.living) worker.kill()
  }

  async #startFirst(index: number): Promise<void> {
    const { worker, failure } = await this.#startOne(index)
    if (failure !== undefined) throw new WorkerStartFailed(failure)
    this.#keepers.push(this.#keep(worker))
  }

  async #startOne(index: number) {
    const { clock, startMsMax, fork, observer } = this.#options
    const worker = fork(index)
    this.#living.set(index, worker)
    void worker.ended.then(() => this.#gone(worker))
    const settled = new AbortController()
    const late = clock.sleep(startMsMax, settled.signal).then(() => tooLate(startMsMax))
    const failure = await Promise.race([worker.started, late.catch(() => worker.started)])
    settled.abort()
    if (failure === undefined) {
      this.#serving.set(index, worker)
      observer.started(index)
    } else worker.kill()
    return { worker, failure }
  }

  /** Until `close`: sees to it that there is a worker of this number. */
  async #keep(first: WorkerProcess): Promise<void> {
    const { clock, observer, restartMsMin, restartMsMax, steadyMs } = this.#options
    const { index } = first
    let worker = first
    let restartMs = restartMsMin
    for (;;) {
      const beganMs = clock.monotonic()
      const end = await worker.ended
      if (this.#stop.signal.aborted) return this.#endedInDrain(end)
      if (clock.monotonic() - beganMs >= steadyMs) restartMs = restartMsMin
      observer.ended(index, end, restartMs)
      await clock.sleep(restartMs, this.#stop.signal).catch(() => {})
      if (this.#stop.signal.aborted) return
      restartMs = Math.min(restartMs * 2, restartMsMax)
      const next = await this.#startOne(index)
      if (next.failure !== undefined && !this.#stop.signal.aborted)
        observer.startFailed(index, next.failure.message)
      worker = next.worker
    }
  }

  #gone(worker: WorkerProcess): void {
    const { index } = worker
    if (this.#living.get(index) === worker) this.#living.delete(index)
    if (this.#serving.get(index) === worker) this.#serving.delete(index)
  }

  #endedInDrain(end: WorkerEnd): void {
    if (end.code !== 0) this.#failed ??= end
  }
}

const tooLate = (ms: number): StartFailure => ({
  message: `A worker did not start within ${ms} ms.`,
  exitCode: 1,
})
const howOf = ({ code, signal }: WorkerEnd): string => (signal === null ? `code ${code}` : signal)
