import type { Server } from 'node:https'

/**
 * Ends a listener without cutting what is under way.
 *
 * 1. `delayMs` passes with readiness off and the listener open: the cluster takes the endpoint out of rotation first.
 *    It passes whether or not anything is under way, because callers are sent here until the cluster has noticed.
 * 2. The listener closes. Replies say `connection: close`; connections that fall idle are swept, because Node would
 *    otherwise wait out their keep-alive (measured: 70 s; fastify issue 7044).
 * 3. Exchanges run to their end or to the deadline; then they are cut, which still ends each stream with an error event.
 * 4. `CUT_GRACE_MS` after the cut every connection is destroyed: a caller who does not read holds up nobody.
 * 5. Returns when every exchange is accounted for, at the latest `CUT_GRACE_MS` after that.
 */
export interface DrainOptions {
  readonly delayMs: number
  readonly deadlineMs: number
  sleep(ms: number): Promise<void>
  now(): number
  inFlight(): number
  cutAll(): void
  /** Destroys every connection, also those that are still in their handshake. */
  destroyAll(): void
}

const SWEEP_MS = 100
const CUT_GRACE_MS = 2_000

/** Returns how many exchanges were cut at the deadline. */
export async function drain(
  server: Pick<Server, 'close' | 'closeIdleConnections'>,
  options: DrainOptions,
): Promise<number> {
  await options.sleep(options.delayMs)
  server.close()
  await settle(server, options, options.deadlineMs)
  const cut = options.inFlight()
  if (cut > 0) {
    options.cutAll()
    await settle(server, options, CUT_GRACE_MS)
  }
  options.destroyAll()
  // Those who did not read what they were sent learn of it only now; their exchanges are still to be recorded.
  await settle(server, options, CUT_GRACE_MS)
  return cut
}

async function settle(
  server: Pick<Server, 'closeIdleConnections'>,
  options: DrainOptions,
  patienceMs: number,
): Promise<void> {
  const until = options.now() + patienceMs
  server.closeIdleConnections()
  while (options.inFlight() > 0 && options.now() < until) {
    await options.sleep(Math.min(SWEEP_MS, until - options.now()))
    server.closeIdleConnections()
  }
}
