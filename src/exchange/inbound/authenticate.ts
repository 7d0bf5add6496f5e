import type { PeerCertificate, Principal } from '../../identity/principal.ts'
import { Refusal } from '../../refusal.ts'
import type { Arrival } from '../arrival.ts'

/** Verifies a bearer token together with the certificate it came over. Throws a Refusal, never anything else. */
export interface Authenticator {
  authenticate(authorization: string | undefined, peer: PeerCertificate): Promise<Principal>
}

interface BindingRule {
  requiresBinding(principal: Principal): boolean
}

/** Peer certificate and bearer token -> Principal. */
export async function authenticate(
  arrival: Arrival,
  headers: { readonly authorization: string | undefined },
  { identity, policy }: { readonly identity: Authenticator; readonly policy: BindingRule },
): Promise<Principal> {
  const principal = await identity.authenticate(headers.authorization, arrival.peer())
  if (!principal.bound && policy.requiresBinding(principal)) {
    throw new Refusal('invalid_token', 'binding_required')
  }
  return principal
}
