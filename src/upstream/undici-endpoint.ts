import type { Readable } from 'node:stream'
import { type Dispatcher, Pool } from 'undici'
import { Refusal } from '../refusal.ts'
import { connectorFor, type UpstreamTls } from './connector.ts'
import { diedOnReusedSocket } from './socket-fate.ts'
import { classifyTransportError } from './transport-error.ts'
import type { EndpointHandle, UpstreamAnswer, UpstreamRequest } from './upstream.ts'

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
/** When a connection becomes free is not known; a short wait spreads the callers. */
const BUSY_RETRY_MS = 1_000
/** The end of a body comes in a packet of its own after `[DONE]`; what comes later or is longer is not waited for. */
const FINISH_MS_MAX = 1_000
const FINISH_BYTES_MAX = 16_384
/** Response headers that anything of ours reads; every other one ends here. */
const HEADERS_READ = ['content-encoding', 'retry-after', 'endpoint-load-metrics'] as const

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
  let inFlight = 0
  return {
    origin: options.origin,
    get inFlight() {
      return inFlight
    },
    async post(request, signal) {
      // A connection carries one exchange: above this they would wait in a queue without a bound.
      if (inFlight >= options.connectionsMax) {
        throw new Refusal('upstream_overloaded', 'connectionsMax', { retryAfterMs: BUSY_RETRY_MS })
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
    close: () => pool.close(),
  }
}

interface Sent {
  readonly response: Dispatcher.ResponseData
  readonly attempts: number
}

async function send(
  pool: Pool,
  options: EndpointOptions,
  request: UpstreamRequest,
  signal: AbortSignal,
): Promise<Sent> {
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
      })
      options.observer.answered(response.statusCode, performance.now() - startedAt)
      return { response, attempts }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (attempts >= ATTEMPTS_MAX || !diedOnReusedSocket(error)) {
        options.observer.answered(undefined, performance.now() - startedAt)
        throw classifyTransportError(error)
      }
      options.observer.retried()
    }
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
  const key = options.apiKey()
  if (key !== undefined) headers.authorization = `Bearer ${key}`
  return headers
}

function answerOf({ response, attempts }: Sent, released: () => void): UpstreamAnswer {
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
    attempts,
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

async function* readable(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    // Leaving the loop early says nothing yet about the rest of the body: `finish` and disposing do.
    yield* body.iterator({ destroyOnReturn: false })
  } catch (error) {
    throw error instanceof Refusal ? error : classifyTransportError(error)
  }
}
