import type { tlsReasons } from './label-values.ts'

export type TlsReason = (typeof tlsReasons)[number]

/** Node's and OpenSSL's codes of a failed handshake, as seen on `tlsClientError`, by the words that they contain. */
const byWord: readonly (readonly [string, TlsReason])[] = [
  ['DID_NOT_RETURN_A_CERTIFICATE', 'no_certificate'],
  ['REVOKED', 'revoked'],
  ['EXPIRED', 'expired'],
  ['NOT_YET_VALID', 'not_yet_valid'],
  ['PURPOSE', 'purpose'],
  ['HANDSHAKE_TIMEOUT', 'timeout'],
  ['ETIMEDOUT', 'timeout'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['SELF_SIGNED', 'untrusted'],
  ['UNABLE_TO', 'untrusted'],
  ['CERTIFICATE_VERIFY_FAILED', 'untrusted'],
  ['CERT_', 'untrusted'],
  ['SSL_', 'protocol'],
  ['EPROTO', 'protocol'],
]

/** Sorts the `code` of a TLS error into the closed set of the metric; unknown codes give `undefined` (`_other`). */
export function tlsReason(code: unknown): TlsReason | undefined {
  if (typeof code !== 'string') return undefined
  return byWord.find(([word]) => code.includes(word))?.[1]
}
