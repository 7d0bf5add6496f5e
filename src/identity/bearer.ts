import { Refusal } from '../refusal.ts'
import { tokenBytesMax } from './jws.ts'
import { tokenRefusal } from './token-refusal.ts'

const scheme = 'Bearer '
// The b64token of RFC 6750 section 2.1. A comma is not in it, so two joined headers never pass.
const b64token = /^[A-Za-z0-9\-._~+/]+=*$/

/** Takes the token out of an `Authorization` header: `Bearer`, one space, the token, nothing else. */
export function bearerToken(authorization: string | undefined): string {
  if (authorization === undefined) throw new Refusal('missing_token', 'no_authorization')
  if (authorization.length > scheme.length + tokenBytesMax) throw tokenRefusal('token_too_long')
  const token = authorization.slice(scheme.length)
  // The scheme is case-insensitive (RFC 9110 section 11.1); the b64token's first character refuses a second space.
  const isBearer = authorization.slice(0, scheme.length).toLowerCase() === scheme.toLowerCase()
  if (!isBearer || !b64token.test(token)) throw tokenRefusal('bad_authorization')
  return token
}
