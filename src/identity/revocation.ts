import type { Principal } from './principal.ts'
import { isPrintable } from './printable.ts'
import { isJsonObject, type JsonObject, member, parseStrictJson } from './strict-json.ts'

/** Why a principal is shut out: a code for the audit record. */
export type RevocationReason = 'revoked_token' | 'revoked_subject' | 'revoked_certificate'

/** The parts of a principal by which it can be revoked. */
export type Revocable = Pick<Principal, 'issuer' | 'subject' | 'tokenId' | 'issuedAt' | 'certificate'>

/** An immutable list of what is no longer accepted. A running stream asks it again when the list has changed. */
export interface Revocations {
  readonly size: number
  /** Why this principal is shut out, or `undefined` when it is not. */
  covers(principal: Revocable): RevocationReason | undefined
}

/** The revocation list cannot be read; the one in force stays. `entry` is its index, from 0. */
export class RevocationsRefused extends Error {
  readonly entry: number | undefined

  constructor(problem: string, entry?: number) {
    super(entry === undefined ? problem : `entry ${entry}: ${problem}`)
    this.name = 'RevocationsRefused'
    this.entry = entry
  }
}

const bounds = { bytesMax: 32 * 1024 * 1024, depthMax: 3 }
const entriesMax = 100_000

/**
 * Reads a revocation list: `{"revoked": [...]}` of `{"jti"}` with or without `"issuer"`, `{"issuer", "subject"}` with
 * or without `"issuedBefore"` (seconds since the epoch, like `iat`), and `{"certificate"}` (SHA-256 fingerprint, hex
 * or base64url). `issuer` is the issuer's name in the configuration. A member that is not known refuses the whole
 * list: a misspelled revocation must not silently revoke nothing.
 */
export function parseRevocations(bytes: Uint8Array): Revocations {
  const lists = {
    tokens: new Set<string>(),
    subjects: new Map<string, number>(),
    certificates: new Set<string>(),
  }
  const entries = readEntries(bytes)
  for (const [index, entry] of entries.entries()) {
    if (!isJsonObject(entry)) throw new RevocationsRefused('not an object', index)
    const problem = addEntry(lists, entry)
    if (problem !== undefined) throw new RevocationsRefused(problem, index)
  }
  return revocations(lists, entries.length)
}

interface Lists {
  readonly tokens: Set<string>
  readonly subjects: Map<string, number>
  readonly certificates: Set<string>
}

/** The list that revokes nothing. */
export const noRevocations: Revocations = { size: 0, covers: () => undefined }

// Names are printable ASCII, so a newline cannot be part of either half.
const pair = (issuer: string, name: string): string => `${issuer}\n${name}`
const anyIssuer = ''

function revocations({ tokens, subjects, certificates }: Lists, size: number): Revocations {
  return {
    size,
    covers({ issuer, subject, tokenId, issuedAt, certificate }) {
      if (certificates.has(certificate.fingerprint)) return 'revoked_certificate'
      if (
        tokenId !== undefined &&
        (tokens.has(pair(issuer, tokenId)) || tokens.has(pair(anyIssuer, tokenId)))
      ) {
        return 'revoked_token'
      }
      const issuedBefore = subjects.get(pair(issuer, subject))
      // A token that does not say when it was issued may be an old one.
      if (issuedBefore !== undefined && (issuedAt ?? 0) < issuedBefore) return 'revoked_subject'
      return undefined
    },
  }
}

function readEntries(bytes: Uint8Array): readonly unknown[] {
  let list: unknown
  try {
    list = parseStrictJson(bytes, bounds)
  } catch {
    throw new RevocationsRefused('the list is not JSON, names a member twice or is too large')
  }
  const entries = isJsonObject(list) && hasOnly(list, ['revoked']) ? member(list, 'revoked') : undefined
  if (!Array.isArray(entries)) throw new RevocationsRefused('the list must be {"revoked": [...]}')
  if (entries.length > entriesMax) throw new RevocationsRefused(`more than ${entriesMax} entries`)
  return entries
}

function addEntry(lists: Lists, entry: JsonObject): string | undefined {
  if (Object.hasOwn(entry, 'jti')) return addToken(lists, entry)
  if (Object.hasOwn(entry, 'subject')) return addSubject(lists, entry)
  if (Object.hasOwn(entry, 'certificate')) return addCertificate(lists, entry)
  return 'neither jti, subject nor certificate'
}

function addToken({ tokens }: Lists, entry: JsonObject): string | undefined {
  const { jti, issuer } = entry
  if (!hasOnly(entry, ['jti', 'issuer'])) return 'an unknown member beside jti'
  if (!isName(jti) || !(issuer === undefined || isName(issuer)))
    return 'jti and issuer must be printable ASCII'
  tokens.add(pair(issuer ?? anyIssuer, jti))
  return undefined
}

function addSubject({ subjects }: Lists, entry: JsonObject): string | undefined {
  const { issuer, subject, issuedBefore } = entry
  if (!hasOnly(entry, ['issuer', 'subject', 'issuedBefore'])) return 'an unknown member beside subject'
  if (!isName(issuer) || !isName(subject)) return 'issuer and subject must be printable ASCII'
  const before = issuedBefore === undefined ? Number.POSITIVE_INFINITY : seconds(issuedBefore)
  if (before === undefined) return 'issuedBefore must be whole seconds since the epoch'
  const key = pair(issuer, subject)
  subjects.set(key, Math.max(before, subjects.get(key) ?? 0))
  return undefined
}

function addCertificate({ certificates }: Lists, entry: JsonObject): string | undefined {
  const fingerprint =
    typeof entry['certificate'] === 'string' ? readFingerprint(entry['certificate']) : undefined
  if (!hasOnly(entry, ['certificate'])) return 'an unknown member beside certificate'
  if (fingerprint === undefined) return 'certificate must be a SHA-256 fingerprint, hex or base64url'
  certificates.add(fingerprint)
  return undefined
}

function readFingerprint(text: string): string | undefined {
  if (/^[A-Za-z0-9_-]{43}$/.test(text)) return text
  const hex = text.replaceAll(':', '') // as openssl prints it
  return /^[0-9A-Fa-f]{64}$/.test(hex) ? Buffer.from(hex, 'hex').toString('base64url') : undefined
}

const isName = (value: unknown): value is string => isPrintable(value, 512)

const hasOnly = (object: JsonObject, names: readonly string[]): boolean =>
  Object.keys(object).every((name) => names.includes(name))

const seconds = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value * 1000 : undefined
