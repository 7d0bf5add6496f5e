// An issuer of tokens of its own: load tests rotate its keys, so `sallyport token` is not enough.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'

export const issuerName = 'https://issuer.load.test'
export const audience = 'sallyport'
const LIFETIME_SECONDS = 3_600

export interface Issuer {
  /** The public key, for a JWKS. */
  readonly jwk: object
  /** A compact JWS (RFC 7515) for a caller of that tenant, good for an hour. */
  token(tenant: string): string
}

export function makeIssuer(kid: string): Issuer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' },
    token: (tenant) => {
      const now = Math.floor(Date.now() / 1000)
      const claims = { iss: issuerName, aud: audience, sub: 'caller', tenant, roles: ['app'] }
      const times = { iat: now, exp: now + LIFETIME_SECONDS, jti: randomUUID() }
      const input = `${encode({ alg: 'ES256', kid, typ: 'at+jwt' })}.${encode({ ...claims, ...times })}`
      const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return `${input}.${signature.toString('base64url')}`
    },
  }
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
