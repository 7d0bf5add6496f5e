import type { SecureContextOptions, TlsOptions } from 'node:tls'
import fastify, { type FastifyInstance } from 'fastify'

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
    // A request without Host is refused by src/exchange/inbound/inspect.ts; Node would answer it unseen.
    requireHostHeader: false,
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
    // Counted here, answered in traffic-routes.ts as every request is.
    clientErrorHandler: (error) => malformed(error.code ?? 'unknown'),
  }) as unknown as FastifyInstance
}
