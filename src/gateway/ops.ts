/**
 * The path of an operator's request, whole: certificate, token, role, pace, body, and then one operation of
 * src/ops/operations.ts. The listener asks what the traffic listener asks (src/exchange/inbound); nothing that reaches
 * a model server is here.
 */

import type { Clock } from '../clock.ts'
import type { OpsConfig } from '../config/schema/ops.ts'
import type { Arrival, Client, Head } from '../exchange/arrival.ts'
import { BodyBudget } from '../exchange/body-budget.ts'
import { authenticate } from '../exchange/inbound/authenticate.ts'
import { type InspectedHeaders, inspect } from '../exchange/inbound/inspect.ts'
import { readBody } from '../exchange/inbound/read-body.ts'
import type { RefusalRecords } from '../exchange/settle/refusal-records.ts'
import type { Identity } from '../identity/identity.ts'
import type { Principal } from '../identity/principal.ts'
import { openAiError } from '../openai/error-body.ts'
import { type JsonBounds, jsonBounds, parseStrictJson } from '../openai/strict-json.ts'
import { OpsFault } from '../ops/fault.ts'
import {
  type Found,
  findOperation,
  MethodNotAllowed,
  type Operation,
  type OperationId,
} from '../ops/operations.ts'
import type { Preconditions } from '../ops/precondition.ts'
import { retryHeaders } from '../quota/headers.ts'
import { Pace } from '../quota/pace.ts'
import { Refusal } from '../refusal.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** What an operation is given. */
export interface OpsCall extends Found {
  readonly requestId: string
  readonly principal: Principal
  readonly preconditions: Preconditions
  /** Undefined where the operation takes none; JSON, not yet checked against its schema. */
  readonly body: unknown
  /** Aborts when the operator has left or waited too long. */
  readonly signal: AbortSignal
}

export interface OpsAnswer {
  readonly status: number
  /** Absent for 204. */
  readonly body?: object
  readonly etag?: string
}

export interface OpsPathParts {
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'opsAnswered'>
  readonly events: Pick<Events, 'opsAnswered' | 'failure'>
  readonly refusalRecords: Pick<RefusalRecords, 'sums'>
  /** Those in force when a request begins. */
  readonly current: () => { readonly identity: Identity | undefined; readonly config: OpsConfig }
  readonly answers: Readonly<Record<OperationId, (call: OpsCall) => Promise<OpsAnswer>>>
}

const bodyBounds = { bodyBytesMax: 64 * 1024, bodyTimeoutMs: 10_000 }
const bodiesBytesMax = 8 * 1024 * 1024
const json: JsonBounds = {
  ...jsonBounds,
  depthMax: 16,
  keysMax: 1_000,
  valuesMax: 4_000,
  stringLengthMax: 64 * 1024,
}
const answerMsMax = 30_000
const pace = { perSecond: 20, burst: 100 }

/** What happened to one request, for its line and its metric. */
interface Seen {
  operation: OperationId | 'unmatched'
  principal: Principal | undefined
  status: number
  refusal: Refusal | undefined
}

export class OpsPath {
  readonly #parts: OpsPathParts
  readonly #bodies = new BodyBudget()
  readonly #pace: Pace
  #inFlight = 0

  constructor(parts: OpsPathParts) {
    this.#parts = parts
    this.#pace = new Pace({ clock: parts.clock, ...pace })
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Answers one request. Never rejects. */
  async exchange(arrival: Arrival, client: Client): Promise<void> {
    const startedAt = this.#parts.clock.monotonic()
    const seen: Seen = { operation: 'unmatched', principal: undefined, status: 0, refusal: undefined }
    this.#inFlight += 1
    try {
      const answer = await this.#answer(arrival, client, seen)
      seen.status = answer.status
      await client.send(
        headOf(answer, arrival.id),
        answer.body === undefined ? '' : JSON.stringify(answer.body),
      )
    } catch (error) {
      await this.#refuse(error, arrival, client, seen)
    } finally {
      this.#inFlight -= 1
      this.#observe(arrival, seen, this.#parts.clock.monotonic() - startedAt)
    }
  }

  async #answer(arrival: Arrival, client: Client, seen: Seen): Promise<OpsAnswer> {
    const { current, answers } = this.#parts
    const { identity, config } = current()
    const headers = inspect(arrival)
    if (identity === undefined) throw new Refusal('keys_unavailable', 'no identity yet')
    const policy = { requiresBinding: () => config.binding === 'required' }
    const principal = await authenticate(arrival, headers, { identity, policy })
    seen.principal = principal
    const waitMs = this.#pace.take(principal.id)
    if (waitMs > 0)
      throw new Refusal('rate_limit_exceeded', 'pace of the operators’ listener', { retryAfterMs: waitMs })
    // Before the path is looked at: without a role nobody learns what there is.
    checkRole(principal, config, 'read')
    const found = findOperation(arrival.method, arrival.target)
    seen.operation = found.operation.id
    checkRole(principal, config, found.operation.access)
    const signal = AbortSignal.any([client.gone, AbortSignal.timeout(answerMsMax)])
    const body = await this.#body(arrival, headers, found.operation, signal)
    const preconditions = preconditionsOf(arrival.rawHeaders)
    const call: OpsCall = { ...found, requestId: arrival.id, principal, preconditions, body, signal }
    return await answers[found.operation.id](call)
  }

  async #body(
    arrival: Arrival,
    headers: InspectedHeaders,
    { body, id }: Operation,
    signal: AbortSignal,
  ): Promise<unknown> {
    if (body === undefined) {
      if (headers.contentLength !== 0) throw new Refusal('unexpected_body', `${id} takes none`)
      return undefined
    }
    using share = this.#bodies.share(bodiesBytesMax)
    const bytes = await readBody(arrival.body, jsonHeaders(headers, id), bodyBounds, share, signal)
    return parseStrictJson(bytes, json)
  }

  async #refuse(error: unknown, arrival: Arrival, client: Client, seen: Seen): Promise<void> {
    const refusal =
      error instanceof Refusal ? error : new Refusal('internal_error', 'failure', { cause: error })
    if (!(error instanceof Refusal)) this.#parts.events.failure(error, arrival.id)
    seen.refusal = refusal
    seen.status = refusal.row.status
    if (client.begun || client.gone.aborted) return
    try {
      await client.send(refusalHead(refusal, arrival.id), JSON.stringify(errorBody(refusal, arrival.id)))
    } catch {
      // The operator left before it could be told.
    }
  }

  #observe(arrival: Arrival, { operation, principal, status, refusal }: Seen, durationMs: number): void {
    const { metrics, events, refusalRecords } = this.#parts
    metrics.opsAnswered(operation, status)
    if (
      principal === undefined &&
      refusal !== undefined &&
      refusalRecords.sums(refusal, certificateOf(arrival))
    )
      return
    events.opsAnswered({
      operation,
      status,
      requestId: arrival.id,
      principal: principal?.id,
      tenant: principal?.tenant,
      remoteAddress: arrival.remoteAddress,
      refusal: refusal?.code,
      detail: refusal?.detail,
      durationMs,
    })
  }
}

function checkRole(
  { roles, issuer }: Principal,
  { operatorRoles, auditorRoles, issuers }: OpsConfig,
  access: Operation['access'],
): void {
  if (issuers !== undefined && !issuers.includes(issuer))
    throw new Refusal('insufficient_scope', 'tokens of this issuer are not taken here')
  const enough = access === 'change' ? operatorRoles : [...operatorRoles, ...auditorRoles]
  if (!roles.some((role) => enough.includes(role)))
    throw new Refusal(
      'insufficient_scope',
      access === 'change' ? 'no operator' : 'neither operator nor auditor',
    )
}

function certificateOf(arrival: Arrival): string | undefined {
  try {
    return arrival.peer().fingerprint
  } catch {
    return undefined
  }
}

/** RFC 7396 has a media type of its own; it is JSON all the same. */
const mergePatchType = /^application\/merge-patch\+json/i

const jsonHeaders = (headers: InspectedHeaders, id: OperationId): InspectedHeaders =>
  id === 'patchQuota' && headers.contentType !== undefined
    ? { ...headers, contentType: headers.contentType.replace(mergePatchType, 'application/json') }
    : headers

function preconditionsOf(rawHeaders: readonly string[]): Preconditions {
  const headerOf = (wanted: string): string | undefined => {
    const values = rawHeaders.filter(
      (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted,
    )
    if (values.length > 1) throw new Refusal('duplicate_header', wanted)
    return values[0]
  }
  return { ifMatch: headerOf('if-match'), ifNoneMatch: headerOf('if-none-match') }
}

const commonHeaders = (requestId: string): Record<string, string> => ({
  'x-request-id': requestId,
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
})

const headOf = ({ status, body, etag }: OpsAnswer, requestId: string): Head => ({
  status,
  headers: {
    ...commonHeaders(requestId),
    ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    ...(etag === undefined ? {} : { etag }),
  },
})

const refusalHead = (refusal: Refusal, requestId: string): Head => ({
  status: refusal.row.status,
  headers: {
    ...commonHeaders(requestId),
    'content-type': 'application/json; charset=utf-8',
    ...(refusal.row.status === 401 ? { 'www-authenticate': 'Bearer realm="sallyport"' } : {}),
    ...(refusal instanceof MethodNotAllowed ? { allow: refusal.allow } : {}),
    ...(refusal.retryAfterMs === undefined ? {} : retryHeaders(refusal.retryAfterMs)),
    // What follows a message that was refused unread is not to be trusted.
    ...(refusal.row.status === 400 && !(refusal instanceof OpsFault) ? { connection: 'close' } : {}),
  },
})

/** As everywhere, with what is wrong with which field: operators write rules by hand. */
function errorBody(refusal: Refusal, requestId: string): object {
  const body = openAiError(refusal, { requestId })
  if (!(refusal instanceof OpsFault)) return body
  const { message } = refusal.row
  return {
    ...body,
    error: { ...(body['error'] as object), message: `${message} ${refusal.param ?? ''} ${refusal.says}.` },
  }
}
