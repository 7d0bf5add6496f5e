import type { Server } from 'node:https'

/**
 * Ends a listener without cutting what is under way.
 *
 * 1. `delayMs` passes with readiness off and the listener open: the cluster takes the endpoint out of rotation first.
 * 2. The listener closes. Replies say `connection: close`; connections that fall idle are swept, because Node would
 *    otherwise wait out their keep-alive (measured: 70 s; fastify issue 7044).
 * 3. Exchanges run to their end or to the deadline; then they are cut, which still ends each stream with an error event.
 * 4. Returns when no exchange is left, at the latest `CUT_GRACE_MS` after the cut.
 */
export interface DrainOptions {
  readonly delayMs: number
  readonly deadlineMs: number
  sleep(ms: number): Promise<void>
  now(): number
  inFlight(): number
  cutAll(): void
}

const SWEEP_MS = 100
const CUT_GRACE_MS = 2_000

/** Returns how many exchanges were cut at the deadline. */
export async function drain(server: Server, options: DrainOptions): Promise<number> {
  await options.sleep(options.delayMs)
  server.close()
  const deadline = options.now() + options.deadlineMs
  await settle(server, options, deadline)
  const cut = options.inFlight()
  if (cut > 0) {
    options.cutAll()
    await settle(server, options, options.now() + CUT_GRACE_MS)
  }
  server.closeAllConnections()
  return cut
}

async function settle(server: Server, options: DrainOptions, until: number): Promise<void> {
  server.closeIdleConnections()
  while (options.inFlight() > 0 && options.now() < until) {
    await options.sleep(SWEEP_MS)
    server.closeIdleConnections()
  }
}
