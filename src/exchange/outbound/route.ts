import type { Permit } from '../../policy/permit.ts'
import { Refusal } from '../../refusal.ts'
import { type Hedge, type Leg, legsFor, type Upstreams } from '../../upstream/routes.ts'
import type { StreamBounds } from '../parts.ts'
import type { Trail } from '../trail.ts'
import { placeAsked } from './wait-turn.ts'

/** The pools that a call may go to, in the order in which they are tried, and whether it may be hedged. */
export interface Itinerary {
  readonly legs: readonly Leg[]
  readonly hedge: Hedge | undefined
}

interface Rules {
  readonly upstreams: Upstreams
  readonly stream: Pick<StreamBounds, 'totalTimeoutMs'>
}

/**
 * Permit -> the pools that serve the model. A canary's callers are the same tenants, or the same part of all calls. A call
 * that its only pool would refuse anyway is refused here: in a flood nobody is to wait for a record of that.
 */
export function route(
  permit: Permit,
  trail: Pick<Trail, 'id' | 'elapsedMs' | 'reservation'>,
  { upstreams, stream }: Rules,
): Itinerary {
  const found = upstreams.routeOf(permit.model)
  const [only, ...others] = found?.legs ?? []
  if (found === undefined || only === undefined)
    throw new Refusal('upstream_unavailable', 'no pool for the model')
  if (others.length === 0) {
    const asked = { stream: permit.call.stream, prefix: [], tried: new Set<string>() }
    const refusal = only.pool.forbids(placeAsked(permit, asked, trail, stream.totalTimeoutMs))
    if (refusal !== undefined) throw refusal
  }
  const key = found.stickyBy === 'tenant' ? permit.principal.tenant : trail.id
  return { legs: legsFor(found, key), hedge: found.hedge }
}
