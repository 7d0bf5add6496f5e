// Tokens of callers of several tenants and roles, in files that are replaced when the key of the issuer is.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { audience, type Issuer, issuerName } from '../deploy/issuer.ts'
import type { Caller } from '../k6/settings.ts'

const LIFETIME_SECONDS = 3_600

/** An issuer whose tokens bear roles, beside `loadtest/deploy/issuer.ts`, whose callers have one. */
export interface RolesIssuer extends Issuer {
  tokenFor(tenant: string, role: string): string
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export function makeRolesIssuer(kid: string): RolesIssuer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const tokenFor = (tenant: string, role: string): string => {
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: issuerName, aud: audience, sub: `${tenant}-${role}`, tenant, roles: [role] }
    const times = { iat: now, exp: now + LIFETIME_SECONDS, jti: randomUUID() }
    const input = `${encode({ alg: 'ES256', kid, typ: 'at+jwt' })}.${encode({ ...claims, ...times })}`
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return `${input}.${signature.toString('base64url')}`
  }
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' },
    token: (tenant) => tokenFor(tenant, 'app'),
    tokenFor,
  }
}

export type CallerKind = Pick<Caller, 'tenant' | 'role' | 'weight'>

/** Gives each caller a token in a file of its own; called again, it replaces them all. */
export function giveTokens(folder: string, kinds: readonly CallerKind[], issuer: RolesIssuer): Caller[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return kinds.map((kind) => {
    const token = issuer.tokenFor(kind.tenant, kind.role)
    const tokenFile = join(folder, `${kind.tenant}-${kind.role}.jwt`)
    writeFileSync(`${tokenFile}.new`, token, { mode: 0o600 })
    renameSync(`${tokenFile}.new`, tokenFile)
    return { ...kind, token, tokenFile }
  })
}
