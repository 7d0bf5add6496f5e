import { decodeBase64url } from './base64url.ts'
import { isPrintable } from './printable.ts'
import { isJsonObject, type JsonObject, member, parseStrictJson } from './strict-json.ts'
import { tokenRefusal } from './token-refusal.ts'

/** Longest token that is looked at. A token with the roles of a large organization has 2 to 4 KiB. */
export const tokenBytesMax = 8192
const headerBounds = { bytesMax: 2048, depthMax: 4 }
export const keyIdLengthMax = 256

/**
 * Header members that bring their own key or change how the rest is read. `crit` and `b64` name extensions
 * (RFC 7515 section 4.1.11, RFC 7797) of which this gateway has none; `enc` and `zip` belong to JWE. Other unknown
 * members mean nothing (RFC 7515 section 4) and nothing here reads them.
 */
const forbiddenMembers = ['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc', 'epk'] as const

export interface JwsHeader {
  readonly alg: string
  readonly kid: string | undefined
  readonly typ: string | undefined
}

/** A compact JWS that is well formed. Nothing in it has been verified. */
export interface UnverifiedJws {
  readonly header: JwsHeader
  readonly payload: Uint8Array
  readonly signingInput: Uint8Array
  readonly signature: Uint8Array
}

/** A key that knows which algorithms it is for: the token never decides how a key is used. */
export interface JwsKey {
  readonly kid: string | undefined
  readonly algorithms: readonly string[]
  verifies(algorithm: string, signingInput: Uint8Array, signature: Uint8Array): boolean
}

/** Reads a JWS in compact form, in its one strict spelling. Throws `invalid_token`. */
export function parseJws(token: string): UnverifiedJws {
  if (token.length > tokenBytesMax) throw tokenRefusal('token_too_long')
  const parts = token.split('.', 4)
  const [header, payload, signature] = parts.map(decodeBase64url)
  if (parts.length !== 3 || !header || !payload || !signature) throw tokenRefusal('malformed_token')
  if (header.length === 0 || signature.length === 0) throw tokenRefusal('malformed_token')
  return {
    header: readHeader(header),
    payload,
    signingInput: Buffer.from(token.slice(0, token.lastIndexOf('.')), 'latin1'),
    signature,
  }
}

/**
 * Verifies the signature with this key and no other algorithm than `allowed` and the key itself permit. Returns the
 * algorithm.
 */
export function verifyJws<Algorithm extends string>(
  jws: UnverifiedJws,
  key: JwsKey,
  allowed: readonly Algorithm[],
): Algorithm {
  const { alg, kid } = jws.header
  const algorithm = allowed.find((each) => each === alg)
  if (algorithm === undefined || !key.algorithms.includes(alg)) throw tokenRefusal('algorithm_not_allowed')
  if (kid !== undefined && key.kid !== undefined && kid !== key.kid) throw tokenRefusal('unknown_key')
  if (!key.verifies(alg, jws.signingInput, jws.signature)) throw tokenRefusal('bad_signature')
  return algorithm
}

function readHeader(bytes: Uint8Array): JwsHeader {
  const header = parseHeader(bytes)
  if (forbiddenMembers.some((name) => Object.hasOwn(header, name))) throw tokenRefusal('forbidden_header')
  const alg = member(header, 'alg')
  if (!isPrintable(alg, 16)) throw tokenRefusal('bad_header')
  return { alg, kid: optional(header, 'kid', keyIdLengthMax), typ: optional(header, 'typ', 64) }
}

function parseHeader(bytes: Uint8Array): JsonObject {
  let header: unknown
  try {
    header = parseStrictJson(bytes, headerBounds)
  } catch {
    throw tokenRefusal('bad_header')
  }
  if (!isJsonObject(header)) throw tokenRefusal('bad_header')
  return header
}

function optional(header: JsonObject, name: string, lengthMax: number): string | undefined {
  const value = member(header, name)
  if (value !== undefined && !isPrintable(value, lengthMax)) throw tokenRefusal('bad_header')
  return value
}
