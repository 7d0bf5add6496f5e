import fastify, { type FastifyInstance, type FastifyReply, type onRequestHookHandler } from 'fastify'

export interface ProbeAnswer {
  readonly status: number
  readonly body: object
}

export interface ProbeOptions {
  livez(): ProbeAnswer
  readyz(): ProbeAnswer | Promise<ProbeAnswer>
  metrics(): Promise<string>
  readonly metricsContentType: string
}

const HEAD_MS_MAX = 5_000
const REQUEST_MS_MAX = 10_000
/** How often Node looks for requests that are past their time; left out it would be half a minute. */
const CHECK_INTERVAL_MS = 500
const HEADER_BYTES_MAX = 8_192
/** Kubelets and scrapers open a handful. Whoever opens more must not take the process's file descriptors. */
const CONNECTIONS_MAX = 128

/** Probes and metrics: plain HTTP for the cluster's own network, three GET routes and nothing else. */
export function createProbeServer(options: ProbeOptions): FastifyInstance {
  const server = fastify({
    http: {
      headersTimeout: HEAD_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    logger: false,
    keepAliveTimeout: 5_000,
    // Fastify sets its own over Node's: given to both.
    requestTimeout: REQUEST_MS_MAX,
    bodyLimit: 1_024,
    requestIdHeader: false,
    exposeHeadRoutes: false,
    frameworkErrors: (_error, _request, reply) => void fail(reply, 400, 'bad request'),
  })
  server.server.maxConnections = CONNECTIONS_MAX
  server.addHook('onRequest', refuseBody)
  server.get('/livez', (_request, reply) => answer(reply, options.livez()))
  server.get('/readyz', async (_request, reply) => answer(reply, await options.readyz()))
  server.get('/metrics', async (_request, reply) => {
    const text = await options.metrics()
    return reply.header('cache-control', 'no-store').type(options.metricsContentType).send(text)
  })
  server.setNotFoundHandler((_request, reply) => {
    fail(reply, 404, 'not found: this listener serves /livez, /readyz and /metrics')
  })
  // The framework's own answers quote addresses and the messages of errors.
  server.setErrorHandler<{ statusCode?: number }>((error, _request, reply) => {
    const isCallers = error.statusCode !== undefined && error.statusCode < 500
    fail(reply, isCallers ? 400 : 500, isCallers ? 'bad request' : 'failed')
  })
  return server
}

const answer = (reply: FastifyReply, { status, body }: ProbeAnswer): FastifyReply =>
  reply.code(status).header('cache-control', 'no-store').send(body)

const fail = (reply: FastifyReply, status: number, error: string): FastifyReply =>
  answer(reply, { status, body: { error } })

/** No probe has a body: it is answered before a byte of it is read, and its connection ends with the answer. */
const refuseBody: onRequestHookHandler = ({ headers, raw }, reply, done) => {
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0)
    return done()
  reply.raw.once('finish', () => raw.socket.destroySoon())
  fail(reply.header('connection', 'close'), 400, 'bad request: a probe has no body')
}
