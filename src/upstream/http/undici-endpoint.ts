import type { Readable } from 'node:stream'
import { type Dispatcher, Pool } from 'undici'
import { Refusal } from '../../refusal.ts'
import { StreamChunks } from '../../stream-chunks.ts'
import { CallFailure } from '../call-failure.ts'
import { orcaRequestHeaders, orcaResponseHeader } from '../load/orca.ts'
import type { EndpointHandle, StatusPath, UpstreamAnswer, UpstreamRequest } from '../upstream.ts'
import { connectorFor, type UpstreamTls } from './connector.ts'
import { diedOnReusedSocket, wasNotSent } from './socket-fate.ts'
import { classifyTransportError } from './transport-error.ts'

export interface EndpointOptions {
  /** Origin only: scheme, host and port. */
  readonly origin: string
  readonly tls: UpstreamTls | undefined
  /** Returns the API key to send, or undefined; asked per request so that a rotated key file takes effect. */
  readonly apiKey: () => string | undefined
  /** `false`: one connection per request, for servers that close without saying so. */
  readonly keepAlive: 'on' | 'off'
  readonly connectionsMax: number
  readonly connectTimeoutMs: number
  /** Until the response head is there. */
  readonly firstByteTimeoutMs: number
  /** Between two reads of the response body. */
  readonly idleTimeoutMs: number
  /** `asked`: the server is asked to report its load in the head of its answers (ORCA). */
  readonly loadReports?: 'asked' | undefined
  readonly observer: EndpointObserver
}

/** Told what happens on the way to a model server, for metrics. */
export interface EndpointObserver {
  connected(connectMs: number): void
  retried(): void
  /** `status` is undefined when there was no response head. */
  answered(status: number | undefined, firstByteMs: number): void
}

/** uvicorn and llama-server close idle connections after 5 s: stay below, or reuse races with the close. */
const KEEP_ALIVE_MS = 4_000
const HEADER_BYTES_MAX = 16_384
const ATTEMPTS_MAX = 2
const INTERIM_MAX = 128
/** One for probes, one for load reports. */
const STATUS_CONNECTIONS_MAX = 2
const STATUS_MS_MAX = 10_000
/** When a connection becomes free is not known; a short wait spreads the callers. */
const BUSY_RETRY_MS = 1_000
/** The end of a body comes in a packet of its own after `[DONE]`; what comes later or is longer is not waited for. */
const FINISH_MS_MAX = 1_000
const FINISH_BYTES_MAX = 16_384
/** Response headers that anything of ours reads; every other one ends here. */
const HEADERS_READ = ['content-encoding', 'retry-after', orcaResponseHeader] as const

/** One model server, spoken to over a bounded pool of HTTP/1.1 connections. */
export function createEndpoint(options: EndpointOptions): EndpointHandle {
  const pool = new Pool(options.origin, {
    connections: options.connectionsMax,
    pipelining: options.keepAlive === 'on' ? 1 : 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: options.firstByteTimeoutMs,
    bodyTimeout: options.idleTimeoutMs,
    maxHeaderSize: HEADER_BYTES_MAX,
    allowH2: false,
    connect: connectorFor(options),
  })
  // Calls may hold every connection of a busy server, and just then its health matters.
  const status = statusPool(options)
  let inFlight = 0
  return {
    origin: options.origin,
    get inFlight() {
      return inFlight
    },
    async post(request, signal) {
      // A connection carries one exchange: above this they would wait in a queue without a bound.
      if (inFlight >= options.connectionsMax) {
        throw new CallFailure('upstream_overloaded', 'connectionsMax', {
          reach: 'unsent',
          retryAfterMs: BUSY_RETRY_MS,
        })
      }
      inFlight += 1
      try {
        return answerOf(await send(pool, options, request, signal), () => {
          inFlight -= 1
        })
      } catch (error) {
        inFlight -= 1
        throw error
      }
    },
    get: (path, signal) => ask(status, options, path, signal),
    close: async () => {
      await Promise.all([pool.close(), status.destroy()])
    },
  }
}

/** Probes and load reports: one connection each, and none that waits for the next probe. */
const statusPool = (options: EndpointOptions): Pool =>
  new Pool(options.origin, {
    connections: STATUS_CONNECTIONS_MAX,
    pipelining: 0,
    headersTimeout: STATUS_MS_MAX,
    bodyTimeout: STATUS_MS_MAX,
    maxHeaderSize: HEADER_BYTES_MAX,
    allowH2: false,
    connect: connectorFor({ ...options, observer: { connected: () => {} } }),
  })

async function ask(pool: Pool, options: EndpointOptions, path: StatusPath, signal: AbortSignal) {
  try {
    const headers = { ...authorization(options), accept: '*/*', 'accept-encoding': 'identity' }
    const { statusCode, body } = await pool.request({ method: 'GET', path, headers, signal })
    body.on('error', () => {})
    return { status: statusCode, body }
  } catch (error) {
    throw classifyTransportError(error, wasNotSent(error) ? 'unsent' : 'unanswered')
  }
}

async function send(
  pool: Pool,
  options: EndpointOptions,
  request: UpstreamRequest,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const startedAt = performance.now()
  for (let attempts = 1; ; attempts += 1) {
    try {
      request.sent?.()
      const response = await pool.request({
        method: 'POST',
        path: request.path,
        headers: requestHeaders(options, request),
        body: request.body,
        signal,
        onInfo: interimBound(options.firstByteTimeoutMs),
      })
      options.observer.answered(response.statusCode, performance.now() - startedAt)
      return response
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (attempts >= ATTEMPTS_MAX || !diedOnReusedSocket(error)) {
        options.observer.answered(undefined, performance.now() - startedAt)
        throw classifyTransportError(error, wasNotSent(error) ? 'unsent' : 'unanswered')
      }
      options.observer.retried()
    }
  }
}

/**
 * Each interim answer (100 to 199) begins undici's wait for the head anew, so a server that sends nothing else would hold a
 * call until its total time is up.
 */
function interimBound(waitMsMax: number): () => void {
  const startedAt = performance.now()
  let count = 0
  return () => {
    count += 1
    if (count > INTERIM_MAX)
      throw new CallFailure('upstream_protocol', 'too many interim answers', { reach: 'answered' })
    if (performance.now() - startedAt > waitMsMax)
      throw new CallFailure('upstream_timeout', 'interim answers alone', { reach: 'answered' })
  }
}

/** The whole request head that a model server sees: nothing of the caller's headers is among it. */
function requestHeaders(options: EndpointOptions, request: UpstreamRequest): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: request.stream ? 'text/event-stream' : 'application/json',
    'accept-encoding': 'identity',
    'x-request-id': request.requestId,
  }
  const reports = options.loadReports === 'asked' ? orcaRequestHeaders : {}
  return Object.assign(headers, reports, authorization(options))
}

function authorization({ apiKey }: EndpointOptions): Record<string, string> {
  const key = apiKey()
  return key === undefined ? {} : { authorization: `Bearer ${key}` }
}

function answerOf(response: Dispatcher.ResponseData, released: () => void): UpstreamAnswer {
  const { statusCode, headers, body } = response
  let disposed = false
  let finished = false
  // An aborted body emits 'error' after its consumer has left; without a listener that would end the process.
  body.on('error', () => {})
  return {
    status: statusCode,
    contentType: single(headers['content-type']),
    headers: Object.fromEntries(HEADERS_READ.map((name) => [name, single(headers[name])])),
    body: readable(body),
    finish() {
      if (finished || disposed) return
      finished = true
      readToEnd(body)
    },
    async [Symbol.asyncDispose]() {
      if (disposed) return
      disposed = true
      released()
      if (!finished) body.destroy()
    },
  }
}

const single = (value: string | string[] | undefined): string =>
  Array.isArray(value) ? (value[0] ?? '') : (value ?? '')

/** Takes the rest of a body that should hold nothing more, so that its connection goes back to the pool. */
function readToEnd(body: Readable): void {
  let bytes = 0
  const late = setTimeout(() => body.destroy(), FINISH_MS_MAX)
  late.unref()
  body.once('close', () => clearTimeout(late))
  body.on('data', (chunk: Uint8Array) => {
    bytes += chunk.byteLength
    if (bytes > FINISH_BYTES_MAX) body.destroy()
  })
}

/** Leaving the loop early says nothing yet about the rest of the body: `finish` and disposing do. */
const readable = (body: Readable): AsyncIterable<Uint8Array> =>
  new StreamChunks(body, (error) =>
    error instanceof Refusal ? error : classifyTransportError(error, 'answered'),
  )
