import type { IpcPeer } from './ipc-peer.ts'

/** How a worker ended: with a code, or by a signal. */
export interface WorkerEnd {
  readonly code: number | null
  readonly signal: string | null
}

/** Why a worker does not serve, as it says itself. */
export interface StartFailure {
  /** For people; whole, with everything that is wrong. */
  readonly message: string
  readonly exitCode: number
}

/** A worker as its primary sees it. */
export interface WorkerProcess {
  /** From 1 to the number of workers. One that takes the place of a dead one has its number. */
  readonly index: number
  readonly peer: IpcPeer
  /** Resolves once: with nothing when it serves, or with why it will not. */
  readonly started: Promise<StartFailure | undefined>
  /** Resolves when the process has ended and everything that it said has been read. */
  readonly ended: Promise<WorkerEnd>
  /** Ends it without a word. */
  kill(): void
}
