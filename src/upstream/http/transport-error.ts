import { Refusal, type RefusalCode } from '../../refusal.ts'
import { CallFailure, type Reach } from '../call-failure.ts'

const codeByErrorCode: Readonly<Record<string, RefusalCode>> = {
  UND_ERR_HEADERS_TIMEOUT: 'upstream_timeout',
  UND_ERR_BODY_TIMEOUT: 'upstream_timeout',
  UND_ERR_CONNECT_TIMEOUT: 'upstream_unavailable',
  ETIMEDOUT: 'upstream_unavailable',
  UND_ERR_HEADERS_OVERFLOW: 'upstream_protocol',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'upstream_reply_too_large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'upstream_truncated',
  UND_ERR_SOCKET: 'upstream_truncated',
  ECONNRESET: 'upstream_truncated',
  EPIPE: 'upstream_truncated',
  // A connection that was not to be kept has ended, or was reset, inside a chunked body.
  HPE_INVALID_EOF_STATE: 'upstream_truncated',
  ECONNREFUSED: 'upstream_unavailable',
  EHOSTUNREACH: 'upstream_unavailable',
  ENETUNREACH: 'upstream_unavailable',
  ENOTFOUND: 'upstream_unavailable',
  EAI_AGAIN: 'upstream_unavailable',
}

/**
 * Every way a connection to a model server fails, as a refusal. A code that is not in the table is a broken peer:
 * llhttp errors (`HPE_*`), TLS errors and undici's own assertions (a status of 099 throws one) all mean that the
 * other side did not speak as it must. A call that was not sent found no server, whatever its connection died of.
 */
export function classifyTransportError(error: unknown, reach: Reach): Refusal {
  if (error instanceof Refusal) return error
  const code = codeOf(error)
  const options = { cause: error, reach }
  if (isTlsError(code)) return new CallFailure('upstream_unavailable', `tls ${code}`, options)
  const refusal = reach === 'unsent' ? 'upstream_unavailable' : codeByErrorCode[code]
  return new CallFailure(refusal ?? 'upstream_protocol', code === '' ? 'no error code' : code, options)
}

const codeOf = (error: unknown): string => {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (typeof code === 'string') return code
  // The parser of undici 8.12 looks its codes up in a table that has names only, so its errors have none.
  return typeof message === 'string' && message.includes('(Invalid EOF state)') ? 'HPE_INVALID_EOF_STATE' : ''
}

const certificateErrors = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_PURPOSE',
  'EPROTO',
])

const isTlsError = (code: string): boolean =>
  code.startsWith('ERR_TLS_') || code.startsWith('ERR_SSL_') || certificateErrors.has(code)
