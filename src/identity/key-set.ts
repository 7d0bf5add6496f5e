import { type PublicKey, publicKeyFromJwk, publicKeyFromPem, type UnusableKey } from './jwk.ts'
import type { JwsKey } from './jws.ts'
import type { FetchFault } from './key-fetching.ts'
import { isJsonObject, type JsonObject, member, parseStrictJson } from './strict-json.ts'

/** Bounds of a key set: a JWKS with 50 RSA-4096 keys and their certificates stays below 256 KiB. */
export const keySetBytesMax = 256 * 1024
const keysMax = 50
const bounds = { bytesMax: keySetBytesMax, depthMax: 8 }

/** Members that only a private or symmetric key has (RFC 7518 section 6): their owner has lost a secret. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** Why keys could not be had: stable codes for the log and for metrics. */
export type KeysFault =
  | 'not_json'
  | 'no_keys'
  | 'too_many_keys'
  | 'duplicate_kid'
  | 'private_key'
  | 'no_usable_key'
  | FetchFault

/** Keys were refused or could not be fetched; the set that is in force stays. */
export class KeysRefused extends Error {
  readonly fault: KeysFault

  constructor(fault: KeysFault, options?: ErrorOptions) {
    super(`keys refused: ${fault}`, options)
    this.name = 'KeysRefused'
    this.fault = fault
  }
}

/** An immutable set of one issuer's keys. */
export interface KeySet<Key extends JwsKey = PublicKey> {
  readonly keys: readonly Key[]
  /** Keys that were left out, by reason. */
  readonly unusable: readonly UnusableKey[]
  /** The one key that a token with this `kid` may be verified with. */
  choose(kid: string | undefined): Key | undefined
}

/** Puts keys into a set. Two keys with one id refuse the set: which one is meant would depend on their order. */
export function keySet<Key extends JwsKey>(
  keys: readonly Key[],
  unusable: readonly UnusableKey[] = [],
): KeySet<Key> {
  const named = new Map<string, Key>()
  for (const key of keys) {
    if (key.kid === undefined) continue
    if (named.has(key.kid)) throw new KeysRefused('duplicate_kid')
    named.set(key.kid, key)
  }
  const only = keys.length === 1 ? keys[0] : undefined
  return {
    keys,
    unusable,
    choose: (kid) =>
      kid === undefined ? only : (named.get(kid) ?? (only?.kid === undefined ? only : undefined)),
  }
}

/** Reads a JWKS (RFC 7517 section 5) or one PEM public key. Throws `KeysRefused`. */
export function parseKeySet(bytes: Uint8Array): KeySet {
  const text = bytes.length > keySetBytesMax ? '' : Buffer.from(bytes).toString('latin1')
  if (text.trimStart().startsWith('-----BEGIN')) return parsePem(text)
  const jwks = readJwks(bytes)
  const read = jwks.map(publicKeyFromJwk)
  const keys = read.filter((key) => typeof key !== 'string')
  if (keys.length === 0) throw new KeysRefused('no_usable_key')
  return keySet(
    keys,
    read.filter((key) => typeof key === 'string'),
  )
}

function parsePem(text: string): KeySet {
  if (text.includes('PRIVATE KEY')) throw new KeysRefused('private_key')
  const key = publicKeyFromPem(text)
  if (typeof key === 'string') throw new KeysRefused('no_usable_key')
  return keySet([key])
}

function readJwks(bytes: Uint8Array): readonly JsonObject[] {
  const keys = readKeysMember(bytes)
  if (keys.length > keysMax) throw new KeysRefused('too_many_keys')
  const jwks = keys.filter(isJsonObject)
  if (jwks.length !== keys.length) throw new KeysRefused('not_json')
  if (jwks.some((jwk) => privateMembers.some((name) => Object.hasOwn(jwk, name)))) {
    throw new KeysRefused('private_key')
  }
  const ids = jwks.map((jwk) => member(jwk, 'kid')).filter((kid) => kid !== undefined)
  if (new Set(ids).size !== ids.length) throw new KeysRefused('duplicate_kid')
  return jwks
}

function readKeysMember(bytes: Uint8Array): readonly unknown[] {
  let jwks: unknown
  try {
    jwks = parseStrictJson(bytes, bounds)
  } catch {
    throw new KeysRefused('not_json')
  }
  const keys = isJsonObject(jwks) ? member(jwks, 'keys') : undefined
  if (!Array.isArray(keys) || keys.length === 0) throw new KeysRefused('no_keys')
  return keys
}
