import type { Socket } from 'node:net'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import fastify, { type FastifyInstance } from 'fastify'
import { refusals } from '../src/refusal.ts'

export interface TrafficServerBounds {
  readonly requestsPerConnectionMax: number
  readonly headerBytesMax: number
  readonly headersTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly keepAliveTimeoutMs: number
}

export interface TrafficServerOptions {
  readonly tls: SecureContextOptions & TlsOptions
  readonly bounds: TrafficServerBounds
  /** llhttp could not read a request: the code of Node's parser error. */
  malformed(code: string): void
}

/** How often Node looks for requests that are past their time. */
const CHECK_INTERVAL_MS = 500
/** Node's own request timer is the net below ours: it must not fire first, or the caller gets no JSON. */
const BODY_GRACE_MS = 2_000

/**
 * The HTTPS server of the traffic listener. Fastify's defaults that are unsafe here are named one by one: no request
 * timeout, 72 s keep-alive, JSON parsing with coercion, HEAD routes, an error handler that a scope may replace.
 */
export function createTrafficServer({ tls, bounds, malformed }: TrafficServerOptions): FastifyInstance {
  const https = {
    ...tls,
    maxHeaderSize: bounds.headerBytesMax,
    headersTimeout: bounds.headersTimeoutMs,
    requestTimeout: bounds.headersTimeoutMs + bounds.bodyTimeoutMs + BODY_GRACE_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    insecureHTTPParser: false,
    requireHostHeader: true,
    joinDuplicateHeaders: false,
  }
  return fastify({
    https,
    keepAliveTimeout: bounds.keepAliveTimeoutMs,
    maxRequestsPerSocket: bounds.requestsPerConnectionMax,
    // The router never sees a caller's path: src/exchange/inbound/find-endpoint.ts is the only reading of it.
    rewriteUrl: () => '/',
    // The path bounds the body itself, while it reads it; Fastify must not answer before the exchange can record it.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    logger: false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    allowErrorHandlerOverride: false,
    trustProxy: false,
    requestIdHeader: false,
    clientErrorHandler(error, socket) {
      malformed(error.code ?? 'unknown')
      answerMalformed(error.code, socket)
    },
  }) as unknown as FastifyInstance
}

const statusByParserCode: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** Written by hand because there is no response object: the request never became one. */
function answerMalformed(code: string | undefined, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { message, type } = refusals.malformed_request
  const body = JSON.stringify({ error: { message, type, code: 'malformed_request', param: null } })
  const status = statusByParserCode[code ?? ''] ?? `${refusals.malformed_request.status} Bad Request`
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`
  socket.end(head + body, () => socket.destroy())
}
