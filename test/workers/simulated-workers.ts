import type { IpcPeer } from '../../src/workers/ipc-peer.ts'
import type { SupervisorObserver } from '../../src/workers/supervisor.ts'
import type { StartFailure, WorkerEnd, WorkerProcess } from '../../src/workers/worker-process.ts'
import { SteppingClock, settled } from '../upstream/stepping-clock.ts'

/** A worker that does what the test says. */
export class SimulatedWorker implements WorkerProcess {
  readonly index: number
  readonly peer: IpcPeer
  readonly started: Promise<StartFailure | undefined>
  readonly ended: Promise<WorkerEnd>
  lives = true
  drained = false
  readonly #started = Promise.withResolvers<StartFailure | undefined>()
  readonly #ended = Promise.withResolvers<WorkerEnd>()

  constructor(index: number) {
    this.index = index
    this.started = this.#started.promise
    this.ended = this.#ended.promise
    const tell = (name: string): void => {
      this.drained ||= name === 'drain'
    }
    this.peer = { tell } as unknown as IpcPeer
  }

  serves(): void {
    this.#started.resolve(undefined)
  }

  fails(message: string, exitCode: number): void {
    this.#started.resolve({ message, exitCode })
    this.dies(exitCode)
  }

  dies(code: number | null = null): void {
    this.lives = false
    this.#ended.resolve({ code, signal: code === null ? 'SIGKILL' : null })
    this.#started.resolve({ message: 'ended', exitCode: 1 })
  }

  kill(): void {
    this.dies()
  }
}

/** Every worker that was forked, and a clock that moves when it is told. */
export class SimulatedWorkers implements SupervisorObserver {
  readonly clock = new SteppingClock()
  readonly forks: SimulatedWorker[] = []
  readonly told: string[] = []

  fork(index: number): WorkerProcess {
    const worker = new SimulatedWorker(index)
    this.forks.push(worker)
    return worker
  }

  /** Numbers of the processes that live. */
  get living(): readonly number[] {
    return this.forks.filter(({ lives }) => lives).map(({ index }) => index)
  }

  latest(index: number): SimulatedWorker {
    const found = this.forks.findLast((worker) => worker.index === index)
    if (found === undefined) throw new Error(`worker ${index} was never forked`)
    return found
  }

  started(index: number): void {
    this.told.push(`started ${index}`)
  }

  ended(index: number): void {
    this.told.push(`ended ${index}`)
  }

  startFailed(index: number, message: string): void {
    this.told.push(`start failed ${index}: ${message}`)
  }

  turn(): Promise<void> {
    return settled()
  }

  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) await this.clock.advance(Math.min(left, 100))
  }
}
