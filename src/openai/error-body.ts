import { Refusal, type RefusalCode } from '../refusal.ts'
import type { JsonObject } from './call.ts'
import { isObject } from './reply-field.ts'

/**
 * Errors in both directions: the body that a caller gets for a refusal, and the refusal that stands for what a model
 * server said. Text of a model server never passes (it can quote the prompt, a path or a key): only its class, from a
 * closed list, and a few integers survive, in `detail`.
 */
export interface ErrorContext {
  readonly requestId: string
}

const docs = 'docs/reference/errors.md'

const ofUpstream = (code: RefusalCode): boolean =>
  code.startsWith('upstream_') || code === 'context_length_exceeded'

/** The error body of the OpenAI surface with the part that is ours under `gateway`. */
export function openAiError(refusal: Refusal, context: ErrorContext): JsonObject {
  const { told, type, limit } = refusal
  const doc = `${docs}#${refusal.code}`
  // A reader of a limit's figures asks next what they mean; other messages are whole.
  const message = limit === undefined ? told : `${told} See ${doc}.`
  return {
    error: { message, type, code: refusal.code, param: refusal.param ?? null },
    gateway: {
      source: ofUpstream(refusal.code) ? 'upstream' : 'gateway',
      request_id: context.requestId,
      retryable: refusal.row.retryable,
      doc,
      ...(limit && { limit: { ...limit } }),
    },
  }
}

/** What an error says about itself, whichever server sent it. `message` is only searched, never kept. */
interface Complaint {
  readonly type: string
  readonly code: string | number
  readonly message: string
  readonly integers: string
}

const errorBodyBytesMax = 65_536
const messageCharsMax = 4_096
const retryAfterMsMax = 60_000
const retryAfterMsDefault = 1_000

/** Classes that model servers name, with the status that goes with them when only the class is known. */
const classes: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['BadRequestError', 400],
  ['BadRequest', 400],
  ['Bad Request', 400],
  ['UnprocessableEntityError', 400],
  ['validation', 400],
  ['exceed_context_size_error', 400],
  ['context_length_exceeded', 400],
  ['authentication_error', 401],
  ['Unauthorized', 401],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['NotFoundError', 404],
  ['Not Found', 404],
  ['model_not_found', 404],
  ['rate_limit_error', 429],
  ['rate_limit_exceeded', 429],
  ['insufficient_quota', 429],
  ['Too Many Requests', 429],
  ['overloaded', 429],
  ['overloaded_error', 429],
  ['unavailable_error', 503],
  ['ServiceUnavailable', 503],
  ['Service Unavailable', 503],
  ['timeout_error', 504],
  ['server_error', 500],
  ['internal_server_error', 500],
  ['InternalServerError', 500],
  ['Internal Server Error', 500],
  ['generation', 500],
  ['incomplete_generation', 500],
  ['not_supported_error', 501],
  ['NotImplementedError', 501],
])

/** How vLLM, SGLang, TGI and OpenAI word a prompt that is too long; llama.cpp has a class for it. */
const contextWords = [
  'maximum context length',
  'maximum model length',
  'context length',
  'context size',
  'max_model_len',
  '`inputs` tokens + `max_new_tokens`',
  '`inputs` must have less than',
]

const textOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, messageCharsMax) : '')

const labelOf = (value: unknown): string | number =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : textOf(value)

function integersOf(error: JsonObject): string {
  let text = ''
  for (const name of ['n_prompt_tokens', 'n_ctx']) {
    const value = error[name]
    if (typeof value === 'number' && Number.isSafeInteger(value)) text += ` ${name}=${value}`
  }
  return text
}

/**
 * Reads the shapes in use: OpenAI, vLLM and llama.cpp `{"error":{...}}`, TGI and Triton `{"error":"..."}`, the flat
 * one of old vLLM and SGLang, FastAPI `{"detail":...}`.
 */
function complaintOf(json: unknown): Complaint {
  const body = isObject(json) ? json : {}
  const error = isObject(body['error']) ? body['error'] : body
  return {
    type: textOf(error['type'] ?? body['error_type']),
    code: labelOf(error['code']),
    message: textOf(error['message'] ?? body['error'] ?? body['detail']),
    integers: integersOf(error),
  }
}

function parseBody(body: unknown): unknown {
  if (!(body instanceof Uint8Array) && typeof body !== 'string') return body
  if (body.length > errorBodyBytesMax) return undefined
  try {
    return JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString('utf8'))
  } catch {
    return undefined
  }
}

const isContextLength = (complaint: Complaint): boolean => {
  if (complaint.type === 'exceed_context_size_error' || complaint.code === 'context_length_exceeded')
    return true
  const message = complaint.message.toLowerCase()
  return contextWords.some((words) => message.includes(words))
}

/** Our code for a status of a model server (openai-node and LangChain decide by ours whether they try again). */
function codeOf(status: number, complaint: Complaint): RefusalCode {
  if (!Number.isInteger(status) || status < 400 || status > 599) return 'upstream_protocol'
  if (status === 404) return 'model_not_found'
  if (status === 429 || status === 503 || status === 529) return 'upstream_overloaded'
  if (status === 408 || status === 504) return 'upstream_timeout'
  if (status === 400 || status === 413 || status === 422) {
    return isContextLength(complaint) ? 'context_length_exceeded' : 'upstream_refused'
  }
  // The server cannot do it at all (llama.cpp: embeddings are off), so trying again is of no use.
  if (status === 501) return 'upstream_refused'
  // 401 and 403 mean that *our* credentials are wrong; 405, 415 and the like that we are.
  return 'upstream_error'
}

/** `retry-after` in seconds. Above 60 s openai-node and the AI SDK ignore it and hammer, so it is clamped. */
function retryAfterMsOf(seconds: string | undefined): number {
  if (seconds === undefined || !/^\d{1,20}(\.\d{1,3})?$/.test(seconds)) return retryAfterMsDefault
  return Math.min(retryAfterMsMax, Math.ceil(Number(seconds) * 1000))
}

function refusalOf(status: number, complaint: Complaint, retryAfter: string | undefined): Refusal {
  const code = codeOf(status, complaint)
  const named = [complaint.type, complaint.code].find((name) => typeof name === 'string' && classes.has(name))
  const shown = Number.isInteger(status) && status >= 0 && status <= 999 ? status : 'out of range'
  const detail = `upstream status ${shown}, class ${named ?? 'unknown'}${complaint.integers}`
  return new Refusal(
    code,
    detail,
    code === 'upstream_overloaded' ? { retryAfterMs: retryAfterMsOf(retryAfter) } : {},
  )
}

/** The refusal for an answer of a model server that is not 200. `body` is its bytes (what was read of them) or JSON. */
export const classifyUpstreamError = (
  status: number,
  body: unknown,
  options: { readonly retryAfter?: string | undefined } = {},
): Refusal => refusalOf(status, complaintOf(parseBody(body)), options.retryAfter)

const isError = (json: unknown): boolean => {
  if (!isObject(json)) return false
  if (json['error'] || json['object'] === 'error' || json['type'] === 'error') return true
  return json['detail'] !== undefined && json['choices'] === undefined
}

/** The status that an error inside a 200 reply stands for: its integer code, else its class, else 500. */
function statusOf(complaint: Complaint): number {
  const { code, type } = complaint
  if (typeof code === 'number') return code >= 400 && code <= 599 ? code : 500
  return classes.get(type) ?? classes.get(code) ?? 500
}

/** The refusal for an error that came as an event of a stream or as a whole reply with status 200, if it is one. */
export function errorInEvent(json: unknown, options: { readonly named?: 'error' } = {}): Refusal | undefined {
  if (options.named === undefined && !isError(json)) return undefined
  const complaint = complaintOf(json)
  return refusalOf(statusOf(complaint), complaint, undefined)
}
