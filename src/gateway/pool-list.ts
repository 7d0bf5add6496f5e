import type { AdminValue } from '../config/schema/admin-api.ts'
import type { EndpointSnapshot } from '../upstream/pool.ts'
import type { Upstreams } from '../upstream/routes.ts'

type PoolList = AdminValue<'PoolList'>

/** What operators are shown of the pools. */
export function poolListOf(upstreams: Upstreams | undefined): PoolList {
  const pools = upstreams?.pools ?? []
  return {
    pools: pools.map((pool) => {
      const { name, server, places, held, waiting, panics, endpoints } = pool.snapshot()
      const models = upstreams?.modelsOf(pool) ?? []
      return {
        ...{ name, server, models: [...models], places, in_flight: held, waiting, panic: panics },
        endpoints: endpoints.map(shown),
      }
    }),
  }
}

const shown = (endpoint: EndpointSnapshot): PoolList['pools'][number]['endpoints'][number] => ({
  origin: endpoint.origin,
  state: endpoint.state,
  held_by: endpoint.heldBy,
  share: Math.round(endpoint.share * 1000) / 1000,
  since_ms: Math.round(endpoint.sinceMs),
  wait_ms: Math.round(endpoint.waitMs),
  failures: endpoint.failures,
  ejections: endpoint.ejections,
  in_flight: endpoint.held,
  limit: endpoint.limit,
  load_tokens: Math.round(endpoint.load),
})
