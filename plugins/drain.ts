import type { Server as HttpsServer } from 'node:https'
import { Server as NetServer } from 'node:net'

/**
 * Ends a listener without cutting what is under way.
 *
 * 1. `delayMs` passes with readiness off and the listener open: the cluster takes the endpoint out of rotation first.
 *    It passes whether or not anything is under way, because callers are sent here until the cluster has noticed.
 * 2. The listener closes, and nothing else: an open connection brings one more request at most, whose answer says
 *    `connection: close`. A connection that is closed when a stream of before has just ended on it meets the caller's
 *    next request, which then fails (measured: one in ten streams of a rolling restart).
 * 3. Exchanges run to their end or to the deadline; then they are cut, which still ends each stream with an error event.
 *    Whatever begins after that is cut as well.
 * 4. Connections are destroyed when nothing has been under way for `QUIET_MS` (`delayMs` where that is shorter: nobody
 *    is sent here by others), and `CUT_GRACE_MS` after a cut in any case: a caller who does not read holds up nobody.
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

const LOOK_MS = 100
const QUIET_MS = 1_000
const CUT_GRACE_MS = 2_000

/** Returns how many exchanges were cut at the deadline. */
export async function drain(server: HttpsServer, options: DrainOptions): Promise<number> {
  const quietMs = Math.min(QUIET_MS, options.delayMs)
  await options.sleep(options.delayMs)
  stopListening(server)
  await settle(options, { patienceMs: options.deadlineMs, quietMs })
  const cut = options.inFlight()
  if (cut > 0) await settle({ ...options, inFlight: () => cutAgain(options) }, { patienceMs: CUT_GRACE_MS })
  options.destroyAll()
  // Those who did not read what they were sent learn of it only now; their exchanges are still to be recorded.
  await settle(options, { patienceMs: CUT_GRACE_MS })
  return cut
}

/** `close` of an HTTP server would destroy every connection that is idle at this moment. */
const stopListening = (server: HttpsServer): void => void NetServer.prototype.close.call(server)

/** Also who came on an open connection since the last look. */
function cutAgain({ cutAll, inFlight }: DrainOptions): number {
  cutAll()
  return inFlight()
}

interface Patience {
  readonly patienceMs: number
  /** How long nothing must have been under way. */
  readonly quietMs?: number
}

async function settle(
  { now, sleep, inFlight }: DrainOptions,
  { patienceMs, quietMs = 0 }: Patience,
): Promise<void> {
  const startedAt = now()
  const until = startedAt + patienceMs
  let busyAt = startedAt
  while (now() < until) {
    if (inFlight() > 0) busyAt = now()
    else if (now() - busyAt >= quietMs) return
    await sleep(Math.min(LOOK_MS, until - now()))
  }
}
