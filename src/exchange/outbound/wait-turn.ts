import type { Permit } from '../../policy/permit.ts'
import type { Place, PlaceAsked } from '../../upstream/pool.ts'
import type { Leg } from '../../upstream/routes.ts'
import type { Trail } from '../trail.ts'

export type Waiting = Pick<Permit, 'principal' | 'priority' | 'weight'>

/** What is known of a call beside whose it is. */
export type Asked = Pick<PlaceAsked, 'stream' | 'prefix' | 'tried'>

/** What the pool is told of an exchange that asks for a place. */
export const placeAsked = (
  { principal, priority, weight }: Waiting,
  asked: Asked,
  trail: Pick<Trail, 'elapsedMs' | 'reservation'>,
  totalTimeoutMs: number,
): PlaceAsked => ({
  ...asked,
  tenant: principal.tenant,
  weight,
  priority,
  inputTokens: trail.reservation?.inputTokens ?? 0,
  outputTokens: trail.reservation?.outputTokens ?? 0,
  waitMsMax: totalTimeoutMs - trail.elapsedMs,
})

/**
 * Leg -> a place at one of its servers: at once while one is free, otherwise when it is the tenant's turn. Ends with the
 * exchange: its time, its caller and a drain end the wait, too.
 */
export const waitTurn = ({ pool }: Leg, asked: PlaceAsked, signal: AbortSignal): Promise<Place> =>
  pool.take(asked, signal)
