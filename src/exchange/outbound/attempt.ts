import type { Permit } from '../../policy/permit.ts'
import type { Reservation } from '../../quota/quota.ts'
import { blameOf, blameOfReply } from '../../upstream/blame.ts'
import { orcaResponseHeader } from '../../upstream/load/orca.ts'
import type { Place } from '../../upstream/pool.ts'
import type { Leg } from '../../upstream/routes.ts'
import type { UpstreamAnswer } from '../../upstream/upstream.ts'
import type { ScreenedCall } from '../inbound/screen-prompt.ts'
import type { Trail } from '../trail.ts'
import { dispatch, type Target } from './dispatch.ts'

/** What a call needs to be sent, whichever server it goes to. */
export interface Outgoing {
  readonly screened: ScreenedCall
  readonly permit: Permit
  readonly reserved: Pick<Reservation, 'outputTokensMax'>
  readonly trail: Trail
}

/**
 * An answer, and the place at the server that it comes from. Disposing it ends whatever still runs there and gives the
 * place back; by then the reply has been relayed and metered, or never will be.
 */
export interface HeldAnswer extends UpstreamAnswer {
  readonly target: Target
  /** Output tokens that came since the last call. */
  produced(tokens: number): void
  /** The reply ended with this error: it may be the server's fault. */
  failed(error: unknown): void
}

/** Place -> Answer, once. The place is given back when it fails. */
export async function attempt(
  leg: Leg,
  place: Place,
  { screened, permit, reserved, trail }: Outgoing,
  signal: AbortSignal,
): Promise<HeldAnswer> {
  const target: Target = {
    pool: leg.pool.name,
    server: leg.pool.server,
    upstreamModel: leg.upstreamModel,
    endpoint: place.endpoint,
    cacheSalt: leg.pool.cacheSaltOf(permit.principal.tenant),
  }
  try {
    const told = (answer: UpstreamAnswer): void =>
      place.answered(answer.status, answer.headers[orcaResponseHeader])
    const answer = await dispatch(
      target,
      screened,
      permit,
      reserved,
      { id: trail.id, sent: (t) => trail.sent(t), told },
      signal,
    )
    return held(answer, target, place, trail)
  } catch (error) {
    place.end(signal.aborted ? 'abandoned' : blameOf(error))
    throw error
  }
}

function held(answer: UpstreamAnswer, target: Target, place: Place, trail: Trail): HeldAnswer {
  let blame: unknown
  return {
    ...answer,
    target,
    produced: (tokens) => place.produced(tokens),
    failed: (error) => {
      blame = error
    },
    async [Symbol.asyncDispose]() {
      place.end(blame === undefined ? 'answered' : blameOfReply(blame), trail.relayed?.usage)
      await answer[Symbol.asyncDispose]()
    },
  }
}
