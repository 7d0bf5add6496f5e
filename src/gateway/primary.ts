import { mkdir } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import { createProbeServer } from '../../plugins/probe-server.ts'
import { chainFolder } from '../audit/chain-folders.ts'
import { type DirectoryLock, lockDirectory } from '../audit/lock.ts'
import { makeLogDirectory } from '../audit/segment-files.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { GatewayConfig } from '../config/schema/gateway.ts'
import { ServedStore } from '../quota/remote/served-store.ts'
import type { QuotaStore } from '../quota/store.ts'
import { livez, type ProbeAnswer, readyzOfWorkers } from '../telemetry/probes.ts'
import { ofPrimary, type Snapshot } from '../telemetry/snapshot.ts'
import { WorkerMetrics } from '../telemetry/worker-metrics.ts'
import { forking } from '../workers/cluster.ts'
import { Supervisor } from '../workers/supervisor.ts'
import type { WorkerEnd, WorkerProcess } from '../workers/worker-process.ts'
import { addressOf, originOf } from './addresses.ts'
import { openOwnStore } from './quota-store.ts'
import type { Telemetry } from './telemetry.ts'
import type { WorkerSettings } from './worker-part.ts'

export interface PrimaryOptions {
  readonly gateway: GatewayConfig
  readonly telemetry: Telemetry
  readonly clock?: Clock
}

/** Longest wait for a worker's answer to a probe: it is to be sent elsewhere, or its gauges are left out. */
const READYZ_MS_MAX = 1_000
const METRICS_MS_MAX = 3_000

/** Starts the process that serves nobody: it forks the workers, and has what there is once for all of them. */
export async function startPrimary(options: PrimaryOptions): Promise<Primary> {
  const primary = new Primary(options)
  try {
    await primary.start()
    return primary
  } catch (error) {
    await primary.abandon()
    throw error
  }
}

/**
 * The primary process of a gateway with workers: the lock of the audit folder, the embedded store of limits, probes and
 * metrics of all, and the workers themselves.
 */
export class Primary {
  readonly #options: Required<PrimaryOptions>
  readonly #supervisor: Supervisor
  readonly #metrics: WorkerMetrics
  readonly #probes: FastifyInstance
  #lock: DirectoryLock | undefined
  #store: QuotaStore | undefined
  #served: ServedStore | undefined
  #closing: Promise<void> | undefined

  constructor(options: PrimaryOptions) {
    this.#options = { clock: systemClock, ...options }
    const { clock, gateway, telemetry } = this.#options
    const { metrics, events } = telemetry
    const fork = forking<WorkerSettings>(clock, (index) => ({
      index,
      count: gateway.workers,
      settings: { gateway },
    }))
    this.#supervisor = new Supervisor({
      count: gateway.workers,
      clock,
      fork: (index) => this.#joined(fork(index)),
      observer: {
        started: (index) => events.workerStarted(index),
        ended: (index, end, restartMs) => {
          metrics.workerEnded(end.signal === null ? 'exit' : 'signal')
          events.workerEnded(index, howOf(end), restartMs)
        },
        startFailed: (index, message) => {
          metrics.workerEnded('start_failed')
          events.workerStartFailed(index, message)
        },
      },
    })
    this.#metrics = new WorkerMetrics({ own: () => this.#own(), missed: () => metrics.workerScrapeMissed() })
    this.#probes = createProbeServer({
      livez,
      readyz: () => this.#readyz(),
      metrics: () => this.#metrics.render(),
      metricsContentType: metrics.contentType,
    })
  }

  async start(): Promise<void> {
    const { gateway, clock, telemetry } = this.#options
    const { audit, quota, workers, probes } = gateway
    await makeLogDirectory(audit.directory)
    // No gateway without workers may write here meanwhile; each worker locks its own folder besides.
    this.#lock = await lockDirectory(audit.directory)
    for (let index = 1; index <= workers; index += 1)
      await mkdir(chainFolder(audit.directory, index), { recursive: true, mode: 0o700 })
    if (quota.redis === undefined) {
      this.#store = await openOwnStore(quota, { clock })
      this.#served = new ServedStore({ store: this.#store, clock })
    }
    await this.#probes.listen(addressOf(probes))
    await this.#supervisor.start()
    telemetry.events.listening('probes', originOf('http', this.#probes.server.address()))
  }

  /** Has all workers drain, and ends what is here. Throws when one of them did not end well. */
  close(options: { readonly deadlineMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  /** Gives back what a start that failed had taken. */
  async abandon(): Promise<void> {
    this.killAll()
    await this.#release()
  }

  /** Ends all workers at once, without a word. */
  killAll(): void {
    this.#supervisor.killAll()
  }

  async #close(options: { readonly deadlineMs?: number }): Promise<void> {
    const { events } = this.#options.telemetry
    events.workersDraining(this.#supervisor.living.length)
    try {
      await this.#supervisor.close(options)
    } finally {
      await this.#release()
      events.stopped()
    }
  }

  async #release(): Promise<void> {
    await this.#probes.close()
    this.#served?.close()
    await this.#store?.close()
    await this.#lock?.release()
  }

  /** A process joins the workers, until it ends. */
  #joined(worker: WorkerProcess): WorkerProcess {
    const { peer, ended } = worker
    const leave = this.#served?.serve(peer)
    const forget = this.#metrics.add(async () => (await peer.call('metrics', [], METRICS_MS_MAX)) as Snapshot)
    void ended.then(async () => {
      forget()
      await leave?.()
    })
    return worker
  }

  async #own(): Promise<Snapshot> {
    const { gateway, telemetry } = this.#options
    const serving = this.#supervisor.serving.length
    telemetry.metrics.workersNow(serving, gateway.workers - serving)
    return ofPrimary(await telemetry.metrics.snapshot())
  }

  async #readyz(): Promise<ProbeAnswer> {
    const { serving } = this.#supervisor
    const answers = await Promise.all(
      serving.map(({ peer }) => peer.call('readyz', [], READYZ_MS_MAX).catch(() => undefined)),
    )
    return readyzOfWorkers(answers as (ProbeAnswer | undefined)[], {
      wanted: this.#options.gateway.workers,
      draining: this.#closing !== undefined,
    })
  }
}

const howOf = ({ code, signal }: WorkerEnd): string => signal ?? `code ${code}`
