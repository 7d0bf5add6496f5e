import { limitHeaders, retryHeaders } from '../quota/headers.ts'
import { LimitRefusal } from '../quota/limit-refusal.ts'
import type { Refusal, RefusalCode } from '../refusal.ts'
import type { Head } from './arrival.ts'
import type { Trail } from './trail.ts'

interface Version {
  readonly policy: { readonly hash: string }
}

/** Headers of every reply: an allow-list of our own, nothing of the model server's head passes. */
function commonHeaders(trail: Trail, { policy }: Version): Record<string, string> {
  const deciding = trail.refusal instanceof LimitRefusal ? trail.refusal.verdict.state : undefined
  return {
    'x-request-id': trail.id,
    'x-sallyport-policy': policy.hash,
    'x-content-type-options': 'nosniff',
    ...limitHeaders(trail.limits, deciding),
  }
}

export const jsonHead = (status: number, trail: Trail, version: Version): Head => ({
  status,
  headers: {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...commonHeaders(trail, version),
    ...screeningHeaders(trail),
  },
})

/** `x-accel-buffering` keeps nginx-like proxies from collecting the stream; `no-transform` keeps others from compressing it. */
export const streamHead = (trail: Trail, version: Version): Head => ({
  status: 200,
  headers: {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    ...commonHeaders(trail, version),
    ...screeningHeaders(trail),
  },
})

export const refusalHead = (refusal: Refusal, trail: Trail, version: Version): Head => {
  const head = jsonHead(refusal.row.status, trail, version)
  return {
    status: head.status,
    headers: {
      ...head.headers,
      ...challenge(refusal),
      ...allowed(refusal, trail),
      ...waiting(refusal),
      ...ending(refusal, trail),
    },
  }
}

/** RFC 6750 section 3: a 401 says how to authenticate, and no more than that about what was wrong. */
const challenge = ({ code, row }: Refusal): Record<string, string> => {
  if (row.status !== 401) return {}
  const error = code === 'missing_token' ? '' : ', error="invalid_token"'
  return { 'www-authenticate': `Bearer realm="sallyport"${error}` }
}

/** What follows a message of odd framing on its connection is not to be trusted, even where its end seems clear. */
const closing: ReadonlySet<RefusalCode> = new Set([
  'malformed_request',
  'duplicate_header',
  'absolute_form',
  'unexpected_body',
  'upgrade_refused',
  'headers_too_large',
  'request_timeout',
])

const ending = (refusal: Refusal, { summed }: Trail): Record<string, string> =>
  closing.has(refusal.code) || summed ? { connection: 'close' } : {}

/** RFC 9110 section 15.5.6: a 405 says which method the endpoint takes. */
const allowed = ({ code }: Refusal, { endpoint }: Trail): Record<string, string> =>
  code === 'method_not_allowed' ? { allow: endpoint === 'models' ? 'GET' : 'POST' } : {}

/** SDKs try a 429 and a 5xx again unless they are told not to. */
const neverAgain: ReadonlySet<RefusalCode> = new Set(['insufficient_quota', 'request_above_limit'])

const waiting = ({ code, retryAfterMs, row }: Refusal): Record<string, string> => ({
  ...(retryAfterMs !== undefined && retryHeaders(retryAfterMs)),
  ...(neverAgain.has(code) && { 'x-should-retry': 'false' }),
  ...(row.status >= 500 && !row.retryable && { 'x-should-retry': 'false' }),
})

function screeningHeaders(trail: Trail): Record<string, string> {
  const tallies = [...trail.promptFound.tallies, ...(trail.relayed?.found.tallies ?? [])]
  // What was only counted is still there.
  const found = tallies.reduce((sum, { action, count }) => sum + (action === 'shadow' ? 0 : count), 0)
  return trail.permit ? { 'x-sallyport-redactions': String(found), 'server-timing': serverTiming(trail) } : {}
}

/** W3C Server Timing: what each part of the path took, in milliseconds. */
const serverTiming = ({ phases }: Trail): string =>
  Object.entries(phases)
    .map(([phase, ms]) => `${phase};dur=${(ms as number).toFixed(2)}`)
    .join(', ')
