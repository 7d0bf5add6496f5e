import type { Permit } from '../../policy/permit.ts'
import { Refusal } from '../../refusal.ts'
import { leastLoaded, type ServerKind, type Upstreams } from '../../upstream/pool.ts'
import type { Target } from '../../upstream/upstream.ts'

export interface Route extends Target {
  readonly server: ServerKind
}

/** Permit -> Target: the pool that serves the model, and the endpoint of it that is the least busy. */
export function route(permit: Permit, upstreams: Upstreams): Route {
  const found = upstreams.routeOf(permit.model)
  const endpoint = found && leastLoaded(found.pool)
  if (!found || !endpoint) throw new Refusal('upstream_unavailable', 'no endpoint for the model')
  return { pool: found.pool.name, server: found.pool.server, upstreamModel: found.upstreamModel, endpoint }
}
