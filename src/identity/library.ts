import type { SignatureAlgorithm } from './algorithm.ts'
import { isJsonObject, type JsonObject, member } from './strict-json.ts'
import { tokenRefusal } from './token-refusal.ts'

/** What the second verifier is told to hold a token to. */
export interface Expectation {
  /** SubjectPublicKeyInfo, PEM. */
  readonly key: string
  /** The one algorithm of this token, which our own verifier has already allowed. */
  readonly algorithm: SignatureAlgorithm
  readonly issuer: string
  readonly audience: string
  readonly clockToleranceMs: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** A verifier that shares no code with ours. Returns the payload, or throws whatever it likes. */
export type VerifyWithLibrary = (token: string, expectation: Expectation) => unknown

const compared = ['iss', 'sub', 'exp', 'jti', 'nbf', 'iat']

/**
 * Asks the second verifier: a flaw in one of the two then lets nobody in. What it threw is dropped, since its
 * messages and its errors' fields may carry parts of the token.
 */
export function agreeWithLibrary(
  verifyWithLibrary: VerifyWithLibrary,
  token: string,
  claims: JsonObject,
  expectation: Expectation,
): void {
  let theirs: unknown
  try {
    theirs = verifyWithLibrary(token, expectation)
  } catch {
    throw tokenRefusal('library_refused')
  }
  if (!isJsonObject(theirs)) throw tokenRefusal('library_disagrees')
  for (const name of compared) {
    if (member(theirs, name) !== member(claims, name)) throw tokenRefusal('library_disagrees')
  }
}
