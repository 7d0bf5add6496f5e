// Whatever a benchmark starts is ended with it: when it is done, when it fails, and when it is interrupted.
//
// 1. What was given to `add` is closed exactly once, the last first, on every ending but SIGKILL.
// 2. What is given to `add` after the end has begun is closed at once, and `add` throws.
// 3. After SIGINT or SIGTERM the process ends with 128 + the signal's number once everything is closed.
import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'

type Close = () => Promise<unknown> | unknown

export class Ending {
  readonly #closes: Close[] = []
  readonly #aborting = new AbortController()

  /** Aborts when the benchmark is interrupted. */
  get signal(): AbortSignal {
    return this.#aborting.signal
  }

  async add(close: Close): Promise<void> {
    this.#closes.push(close)
    if (!this.signal.aborted) return
    await this.close()
    this.signal.throwIfAborted()
  }

  interrupt(): void {
    this.#aborting.abort(new Error('interrupted'))
    void this.close()
  }

  async close(): Promise<void> {
    for (let close = this.#closes.pop(); close; close = this.#closes.pop()) await close()
  }
}

/** Runs a benchmark in a temporary folder of its own. */
export async function withEnding(body: (ending: Ending, folder: string) => Promise<void>): Promise<void> {
  const ending = new Ending()
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  let interrupted: NodeJS.Signals | undefined
  const interrupt = (signal: NodeJS.Signals): void => {
    interrupted = signal
    ending.interrupt()
  }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    await body(ending, folder)
  } catch (error) {
    if (interrupted === undefined) throw error
    process.exitCode = 128 + constants.signals[interrupted]
  } finally {
    await ending.close()
    rmSync(folder, { recursive: true, force: true })
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}
