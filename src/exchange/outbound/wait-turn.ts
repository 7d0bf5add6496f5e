import type { Permit } from '../../policy/permit.ts'
import type { ModelRoute, ServerKind } from '../../upstream/pool.ts'
import type { Target } from '../../upstream/upstream.ts'
import type { Trail } from '../trail.ts'

export interface Route extends Target {
  readonly server: ServerKind
}

/** A place at the pool, held until it is disposed of: by then the reply has been relayed and metered, or never will be. */
export interface HeldTurn extends Disposable {
  readonly target: Route
  /** Output tokens that came since the last call. */
  produced(tokens: number): void
}

/**
 * ModelRoute -> a place at one of its servers: at once while one is free, otherwise when it is the tenant's turn. Ends
 * with the exchange: its time, its caller and a drain end the wait, too.
 */
export async function waitTurn(
  { pool, upstreamModel }: ModelRoute,
  { principal, priority, weight }: Pick<Permit, 'principal' | 'priority' | 'weight'>,
  trail: Pick<Trail, 'elapsedMs' | 'reservation' | 'relayed'>,
  { totalTimeoutMs }: { readonly totalTimeoutMs: number },
  signal: AbortSignal,
): Promise<HeldTurn> {
  const turn = await pool.turns.take(
    {
      tenant: principal.tenant,
      weight,
      priority,
      inputTokens: trail.reservation?.inputTokens ?? 0,
      waitMsMax: totalTimeoutMs - trail.elapsedMs,
    },
    signal,
  )
  return {
    target: { pool: pool.name, server: pool.server, upstreamModel, endpoint: turn.endpoint },
    produced: (tokens) => turn.produced(tokens),
    [Symbol.dispose]: () => turn.end(trail.relayed?.usage),
  }
}
