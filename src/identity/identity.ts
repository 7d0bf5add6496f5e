import { type Clock, systemClock } from '../clock.ts'
import { Refusal } from '../refusal.ts'
import { bearerToken } from './bearer.ts'
import { checkBinding } from './binding.ts'
import { type Claims, checkTimes, parsePayload, readClaims } from './claims.ts'
import { createIssuer, type Issuer, type IssuerOptions } from './issuer.ts'
import { parseJws, verifyJws } from './jws.ts'
import type { KeySet, KeysFault } from './key-set.ts'
import { agreeWithLibrary, type VerifyWithLibrary } from './library.ts'
import type { PeerCertificate, Principal } from './principal.ts'
import type { Revocations } from './revocation.ts'
import { member } from './strict-json.ts'
import { tokenRefusal } from './token-refusal.ts'
import { VerifiedTokens } from './verified-tokens.ts'

export interface IdentityOptions {
  readonly issuers: readonly IssuerOptions[]
  readonly verifyWithLibrary: VerifyWithLibrary
  /** The revocation list in force at this moment. */
  readonly revocations: () => Revocations
  readonly clock?: Clock
  /** Verified tokens that are remembered at most; 0 remembers none. */
  readonly rememberedTokensMax?: number
  /** Told of each attempt to have newer keys: for metrics and the log. Must not throw. */
  readonly onKeysRefresh?: (
    issuer: string,
    result: 'changed' | 'unchanged' | 'failed',
    fault?: KeysFault,
  ) => void
}

/** Knows every token issuer. A change of configuration makes a new one, with nothing remembered. */
export interface Identity {
  /**
   * Who sends this `Authorization` header over this certificate's connection. Throws a Refusal and nothing else:
   * `missing_token`, `invalid_token`, `token_revoked` or `keys_unavailable`; its `detail` is a `TokenReason`.
   */
  authenticate(authorization: string | undefined, peer: PeerCertificate): Promise<Principal>
  /** Whether there are keys for every issuer: part of readiness. */
  readonly keysReady: boolean
  /** Seconds since each issuer's keys were last confirmed; `undefined` when they have never been had. */
  readonly ages: ReadonlyMap<string, number | undefined>
  /** Asks every key source now; resolves when all have answered or failed. Never rejects. */
  refresh(): Promise<void>
  close(): Promise<void>
}

interface Verified {
  readonly issuer: Issuer
  readonly set: KeySet
  readonly claims: Claims
}

/** Makes the identity; throws on options that make no sense and on key files that cannot be used. */
export function createIdentity(options: IdentityOptions): Identity {
  return new TokenIdentity(options)
}

class TokenIdentity implements Identity {
  readonly #clock: Clock
  readonly #options: IdentityOptions
  readonly #issuers: ReadonlyMap<string, Issuer>
  readonly #verified: VerifiedTokens<Verified>

  constructor(options: IdentityOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#verified = new VerifiedTokens({
      clock: this.#clock,
      entriesMax: options.rememberedTokensMax ?? 10_000,
    })
    this.#issuers = createIssuers(options, this.#clock)
  }

  get keysReady(): boolean {
    return this.#all.every(({ keys }) => keys.current !== undefined)
  }

  get ages(): ReadonlyMap<string, number | undefined> {
    return new Map(this.#all.map(({ name, keys }) => [name, keys.ageSeconds]))
  }

  async authenticate(authorization: string | undefined, peer: PeerCertificate): Promise<Principal> {
    try {
      const token = bearerToken(authorization)
      return this.#admit(this.#recall(token) ?? (await this.#verify(token)), peer)
    } catch (error) {
      // A verifier that stumbles over a token has not accepted it; the caller must not see a 500 (CWE-703).
      throw error instanceof Refusal ? error : tokenRefusal('verifier_failed')
    }
  }

  async refresh(): Promise<void> {
    await Promise.all(this.#all.map(({ keys }) => keys.refresh()))
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(({ keys }) => keys.close()))
  }

  get #all(): readonly Issuer[] {
    return [...this.#issuers.values()]
  }

  /** A remembered token counts only while the very set of keys it was verified with is in force. */
  #recall(token: string): Verified | undefined {
    const known = this.#verified.recall(token)
    if (known === undefined || known.issuer.keys.current === known.set) return known
    this.#verified.forget(token)
    return undefined
  }

  async #verify(token: string): Promise<Verified> {
    const jws = parseJws(token)
    const payload = parsePayload(jws.payload)
    const issuer = this.#issuerOf(member(payload, 'iss'))
    const { key, set } = await issuer.keys.find(jws.header.kid)
    const algorithm = verifyJws(jws, key, issuer.algorithms)
    const now = this.#clock.now()
    const claims = readClaims(jws.header.typ, payload, issuer.rules, now)
    checkTimes(claims, issuer.rules, now)
    agreeWithLibrary(this.#options.verifyWithLibrary, token, payload, {
      key: key.pem,
      algorithm,
      issuer: issuer.rules.issuer,
      audience: issuer.rules.audience,
      clockToleranceMs: issuer.rules.clockSkewSeconds * 1000,
      now,
    })
    const verified = { issuer, set, claims }
    this.#verified.remember(token, verified, claims.expiresAt - now)
    return verified
  }

  #issuerOf(iss: unknown): Issuer {
    const issuer = typeof iss === 'string' ? this.#issuers.get(iss) : undefined
    if (issuer === undefined) throw tokenRefusal('unknown_issuer')
    return issuer
  }

  /** What is asked at every use, because it changes with time, connection and the revocation list. */
  #admit({ issuer, claims }: Verified, peer: PeerCertificate): Principal {
    checkTimes(claims, issuer.rules, this.#clock.now())
    checkBinding(claims.confirmation, peer.fingerprint)
    const principal = principalOf(issuer.name, claims, peer)
    const revoked = this.#options.revocations().covers(principal)
    if (revoked !== undefined) throw new Refusal('token_revoked', revoked)
    return principal
  }
}

function createIssuers(options: IdentityOptions, clock: Clock): ReadonlyMap<string, Issuer> {
  const isDistinct = (names: readonly string[]): boolean => new Set(names).size === names.length
  const { issuers, onKeysRefresh } = options
  if (!isDistinct(issuers.map(({ name }) => name)) || !isDistinct(issuers.map(({ issuer }) => issuer))) {
    throw new Error('issuer: name and issuer must be unique')
  }
  const created = issuers.map((each) =>
    createIssuer(each, { clock, onRefresh: (result, fault) => onKeysRefresh?.(each.name, result, fault) }),
  )
  return new Map(created.map((issuer) => [issuer.rules.issuer, issuer]))
}

function principalOf(issuer: string, claims: Claims, certificate: PeerCertificate): Principal {
  const { subject, tenant, roles, tokenScopes, tokenId, expiresAt, issuedAt, confirmation } = claims
  return {
    id: `${issuer}/${subject}`,
    issuer,
    subject,
    tenant,
    roles,
    tokenScopes,
    tokenId,
    expiresAt,
    issuedAt,
    certificate,
    bound: confirmation !== undefined,
  }
}
