import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Arrival, Client } from '../src/exchange/arrival.ts'
import type { PeerCertificate } from '../src/identity/principal.ts'
import { Refusal, type RefusalCode } from '../src/refusal.ts'

export interface TrafficOptions {
  /** Runs the exchange on the configuration that is current when it begins. */
  exchange(arrival: Arrival, client: Client): Promise<void>
  newId(): string
  peerOf(socket: TLSSocket): PeerCertificate
  checkHost(socket: TLSSocket, host: string): void
  clientOf(request: IncomingMessage, response: ServerResponse): Client
}

/**
 * Everything that arrives on the traffic listener becomes one exchange. Fastify's router never sees the caller's path
 * (`rewriteUrl` gives it a constant) and none of its body parsers runs, so there is one reading of a request, ours,
 * and no route beside the metered one.
 */
export function trafficRoutes(server: FastifyInstance, options: TrafficOptions): void {
  const handle = async (request: FastifyRequest, reply: FastifyReply, fault?: Refusal): Promise<void> => {
    reply.hijack()
    await options.exchange(arrivalOf(request, options, fault), options.clientOf(request.raw, reply.raw))
  }
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  server.all('/', (request, reply) => handle(request, reply))
  server.setNotFoundHandler((request, reply) => handle(request, reply))
  server.setErrorHandler<FastifyError>((error, request, reply) => handle(request, reply, faultOf(error)))
}

const codeByFastifyCode: Readonly<Record<string, RefusalCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_CTP_BODY_TOO_LARGE: 'request_too_large',
}

const faultOf = (error: FastifyError): Refusal =>
  new Refusal(codeByFastifyCode[error.code] ?? 'malformed_request', error.code ?? 'framework error', {
    cause: error,
  })

function arrivalOf(request: FastifyRequest, options: TrafficOptions, fault: Refusal | undefined): Arrival {
  const { raw } = request
  const socket = raw.socket as TLSSocket
  return {
    id: options.newId(),
    method: raw.method ?? '',
    target: request.originalUrl,
    httpVersion: raw.httpVersion,
    rawHeaders: raw.rawHeaders,
    body: unlessEmpty(raw),
    remoteAddress: socket.remoteAddress,
    fault,
    peer: () => options.peerOf(socket),
    checkHost: (host) => options.checkHost(socket, host),
  }
}

/** The body as bytes. Leaving the loop early must not destroy the socket: the caller is still owed an answer. */
const unlessEmpty = (raw: IncomingMessage): AsyncIterable<Uint8Array> => ({
  [Symbol.asyncIterator]: () => raw.iterator({ destroyOnReturn: false }),
})
