/**
 * The closed table of every way Sallyport says no. A code is stable, has a row in docs/reference/errors.md
 * (a test compares the two), and its public text never carries what the caller sent or what failed inside.
 *
 * `status` and `type` follow what the stock SDKs act on (docs/decisions/0003-error-statuses.md): 400, 401, 403 and
 * 404 are the only statuses that no SDK retries; 409 and 422 are never sent.
 */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'requests'
  | 'tokens'
  | 'insufficient_quota'
  | 'server_error'

export interface RefusalRow {
  readonly status: number
  readonly type: ErrorType
  readonly message: string
  /** Whether the same call may succeed if it is sent again unchanged. */
  readonly retryable: boolean
}

const row = (status: number, type: ErrorType, retryable: boolean, message: string): RefusalRow => ({
  status,
  type,
  message,
  retryable,
})
const invalid = (status: number, message: string): RefusalRow =>
  row(status, 'invalid_request_error', false, message)
const bad = (message: string): RefusalRow => invalid(400, message)

export const refusals = {
  // How the request was framed (RFC 9112)
  malformed_request: bad('The HTTP request is malformed. Send one well-formed HTTP/1.1 request.'),
  duplicate_header: bad('A header that may appear once appears more than once. Send it once.'),
  absolute_form: bad('The request target must be a path such as /v1/chat/completions.'),
  unexpected_body: bad('This endpoint takes no request body.'),
  upgrade_refused: bad('Protocol upgrades are not offered here.'),
  misdirected_request: invalid(
    421,
    'The Host header names another server than the TLS connection was opened for.',
  ),
  unsupported_media_type: invalid(
    415,
    'Send the body as application/json in UTF-8, without a content encoding.',
  ),
  request_too_large: invalid(413, 'The request body is larger than this gateway accepts.'),
  headers_too_large: invalid(431, 'The request head is larger than this gateway accepts.'),
  request_timeout: row(408, 'invalid_request_error', true, 'The request did not arrive in time.'),

  // Who is calling (RFC 6750, RFC 8705)
  invalid_certificate: row(
    403,
    'permission_error',
    false,
    'The client certificate does not meet the rules of this gateway.',
  ),
  certificate_expired: row(
    401,
    'authentication_error',
    false,
    'The client certificate has expired. Connect again with a new one.',
  ),
  missing_token: row(
    401,
    'authentication_error',
    false,
    'No bearer token was sent. Add the header: Authorization: Bearer <token>.',
  ),
  invalid_token: row(
    401,
    'authentication_error',
    false,
    'The bearer token was refused. Check that it is current, issued for this gateway and, if it is bound to a certificate, sent with that certificate.',
  ),
  token_revoked: row(401, 'authentication_error', false, 'The token or the certificate has been revoked.'),
  keys_unavailable: row(
    503,
    'server_error',
    true,
    'The keys that verify this token cannot be had right now. Try again shortly.',
  ),

  // What may be called
  unknown_url: invalid(404, 'There is no such endpoint. See GET /v1/models for what you can use.'),
  method_not_allowed: invalid(405, 'This endpoint does not take that HTTP method.'),
  insufficient_scope: row(403, 'permission_error', false, 'None of your roles may use this endpoint.'),
  model_not_found: invalid(404, 'The model does not exist or you do not have access to it.'),
  parameter_forbidden: row(403, 'permission_error', false, 'Your roles do not allow this parameter.'),
  parameter_above_cap: bad('This parameter is above the largest value that your roles allow.'),

  // What was asked
  invalid_json: bad(
    'The body is not valid JSON. Duplicate keys, lone surrogates and numbers out of range count as invalid.',
  ),
  json_too_complex: bad('The JSON body is nested too deeply or has too many keys or values.'),
  invalid_value: bad('A field has a value of the wrong type or out of range.'),
  missing_field: bad('A required field is missing.'),
  unknown_parameter: bad('The body has a field that this gateway does not know. Remove it.'),
  unsupported_parameter: bad('The body has a field that this gateway never forwards. Remove it.'),
  token_ids_refused: bad(
    'Token ids and embeddings as a prompt cannot be screened and are refused. Send text.',
  ),
  remote_content_refused: bad(
    'Content is accepted inline as a data: URL only; remote addresses are refused.',
  ),
  logprobs_refused: bad('logprobs would show text that your redaction profile masks, and are refused.'),

  // Redaction
  content_blocked: row(
    403,
    'permission_error',
    false,
    'The text holds sensitive data that your policy does not let through.',
  ),
  redaction_unavailable: row(
    503,
    'server_error',
    true,
    'The service that recognizes sensitive data cannot be asked, so the prompt was not sent.',
  ),

  // Limits
  rate_limit_exceeded: row(
    429,
    'requests',
    true,
    'Too many requests. Wait as long as the retry-after header says.',
  ),
  concurrency_limit_exceeded: row(
    429,
    'requests',
    true,
    'Too many requests are in flight. Wait for one to end.',
  ),

  request_above_limit: bad(
    'This call is larger than one of your limits will ever let through. Lower max_tokens, n or the length of the prompt.',
  ),
  insufficient_quota: row(
    429,
    'insufficient_quota',
    false,
    'Your quota for this period is exhausted. It begins anew when the retry-after header says.',
  ),
  quota_unavailable: row(
    503,
    'server_error',
    true,
    'Your limits cannot be looked up right now. Try again shortly.',
  ),

  // Operators (docs/reference/admin-api.md)
  not_found: invalid(404, 'There is nothing of that name or id.'),
  set_in_configuration: bad(
    'This limit is set in the configuration: change it there, or lay a quota over it.',
  ),
  precondition_required: invalid(
    428,
    'Send If-Match with the ETag that you read, or If-None-Match: * to create.',
  ),
  precondition_failed: invalid(
    412,
    'It was changed meanwhile, by somebody else. Read it again, then decide.',
  ),

  // The model server
  upstream_unavailable: row(
    502,
    'server_error',
    true,
    'The model server cannot be reached. Try again shortly.',
  ),
  upstream_overloaded: row(503, 'server_error', true, 'The model server is overloaded. Try again shortly.'),
  upstream_error: row(502, 'server_error', true, 'The model server failed.'),
  upstream_refused: bad('The model server refused the request as invalid.'),
  context_length_exceeded: bad(
    "This request exceeds the model's maximum context length. Shorten the prompt or lower max_tokens.",
  ),
  upstream_protocol: row(
    502,
    'server_error',
    true,
    'The model server sent a reply that this gateway does not accept.',
  ),
  upstream_truncated: row(
    502,
    'server_error',
    true,
    'The model server ended the reply before it was complete.',
  ),
  upstream_timeout: row(504, 'server_error', false, 'The model server took too long.'),
  upstream_reply_too_large: row(
    502,
    'server_error',
    false,
    'The reply of the model server is larger than this gateway accepts.',
  ),

  // Ourselves
  stream_timeout: row(504, 'server_error', false, 'The stream reached its time limit.'),
  slow_reader: row(408, 'server_error', false, 'The reply was not read in time.'),
  caller_gone: row(499, 'invalid_request_error', false, 'The caller closed the connection.'),
  draining: row(503, 'server_error', true, 'This gateway is shutting down. Send the request again.'),
  overloaded: row(
    503,
    'server_error',
    true,
    'This gateway has as many exchanges as it can keep account of. Try again shortly.',
  ),
  gateway_overloaded: row(
    503,
    'server_error',
    true,
    'This gateway has more to do than it can do in time. Wait as long as the retry-after header says.',
  ),
  audit_unavailable: row(
    503,
    'server_error',
    true,
    'The audit log cannot be written, so no request is accepted.',
  ),
  internal_error: row(500, 'server_error', true, 'Something failed inside the gateway.'),
} as const satisfies Record<string, RefusalRow>

export type RefusalCode = keyof typeof refusals

/** A limit that refused, for programs: shown as `gateway.limit` beside the error (docs/reference/limits.md). */
export interface LimitFigures {
  readonly counts: string
  readonly per: string | null
  readonly amount: number
  /** Most at once. */
  readonly burst: number
  /** Absent where other tenants share the bucket. */
  readonly used?: number
  readonly asked: number
  /** Absent when no wait helps. */
  readonly wait_ms?: number
  /** Parameters and the values at which the call fits. */
  readonly lower?: Readonly<Record<string, number>>
}

export interface RefusalOptions {
  /** Path of the field in the request that is at fault, e.g. `messages[0].content`. Shown to the caller. */
  readonly param?: string
  /** How long to wait before trying again. Shown as `retry-after` (whole seconds, rounded up) and `retry-after-ms`. */
  readonly retryAfterMs?: number
  readonly cause?: unknown
}

/**
 * The caller's fault, a limit, or a model server's failure that the caller must hear of.
 * `detail` goes to the log and the audit record, never to the caller; it must not quote what was sent.
 */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly detail: string
  readonly param: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: RefusalCode, detail: string, options: RefusalOptions = {}) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Refusal'
    this.code = code
    this.detail = detail
    this.param = options.param
    this.retryAfterMs = options.retryAfterMs
  }

  get row(): RefusalRow {
    return refusals[this.code]
  }
  /** What the caller is told. Refusals that know more than their row say more. */
  get told(): string {
    return this.row.message
  }

  get type(): ErrorType {
    return this.row.type
  }

  get limit(): LimitFigures | undefined {
    return undefined
  }
}
