import type { Clock } from '../clock.ts'
import type { PoolConfig } from '../config/schema/models.ts'
import type { PoolMetrics } from '../telemetry/pool-metrics.ts'
import { ActiveProbe, probeBounds } from '../upstream/health/active-probe.ts'
import { Scrape } from '../upstream/load/scrape.ts'
import { loadSeries } from '../upstream/load/server-metrics.ts'
import type { Member } from '../upstream/member.ts'
import type { ServerPool } from '../upstream/server-pool.ts'
import type { EndpointHandle, StatusPath } from '../upstream/upstream.ts'

export interface PoolWatchParts {
  readonly clock: Clock
  readonly metrics: PoolMetrics
  readonly config: PoolConfig
}

/** Begins what runs beside the calls of a server: whether it is alive, and how busy it says that it is. */
export function watchMember(member: Member, pool: ServerPool, parts: PoolWatchParts): void {
  const { config, clock, metrics } = parts
  const shared = { clock, random: Math.random }
  const health = pool.health.healthOf(member.origin)
  if (config.health.probe && health !== undefined) {
    member.watches.push(
      new ActiveProbe({
        ...{ ...shared, server: config.server, health, bounds: boundsOf(config) },
        request: (path, signal) => statusOf(member.endpoint, path, signal),
        observer: (verdict) => metrics.probed(verdict),
      }),
    )
  }
  const series = loadSeries[config.server]
  if (config.balance.loadReports && series !== undefined) {
    const scrape = new Scrape({
      ...{ ...shared, series },
      get: (_path, signal) => member.endpoint.get('/metrics', signal),
      // One server has all calls whatever it says, and nobody chooses while nobody calls.
      isIdle: () => pool.members.length < 2 || pool.queue.held === 0,
      observe: ({ result }) => {
        metrics.loadReported(result)
        if (result === 'ok' && scrape.latest !== undefined) member.load.reported(scrape.latest)
      },
    })
    member.watches.push(scrape)
  }
}

const boundsOf = ({ health }: PoolConfig) => ({
  intervalMs: health.probeIntervalMs,
  ejectedIntervalMs: Math.min(probeBounds.ejectedIntervalMs, health.probeIntervalMs),
  timeoutMs: health.probeTimeoutMs,
})

async function statusOf(endpoint: EndpointHandle, path: StatusPath, signal: AbortSignal): Promise<number> {
  const { status, body } = await endpoint.get(path, signal)
  // What it says does not matter; leaving it early closes the connection.
  for await (const _chunk of body) break
  return status
}
