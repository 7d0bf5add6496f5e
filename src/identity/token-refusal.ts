import { Refusal } from '../refusal.ts'

/** Every reason for which a bearer token is refused: stable machine codes for the audit record and for metric labels. */
export const tokenReasons = [
  'bad_authorization',
  'token_too_long',
  'malformed_token',
  'bad_header',
  'forbidden_header',
  'bad_payload',
  'unknown_issuer',
  'unknown_key',
  'algorithm_not_allowed',
  'bad_signature',
  'library_refused',
  'library_disagrees',
  'verifier_failed',
  'wrong_type',
  'missing_claim',
  'bad_claim',
  'wrong_issuer',
  'wrong_audience',
  'expired',
  'not_yet_valid',
  'issued_in_future',
  'lifetime_too_long',
  'unsupported_confirmation',
  'not_bound',
  'wrong_certificate',
] as const
export type TokenReason = (typeof tokenReasons)[number]

/** The refusal of a token: always the same public text; the reason is for us alone. */
export const tokenRefusal = (reason: TokenReason): Refusal => new Refusal('invalid_token', reason)
