import { type BindingRule, readConfirmation } from './binding.ts'
import { type ClaimMapping, type MappedClaims, mapClaims } from './claim-mapping.ts'
import { isPrintable } from './printable.ts'
import { isJsonObject, type JsonObject, member, parseStrictJson } from './strict-json.ts'
import { tokenRefusal } from './token-refusal.ts'

/** What an issuer's tokens must say (RFC 7519, RFC 8725, RFC 9068). */
export interface ClaimRules {
  readonly issuer: string
  readonly audience: string
  /** Whether `aud` may be a list that holds our audience, as Kubernetes always writes it. */
  readonly audienceMayBeList: boolean
  /** Accepted `typ`, without `application/`: an id token or a logout token must not pass as an access token. */
  readonly types: readonly string[]
  readonly typeMayBeAbsent: boolean
  readonly tokenLifetimeSecondsMax: number
  /** How far the issuer's clock may be ahead of ours, for `nbf` and `iat`. A token is dead at its `exp`, never later. */
  readonly clockSkewSeconds: number
  readonly binding: BindingRule
  readonly mapping: ClaimMapping
  /** One more check of this issuer's own, e.g. that Kubernetes' claims agree with `sub`. */
  readonly isConsistent?: (claims: JsonObject, subject: string) => boolean
}

/** The claims of a token whose signature has been verified. Times are milliseconds since the epoch. */
export interface Claims extends MappedClaims {
  readonly subject: string
  readonly tokenId: string | undefined
  readonly expiresAt: number
  readonly notBefore: number | undefined
  readonly issuedAt: number | undefined
  /** The thumbprint of the certificate that the token is bound to. */
  readonly confirmation: string | undefined
}

const subjectLengthMax = 512
const tokenIdLengthMax = 256
const audiencesMax = 16
const payloadBounds = { bytesMax: 8192, depthMax: 8 }

/** Parses the payload as one plain JSON object. It may be unverified: use only `iss` of it before the signature. */
export function parsePayload(payload: Uint8Array): JsonObject {
  let claims: unknown
  try {
    claims = parseStrictJson(payload, payloadBounds)
  } catch {
    throw tokenRefusal('bad_payload')
  }
  // An array as payload made fast-jwt skip every check of claims (CVE-2026-107723).
  if (!isJsonObject(claims)) throw tokenRefusal('bad_payload')
  return claims
}

/** Holds verified claims to the rules of their issuer, all but those that change with time and connection. */
export function readClaims(
  typ: string | undefined,
  claims: JsonObject,
  rules: ClaimRules,
  now: number,
): Claims {
  checkType(typ, rules)
  if (required(claims, 'iss') !== rules.issuer) throw tokenRefusal('wrong_issuer')
  checkAudience(required(claims, 'aud'), rules)
  const subject = required(claims, 'sub')
  const tokenId = member(claims, 'jti')
  if (!isPrintable(subject, subjectLengthMax)) throw tokenRefusal('bad_claim')
  if (tokenId !== undefined && !isPrintable(tokenId, tokenIdLengthMax)) throw tokenRefusal('bad_claim')
  if (rules.isConsistent?.(claims, subject) === false) throw tokenRefusal('bad_claim')
  required(claims, 'exp')
  const read = {
    subject,
    tokenId,
    expiresAt: date(claims, 'exp') ?? 0,
    notBefore: date(claims, 'nbf'),
    issuedAt: date(claims, 'iat'),
    confirmation: readConfirmation(member(claims, 'cnf'), rules.binding),
    ...mapClaims(claims, rules.mapping),
  }
  checkLifetime(read, rules, now)
  return read
}

/** What is checked again at every use of a token, remembered or not. */
export function checkTimes(claims: Claims, rules: ClaimRules, now: number): void {
  const skewMs = rules.clockSkewSeconds * 1000
  if (now >= claims.expiresAt) throw tokenRefusal('expired')
  if (claims.notBefore !== undefined && claims.notBefore > now + skewMs) throw tokenRefusal('not_yet_valid')
  if (claims.issuedAt !== undefined && claims.issuedAt > now + skewMs) throw tokenRefusal('issued_in_future')
}

function checkLifetime({ expiresAt, issuedAt }: Claims, rules: ClaimRules, now: number): void {
  // Without `iat` the lifetime that is left is all that can be measured.
  if (expiresAt - (issuedAt ?? now) > rules.tokenLifetimeSecondsMax * 1000) {
    throw tokenRefusal('lifetime_too_long')
  }
}

function checkType(typ: string | undefined, { types, typeMayBeAbsent }: ClaimRules): void {
  if (typ === undefined) {
    if (!typeMayBeAbsent) throw tokenRefusal('wrong_type')
    return
  }
  // RFC 7515 section 4.1.9: a media type, case-insensitive, whose `application/` may be left out.
  const plain = typ.toLowerCase().replace(/^application\//, '')
  if (!types.some((type) => type.toLowerCase() === plain)) throw tokenRefusal('wrong_type')
}

function checkAudience(aud: unknown, { audience, audienceMayBeList }: ClaimRules): void {
  if (aud === audience) return
  const isList =
    Array.isArray(aud) && aud.length <= audiencesMax && aud.every((each) => typeof each === 'string')
  if (!isList || !audienceMayBeList || !aud.includes(audience)) throw tokenRefusal('wrong_audience')
}

function required(claims: JsonObject, name: string): unknown {
  const value = member(claims, name)
  if (value === undefined) throw tokenRefusal('missing_claim')
  return value
}

/** A NumericDate as a whole, safe, non-negative number of seconds: `1e400`, `1e20`, `"9"`, `null` and `-1` are none. */
function date(claims: JsonObject, name: string): number | undefined {
  const seconds = member(claims, name)
  if (seconds === undefined) return undefined
  if (typeof seconds !== 'number' || !Number.isSafeInteger(seconds) || seconds < 0 || seconds > secondsMax) {
    throw tokenRefusal('bad_claim')
  }
  return seconds * 1000
}

/** The year 9999; beyond it milliseconds would leave the safe integers. */
const secondsMax = 253_402_300_799
