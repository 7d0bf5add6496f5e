import type { Clock } from '../clock.ts'
import type { Config } from '../config/load.ts'
import { routesOf } from '../config/model-routes.ts'
import type { PoolConfig } from '../config/schema/models.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { PoolState } from '../telemetry/pool-metrics.ts'
import { createUpstreams, type ModelRoute, type Upstreams } from '../upstream/routes.ts'
import type { ServerPool } from '../upstream/server-pool.ts'
import { createPool } from './pool-parts.ts'
import { connectionDigest, readApiKey, readUpstreamTls } from './upstream-files.ts'

interface Timeouts {
  readonly firstByteTimeoutMs: number
  readonly idleTimeoutMs: number
}

/** A pool with what it was made from, so that a reload keeps the connections of a pool that did not change. */
interface BuiltPool {
  readonly madeFrom: string
  readonly pool: ServerPool
}

interface PoolsOptions {
  readonly metrics: Metrics
  readonly events: Events
  readonly clock: Clock
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
  readonly #events: Events
  readonly #clock: Clock
  #built = new Map<string, BuiltPool>()

  constructor({ metrics, events, clock }: PoolsOptions) {
    this.#metrics = metrics
    this.#events = events
    this.#clock = clock
    metrics.watch({ pools: () => this.#states() })
  }

  /** Makes the routes of a configuration. A pool opens its connections when it is used: one that is not costs nothing. */
  prepare({ models, gateway }: Config): PreparedRoutes {
    const before = this.#built
    const after = new Map<string, BuiltPool>()
    for (const [name, config] of Object.entries(models.pools)) {
      after.set(name, this.#build(name, config, gateway.traffic.stream, before.get(name)))
    }
    const routes = Object.entries(models.models).map(([model, config]): ModelRoute => {
      const legs = routesOf(model, config).map(({ pool, ...route }) => ({
        ...route,
        pool: (after.get(pool) as BuiltPool).pool,
      }))
      return { model, legs, stickyBy: config.stickyBy, hedge: config.hedge }
    })
    return {
      upstreams: createUpstreams(routes),
      takeOver: () => {
        this.#built = after
        for (const [name, { pool }] of after) if (before.get(name)?.pool !== pool) pool.start()
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
    const saltKey = config.cacheSaltKeyFile === undefined ? undefined : readApiKey(config.cacheSaltKeyFile)
    const madeFrom = connectionDigest([config, timeouts], tls, [key, saltKey])
    if (old?.madeFrom === madeFrom) return old
    const ingredients = { name, config, timeouts, tls, apiKey: key, saltKey }
    const surroundings = { clock: this.#clock, events: this.#events, metrics: this.#metrics.ofPool(name) }
    return { madeFrom, pool: createPool(ingredients, surroundings) }
  }

  *#states() {
    for (const { pool } of this.#built.values()) yield stateOf(pool)
  }
}

function stateOf(pool: ServerPool): PoolState {
  const { name, held: turns, waiting, places, panics, endpoints } = pool.snapshot()
  const byState = { healthy: 0, ejected: 0, probation: 0 }
  for (const { state } of endpoints) byState[state] += 1
  return { pool: name, turns, waiting, places, panics, endpoints: byState }
}

async function closeAll(pools: readonly (readonly [string, BuiltPool])[]): Promise<void> {
  await Promise.all(pools.map(([, { pool }]) => pool.close()))
}
