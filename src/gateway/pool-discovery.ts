import type { Clock } from '../clock.ts'
import type { PoolConfig } from '../config/schema/models.ts'
import type { Events } from '../telemetry/events.ts'
import type { PoolMetrics } from '../telemetry/pool-metrics.ts'
import type { DiscoveredEndpoint } from '../upstream/discovery/discovered.ts'
import { DnsEndpoints } from '../upstream/discovery/dns-endpoints.ts'
import type { DnsSource } from '../upstream/discovery/dns-reading.ts'
import type { ServerPool } from '../upstream/server-pool.ts'

type DiscoveryConfig = NonNullable<PoolConfig['discovery']>

interface FollowParts {
  readonly clock: Clock
  readonly metrics: PoolMetrics
  readonly events: Pick<Events, 'upstreamServers' | 'upstreamLookup'>
}

/** Keeps the servers of a pool those that the name service names. Begins at once. */
export function followServers(
  pool: ServerPool,
  discovery: DiscoveryConfig,
  parts: FollowParts,
): DnsEndpoints {
  const { clock, metrics, events } = parts
  let failing: string | undefined
  return new DnsEndpoints({
    ...lookupOf(discovery, clock),
    refreshMsMin: discovery.refreshMsMin,
    refreshMsMax: discovery.refreshMsMax,
    observer: {
      read: ({ result, code, kept, refused, cut }) => {
        metrics.lookedUp(result)
        const problem = [result === 'ok' ? '' : `${result} ${code ?? ''}`.trim(), ...faultsOf(refused, cut)]
          .filter((text) => text !== '')
          .join(', ')
        // Said once for a row of lookups that went the same way; each of them is counted.
        if (problem !== failing) events.upstreamLookup(pool.name, problem, kept)
        failing = problem
      },
      changed: ({ endpoints, added, removed }) => {
        events.upstreamServers(pool.name, originsOf(added), originsOf(removed))
        pool.adopt(endpoints)
      },
    },
  })
}

const originsOf = (endpoints: readonly { readonly origin: string }[]): string[] =>
  endpoints.map(({ origin }) => origin)

const faultsOf = (refused: Readonly<Partial<Record<string, number>>>, cut: number): string[] => [
  ...Object.entries(refused).map(([fault, count]) => `${count} addresses refused: ${fault}`),
  ...(cut > 0 ? [`${cut} servers above endpointsMax left out`] : []),
]

/** Who the servers are now: asked once, for a look around. */
export async function serversNow(
  discovery: DiscoveryConfig,
  clock: Clock,
): Promise<readonly DiscoveredEndpoint[]> {
  const asked = new DnsEndpoints({ ...lookupOf(discovery, clock), observer: { changed: () => {} } })
  await asked.ready
  await asked.close()
  return asked.endpoints
}

const lookupOf = (discovery: DiscoveryConfig, clock: Clock) => ({
  clock,
  random: Math.random,
  source: sourceOf(discovery),
  servers: discovery.nameservers,
  endpointsMax: discovery.endpointsMax,
})

function sourceOf({ kind, name, scheme, port, families }: DiscoveryConfig): DnsSource {
  const shared = { name, scheme, families }
  // The check of the configuration has seen to it that the port is there.
  return kind === 'srv' ? { ...shared, kind } : { ...shared, kind, port: port ?? 443 }
}
