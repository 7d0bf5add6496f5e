import { constants, createPublicKey, type JsonWebKeyInput, type KeyObject, verify } from 'node:crypto'
import {
  curves,
  isCurveName,
  isSignatureAlgorithm,
  rsaAlgorithms,
  type SignatureAlgorithm,
} from './algorithm.ts'
import { decodeBase64url } from './base64url.ts'
import { type JwsKey, keyIdLengthMax } from './jws.ts'
import { isPrintable } from './printable.ts'
import { type JsonObject, member } from './strict-json.ts'
import { isWeakRsa } from './weak-rsa.ts'

/** An issuer's public key, with the algorithms that its type, curve and `alg` leave. */
export interface PublicKey extends JwsKey {
  readonly algorithms: readonly SignatureAlgorithm[]
  /** SubjectPublicKeyInfo, PEM: the form in which the second verifier takes it. */
  readonly pem: string
}

/** Why a key of a set is left out; a token that names it is refused like one that names no key. */
export type UnusableKey =
  | 'not_for_signing'
  | 'unknown_algorithm'
  | 'unsupported_type'
  | 'malformed_key'
  | 'weak_key'

/** Makes a verification key from a JWK (RFC 7517), or says why it is no use here. Does not look for private members. */
export function publicKeyFromJwk(jwk: JsonObject): PublicKey | UnusableKey {
  if (!isForSigning(jwk)) return 'not_for_signing'
  const kid = member(jwk, 'kid')
  if (kid !== undefined && !isPrintable(kid, keyIdLengthMax)) return 'malformed_key'
  const shape = readShape(jwk)
  if (typeof shape === 'string') return shape
  const alg = member(jwk, 'alg')
  const algorithms = alg === undefined ? shape.algorithms : shape.algorithms.filter((each) => each === alg)
  if (algorithms.length === 0) return 'unknown_algorithm'
  try {
    return publicKey(createPublicKey({ key: shape.key, format: 'jwk' }), kid, algorithms)
  } catch {
    return 'malformed_key' // e.g. a point that is not on its curve
  }
}

const pemShape = /^\s*-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\r\n]+-----END PUBLIC KEY-----\s*$/

/** Makes a verification key without a key id from one PEM public key. A private key or a certificate is not one. */
export function publicKeyFromPem(text: string): PublicKey | UnusableKey {
  // Node would derive the public key of a private one; a private key in this place is a leak to shout about.
  if (!pemShape.test(text)) return 'malformed_key'
  try {
    const jwk = createPublicKey(text).export({ format: 'jwk' })
    return publicKeyFromJwk({ ...jwk })
  } catch {
    return 'unsupported_type'
  }
}

interface Shape {
  readonly key: JsonWebKeyInput['key']
  readonly algorithms: readonly SignatureAlgorithm[]
}

function isForSigning(jwk: JsonObject): boolean {
  const use = member(jwk, 'use')
  const operations = member(jwk, 'key_ops')
  if (use !== undefined && use !== 'sig') return false
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

function readShape(jwk: JsonObject): Shape | UnusableKey {
  const alg = member(jwk, 'alg')
  if (alg !== undefined && !isSignatureAlgorithm(alg)) return 'unknown_algorithm'
  switch (member(jwk, 'kty')) {
    case 'RSA':
      return readRsa(jwk)
    case 'EC':
      return readEc(jwk)
    case 'OKP':
      return readOkp(jwk)
    default:
      return 'unsupported_type'
  }
}

function readRsa(jwk: JsonObject): Shape | UnusableKey {
  const n = bytesOf(jwk, 'n')
  const e = bytesOf(jwk, 'e')
  if (!n || !e) return 'malformed_key'
  if (isWeakRsa(n, e)) return 'weak_key'
  const key = { kty: 'RSA', n: n.toString('base64url'), e: e.toString('base64url') }
  return { key, algorithms: rsaAlgorithms }
}

function readEc(jwk: JsonObject): Shape | UnusableKey {
  const crv = member(jwk, 'crv')
  if (!isCurveName(crv)) return 'unsupported_type'
  const { algorithm, coordinateBytes } = curves[crv]
  const x = bytesOf(jwk, 'x')
  const y = bytesOf(jwk, 'y')
  if (x?.length !== coordinateBytes || y?.length !== coordinateBytes) return 'malformed_key'
  const key = { kty: 'EC', crv, x: x.toString('base64url'), y: y.toString('base64url') }
  return { key, algorithms: [algorithm] }
}

function readOkp(jwk: JsonObject): Shape | UnusableKey {
  if (member(jwk, 'crv') !== 'Ed25519') return 'unsupported_type'
  const x = bytesOf(jwk, 'x')
  if (x?.length !== 32) return 'malformed_key'
  return { key: { kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') }, algorithms: ['EdDSA'] }
}

function bytesOf(jwk: JsonObject, name: string): Buffer | undefined {
  const text = member(jwk, name)
  const bytes = typeof text === 'string' ? decodeBase64url(text) : undefined
  return bytes?.length === 0 ? undefined : bytes
}

function publicKey(
  key: KeyObject,
  kid: string | undefined,
  algorithms: readonly SignatureAlgorithm[],
): PublicKey {
  return {
    kid,
    algorithms,
    pem: key.export({ type: 'spki', format: 'pem' }).toString(),
    verifies: (algorithm, signingInput, signature) =>
      algorithms.some((each) => each === algorithm) && isSignedBy(key, algorithm, signingInput, signature),
  }
}

function isSignedBy(key: KeyObject, algorithm: string, input: Uint8Array, signature: Uint8Array): boolean {
  const digest = algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`
  // A JWS carries r and s side by side (RFC 7518 section 3.4); a DER signature has another length and fails.
  if (algorithm.startsWith('ES')) return verify(digest, input, { key, dsaEncoding: 'ieee-p1363' }, signature)
  if (!algorithm.startsWith('PS')) return verify(digest, input, key, signature)
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return verify(digest, input, { key, ...pss }, signature)
}
