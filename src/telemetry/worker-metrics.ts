/**
 * The metrics of all workers as one. Invariants:
 *
 * 1. What was shown of a counter is never more than what is shown later: what a worker had counted when it last answered
 *    stays when it ends, and counts as long as it does not answer.
 * 2. A scrape waits for no worker longer than the deadline of its call; scrapes at the same time share one reading.
 * 3. Gauges are of the workers that answered.
 */
import { countedIn, exposition, merged, type Snapshot } from './snapshot.ts'

export interface WorkerMetricsOptions {
  /** Of this process. */
  own(): Promise<Snapshot>
  /** A worker did not answer. */
  missed(): void
}

/** One worker process. Rejects when it does not answer in time. */
export type ReadWorker = () => Promise<Snapshot>

export class WorkerMetrics {
  readonly #options: WorkerMetricsOptions
  readonly #workers = new Map<ReadWorker, Snapshot>()
  #ended: Snapshot = []
  #rendering: Promise<string> | undefined

  constructor(options: WorkerMetricsOptions) {
    this.#options = options
  }

  /** Returns how to end it, when the worker has ended. */
  add(read: ReadWorker): () => void {
    this.#workers.set(read, [])
    return () => {
      this.#ended = merged([this.#ended, countedIn(this.#workers.get(read) ?? [])])
      this.#workers.delete(read)
    }
  }

  /** The text of `/metrics`. */
  render(): Promise<string> {
    this.#rendering ??= this.#render().finally(() => {
      this.#rendering = undefined
    })
    return this.#rendering
  }

  async #render(): Promise<string> {
    const answered = new Set<ReadWorker>()
    await Promise.all([...this.#workers.keys()].map((read) => this.#read(read, answered)))
    const own = await this.#options.own()
    // All at once: one that ends meanwhile is either still here or among those that have ended.
    const workers = [...this.#workers].map(([read, last]) => (answered.has(read) ? last : countedIn(last)))
    return exposition(merged([...workers, own, this.#ended]))
  }

  async #read(read: ReadWorker, answered: Set<ReadWorker>): Promise<void> {
    try {
      const snapshot = await read()
      if (this.#workers.has(read)) this.#workers.set(read, snapshot)
      answered.add(read)
    } catch {
      this.#options.missed()
    }
  }
}
