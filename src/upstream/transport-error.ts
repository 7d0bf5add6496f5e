import { Refusal, type RefusalCode } from '../refusal.ts'

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
  ECONNREFUSED: 'upstream_unavailable',
  EHOSTUNREACH: 'upstream_unavailable',
  ENETUNREACH: 'upstream_unavailable',
  ENOTFOUND: 'upstream_unavailable',
  EAI_AGAIN: 'upstream_unavailable',
}

/**
 * Every way a connection to a model server fails, as a refusal. A code that is not in the table is a broken peer:
 * llhttp errors (`HPE_*`), TLS errors and undici's own assertions (a status of 099 throws one) all mean that the
 * other side did not speak as it must.
 */
export function classifyTransportError(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const code = codeOf(error)
  if (isTlsError(code)) return new Refusal('upstream_unavailable', `tls ${code}`, { cause: error })
  return new Refusal(codeByErrorCode[code] ?? 'upstream_protocol', code === '' ? 'no error code' : code, {
    cause: error,
  })
}

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
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
