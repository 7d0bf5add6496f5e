import type { Permit } from '../../policy/permit.ts'
import { Refusal } from '../../refusal.ts'
import type { ModelRoute, Upstreams } from '../../upstream/pool.ts'

/** Permit -> the pool that serves the model, and its name there. */
export function route(permit: Permit, upstreams: Upstreams): ModelRoute {
  const found = upstreams.routeOf(permit.model)
  if (found === undefined || found.pool.endpoints.length === 0)
    throw new Refusal('upstream_unavailable', 'no endpoint for the model')
  return found
}
