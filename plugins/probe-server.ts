import fastify, { type FastifyInstance } from 'fastify'

export interface ProbeAnswer {
  readonly status: number
  readonly body: object
}

export interface ProbeOptions {
  livez(): ProbeAnswer
  readyz(): ProbeAnswer
  metrics(): Promise<string>
  readonly metricsContentType: string
}

/** Probes and metrics: plain HTTP for the cluster's own network, three GET routes and nothing else. */
export function createProbeServer(options: ProbeOptions): FastifyInstance {
  const server = fastify({ logger: false, keepAliveTimeout: 5_000, bodyLimit: 1_024, requestIdHeader: false })
  server.get('/livez', (_request, reply) => answer(reply, options.livez()))
  server.get('/readyz', (_request, reply) => answer(reply, options.readyz()))
  server.get('/metrics', async (_request, reply) => {
    reply.header('cache-control', 'no-store').type(options.metricsContentType)
    return options.metrics()
  })
  server.setNotFoundHandler((_request, reply) => {
    reply.code(404).send({ error: 'not found: this listener serves /livez, /readyz and /metrics' })
  })
  return server
}

const answer = (
  reply: { code(status: number): { header(name: string, value: string): { send(body: object): unknown } } },
  { status, body }: ProbeAnswer,
): unknown => reply.code(status).header('cache-control', 'no-store').send(body)
