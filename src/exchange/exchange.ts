import type { Arrival, Client } from './arrival.ts'
import { admit } from './inbound/admit.ts'
import { authenticate } from './inbound/authenticate.ts'
import { authorize } from './inbound/authorize.ts'
import { detectInjection } from './inbound/detect-injection.ts'
import { findEndpoint } from './inbound/find-endpoint.ts'
import { inspect } from './inbound/inspect.ts'
import { parseCall } from './inbound/parse-call.ts'
import { readBody } from './inbound/read-body.ts'
import { reserve, reserveRequest } from './inbound/reserve.ts'
import { screenPrompt } from './inbound/screen-prompt.ts'
import { reach } from './outbound/reach.ts'
import { route } from './outbound/route.ts'
import type { Gateway } from './parts.ts'
import { listModels } from './relay/list-models.ts'
import { refuse } from './relay/refuse.ts'
import { relay } from './relay/relay.ts'
import { close } from './settle/close.ts'
import { countRequest } from './settle/count-request.ts'
import { recordAdmission } from './settle/record-audit.ts'
import { settling } from './settle/settle-quota.ts'
import { openTrail } from './trail.ts'

/**
 * The path of a request, whole. The lifetime of the exchange is the lifetime of this function: it returns when the
 * last byte has left or the caller has gone, and `finally` is the one place where it is accounted for.
 */
export async function exchange(arrival: Arrival, client: Client, gateway: Gateway): Promise<void> {
  const trail = openTrail(arrival, gateway)
  using life = gateway.lives.begin(client)
  life.limit(gateway.stream.totalTimeoutMs)
  try {
    const headers = inspect(arrival)
    const principal = trail.authenticated(await authenticate(arrival, headers, gateway))
    life.belongsTo(principal)
    await using admission = settling(trail.admitted(admit(trail.id, principal, gateway)), trail)
    try {
      const destination = findEndpoint(arrival, principal, gateway.policy)
      if (destination.endpoint === 'models') {
        trail.reserved(await reserveRequest(admission, principal, gateway))
        return await listModels(principal, destination, client, trail, gateway)
      }
      using share = gateway.bodies.share(gateway.bounds.bodiesBytesMax)
      const body = trail.read(await readBody(arrival.body, headers, gateway.bounds, share, life.signal))
      const call = trail.parsed(parseCall(destination.endpoint, body, gateway))
      const permit = trail.permitted(authorize(principal, call, gateway))
      trail.examined(await detectInjection(permit, gateway, life.signal))
      const screened = trail.screened(await screenPrompt(permit, gateway, life.signal))
      const reserved = trail.reserved(await reserve(admission, permit, screened, gateway))
      const itinerary = trail.routed(route(permit, trail, gateway))
      await recordAdmission(trail, gateway, life.signal)
      await using answer = await reach(itinerary, { screened, permit, reserved, trail }, gateway, life)
      share.release()
      await relay(trail.answered(answer), screened, permit, client, trail, gateway, life.signal)
    } catch (error) {
      // Told while the slot is still held: a caller who reads a refusal slowly is in flight, too.
      const refusal = trail.failed(error)
      await countRequest(admission, trail)
      await refuse(refusal, client, trail, gateway)
    }
  } catch (error) {
    await refuse(trail.refusedEarly(error, gateway.refusalRecords), client, trail, gateway)
  } finally {
    await close(trail, gateway)
  }
}
