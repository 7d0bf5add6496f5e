/** node:cluster, and the words with which a worker and its primary begin: who you are, I serve, I cannot. */
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import type { Clock } from '../clock.ts'
import { IpcPeer } from './ipc-peer.ts'
import { portOf } from './ipc-port.ts'
import type { StartFailure, WorkerEnd, WorkerProcess } from './worker-process.ts'

/** What a worker is told when it begins. */
export interface Seat<Settings> {
  readonly index: number
  readonly count: number
  /** What all workers have to agree on, whatever the files say by now. */
  readonly settings: Settings
}

/** The primary as a worker sees it. */
export interface PrimaryProcess<Settings> extends Seat<Settings> {
  readonly peer: IpcPeer
  /** This worker serves. */
  started(): void
  /** This worker will not serve; resolves when that has been said. */
  failed(failure: StartFailure): Promise<void>
}

/** The first word of our own primary is on its way before a worker runs. Longer: the process manager is another one. */
const SEAT_MS_MAX = 5_000

/**
 * Forks workers that share this process's listening sockets. The primary accepts and deals connections in turn
 * (SCHED_RR): left to the kernel, two of eight workers get most of them (Node.js, cluster), a worker that hangs keeps
 * accepting, and one that outlives its primary keeps the ports from the next.
 */
export function forking<Settings>(
  clock: Clock,
  seatOf: (index: number) => Seat<Settings>,
): (index: number) => WorkerProcess {
  cluster.schedulingPolicy = cluster.SCHED_RR
  return (index) => {
    const worker = cluster.fork()
    const peer = new IpcPeer({ port: portOf(worker.process), clock })
    peer.tell('seat', [seatOf(index)])
    const ended = endOf(worker)
    return {
      index,
      peer,
      ended,
      started: startOf(peer, ended),
      kill: () => void worker.process.kill('SIGKILL'),
    }
  }
}

async function endOf(worker: Worker): Promise<WorkerEnd> {
  worker.on('error', () => {})
  // What the system did not start has no end to wait for.
  if (worker.process.pid === undefined) return { code: 1, signal: null }
  const disconnected = worker.isConnected() ? once(worker.process, 'disconnect') : undefined
  const [code, signal] = (await once(worker.process, 'exit')) as [number | null, string | null]
  await disconnected
  return { code, signal }
}

function startOf(peer: IpcPeer, ended: Promise<WorkerEnd>): Promise<StartFailure | undefined> {
  const { promise, resolve } = Promise.withResolvers<StartFailure | undefined>()
  peer.on('started', () => resolve(undefined))
  peer.on('failed', ([failure]) => resolve(failure as StartFailure))
  void ended.then(({ code, signal }) =>
    resolve({ message: `A worker ended (${signal ?? code}) before it served.`, exitCode: 1 }),
  )
  return promise
}

/** The primary that forked this process, if it is one of ours. */
export async function primaryProcess<Settings>(clock: Clock): Promise<PrimaryProcess<Settings> | undefined> {
  const { worker } = cluster
  if (!cluster.isWorker || worker === undefined) return undefined
  // Node ends a worker at once when its primary is gone. Ours ends its exchanges first.
  worker.once('disconnect', () => {
    worker.exitedAfterDisconnect = true
  })
  const peer = new IpcPeer({ port: portOf(process), clock })
  const { promise, resolve } = Promise.withResolvers<Seat<Settings> | undefined>()
  peer.on('seat', ([seat]) => resolve(seat as Seat<Settings>))
  void clock.sleep(SEAT_MS_MAX).then(() => resolve(undefined))
  const seat = await promise
  if (seat === undefined) return undefined
  return {
    ...seat,
    peer,
    started: () => peer.tell('started'),
    failed: async (failure) => void (await peer.call('failed', [failure]).catch(() => undefined)),
  }
}
