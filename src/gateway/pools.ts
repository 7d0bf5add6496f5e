import type { Clock } from '../clock.ts'
import type { Config } from '../config/load.ts'
import type { PoolConfig } from '../config/schema/models.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { EndpointTurns } from '../upstream/endpoint-turns.ts'
import { FairQueue } from '../upstream/fair-queue.ts'
import { createUpstreams, type EndpointPool, type ModelRoute, type Upstreams } from '../upstream/pool.ts'
import { createEndpoint } from '../upstream/undici-endpoint.ts'
import { connectionDigest, readApiKey, readUpstreamTls } from './upstream-files.ts'

interface Timeouts {
  readonly firstByteTimeoutMs: number
  readonly idleTimeoutMs: number
}

/** A pool with what it was made from, so that a reload keeps the connections of a pool that did not change. */
interface BuiltPool {
  readonly madeFrom: string
  readonly pool: EndpointPool
}

/** The routes of a configuration that are ready and not yet in service. */
export interface PreparedRoutes {
  readonly upstreams: Upstreams
  /** Puts them into service; returns how to close the pools that they leave out. */
  takeOver(): () => Promise<void>
}

/**
 * The pools that are in service, over all configuration versions.
 *
 * 1. A pool whose configuration and files did not change is kept, with its connections.
 * 2. `prepare` changes nothing of what is in service; only `takeOver` does, and it cannot fail.
 * 3. No pool is made from files that cannot be used: `prepare` throws.
 */
export class Pools {
  readonly #metrics: Metrics
  readonly #clock: Clock
  #built = new Map<string, BuiltPool>()

  constructor({ metrics, clock }: { readonly metrics: Metrics; readonly clock: Clock }) {
    this.#metrics = metrics
    this.#clock = clock
    metrics.watch({ pools: () => this.#depths() })
  }

  /** Makes the routes of a configuration. A pool opens its connections when it is used: one that is not costs nothing. */
  prepare({ models, gateway }: Config): PreparedRoutes {
    const before = this.#built
    const after = new Map<string, BuiltPool>()
    for (const [name, config] of Object.entries(models.pools)) {
      after.set(name, this.#build(name, config, gateway.traffic.stream, before.get(name)))
    }
    const routes = Object.entries(models.models).map(([model, config]): ModelRoute => {
      const { pool } = after.get(config.pool) as BuiltPool
      return { model, upstreamModel: config.upstreamModel ?? model, pool }
    })
    return {
      upstreams: createUpstreams(routes),
      takeOver: () => {
        this.#built = after
        return () => closeAll([...before].filter(([name, old]) => after.get(name) !== old))
      },
    }
  }

  async close(): Promise<void> {
    await closeAll([...this.#built])
  }

  #build(name: string, config: PoolConfig, timeouts: Timeouts, old: BuiltPool | undefined): BuiltPool {
    const tls = readUpstreamTls(config.tls, this.#clock.now())
    const key = config.apiKeyFile === undefined ? undefined : readApiKey(config.apiKeyFile)
    const madeFrom = connectionDigest([config, timeouts], tls, key)
    if (old?.madeFrom === madeFrom) return old
    const endpoints = config.endpoints.map((origin) =>
      createEndpoint({
        origin: origin.replace(/\/$/, ''),
        tls,
        apiKey: () => key?.reveal(),
        keepAlive: config.keepAlive ? 'on' : 'off',
        connectionsMax: config.connectionsMax,
        connectTimeoutMs: config.timeouts.connectMs,
        firstByteTimeoutMs: config.timeouts.firstByteMs ?? timeouts.firstByteTimeoutMs,
        idleTimeoutMs: config.timeouts.idleMs ?? timeouts.idleTimeoutMs,
        observer: {
          connected: (ms) => this.#metrics.upstreamConnected(name, ms),
          retried: () => this.#metrics.upstreamRetried(name),
          answered: (status, ms) => this.#metrics.upstreamAnswered(name, status, ms),
        },
      }),
    )
    const turns = new EndpointTurns(endpoints, this.#queue(name, config))
    return { madeFrom, pool: { name, server: config.server, endpoints, turns } }
  }

  #queue(name: string, { connectionsMax, endpoints, queue: bounds }: PoolConfig): FairQueue {
    return new FairQueue({
      name,
      places: connectionsMax * endpoints.length,
      bounds,
      clock: this.#clock,
      observer: {
        waited: (priority, waitMs) => this.#metrics.upstreamWaited(name, priority, waitMs),
        refused: (reason) => this.#metrics.upstreamWaitRefused(name, reason),
      },
    })
  }

  *#depths() {
    for (const [pool, { pool: built }] of this.#built) {
      const { held: turns, waiting } = built.turns.queue
      yield { pool, turns, waiting }
    }
  }
}

async function closeAll(pools: readonly (readonly [string, BuiltPool])[]): Promise<void> {
  const endpoints = pools.flatMap(([, { pool }]) => pool.endpoints)
  await Promise.all(endpoints.map((endpoint) => endpoint.close().catch(() => {})))
}
