import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { IssuerOptions } from '../../src/identity/issuer.ts'
import type { PeerCertificate } from '../../src/identity/principal.ts'

/** A throw-away ES256 key pair with a key id. */
export interface TokenKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: Readonly<Record<string, unknown>>
}

export function makeKey(kid: string): TokenKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' } }
}

export const jwksOf = (...keys: readonly TokenKey[]): Buffer =>
  Buffer.from(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }))

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Signs whatever it is given, objects or raw JSON text, with ES256. */
export function signToken(key: TokenKey, claims: unknown, header: unknown = headerOf(key)): string {
  const input = `${encode(header)}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

export const headerOf = (key: TokenKey) => ({ alg: 'ES256', kid: key.kid, typ: 'at+jwt' })

export const issuerUrl = 'https://idp.test'

/** Claims that pass, as of `now` in milliseconds. */
export function goodClaims(now: number, more: object = {}): Record<string, unknown> {
  const seconds = Math.floor(now / 1000)
  return {
    iss: issuerUrl,
    aud: 'gw',
    sub: 'a',
    tenant: 'blue',
    roles: ['chat'],
    jti: 'j1',
    iat: seconds,
    exp: seconds + 300,
    ...more,
  }
}

export function issuerOptions(keys: readonly TokenKey[], more: Partial<IssuerOptions> = {}): IssuerOptions {
  return {
    name: 'idp',
    issuer: issuerUrl,
    audience: 'gw',
    algorithms: ['ES256'],
    keys: { kind: 'file', read: () => jwksOf(...keys) },
    mapping: { tenant: { path: ['tenant'] }, roles: ['roles'] },
    ...more,
  }
}

export function peerWith(fingerprint: string): PeerCertificate {
  return {
    fingerprint,
    serial: '1',
    uris: [],
    dnsNames: [],
    spiffeId: undefined,
    notBefore: 0,
    notAfter: Number.MAX_SAFE_INTEGER,
  }
}

export const fingerprintA = 'A'.repeat(43)
export const fingerprintB = 'B'.repeat(43)

/** What a refused token throws, for `t.throws` and `t.rejects`. */
export const refusedAs = (detail: string) => ({ name: 'Refusal', code: 'invalid_token', detail })

/** What a refused key set or a failed fetch throws. */
export const faultOf = (fault: string) => ({ name: 'KeysRefused', fault })
