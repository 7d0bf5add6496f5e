import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Arrival, Client } from '../src/exchange/arrival.ts'
import type { PeerCertificate } from '../src/identity/principal.ts'
import { Refusal, type RefusalCode } from '../src/refusal.ts'
import { StreamChunks } from '../src/stream-chunks.ts'

export interface TrafficOptions {
  /** Runs the exchange on the configuration that is current when it begins. */
  exchange(arrival: Arrival, client: Client): Promise<void>
  newId(): string
  peerOf(socket: TLSSocket): PeerCertificate
  checkHost(socket: TLSSocket, host: string): void
  clientOf(request: IncomingMessage, response: ServerResponse): Client
}

/** Event of a request whose body turned out to be unreadable, with the Refusal. */
const UNREADABLE = 'unreadable'

/** Requests that may wait on one connection for the answers before theirs; a caller who sends more is cut. */
const PIPELINED_MAX = 32

/**
 * Everything that arrives on the traffic listener becomes one exchange. Fastify's router never sees the caller's path
 * (`rewriteUrl` gives it a constant) and none of its body parsers runs, so there is one reading of a request, ours,
 * and no route beside the metered one. What Node would answer by itself (an expectation, CONNECT, bytes that are no
 * request) goes the same way.
 *
 * 1. One exchange at a time on a connection: a pipelined request waits until the answer before it has left, and is
 *    never run when that answer closed the connection (RFC 9112 section 9.6).
 * 2. One answer for each request: bytes that cannot be read are answered once, by the exchange whose body they are in
 *    or by one of their own, and never in the place of another request's answer.
 */
export function trafficRoutes(server: FastifyInstance, options: TrafficOptions): void {
  const turns = new Turns(server.server.maxRequestsPerSocket ?? 0)
  const handle = async (request: FastifyRequest, reply: FastifyReply, fault?: Refusal): Promise<void> => {
    reply.hijack()
    const body = bodyOf(request.raw, reply.raw)
    await turns.take(reply.raw, () => {
      const arrival = arrivalOf(request.raw, { target: request.originalUrl, body, fault }, options)
      return options.exchange(arrival, options.clientOf(request.raw, reply.raw))
    })
  }
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  server.all('/', (request, reply) => handle(request, reply))
  server.setNotFoundHandler((request, reply) => handle(request, reply))
  server.setErrorHandler<FastifyError>((error, request, reply) => handle(request, reply, faultOf(error)))
  strays(server, turns, options)
}

/** What Node would answer by itself, each time without JSON and unseen by metrics and audit. */
function strays({ server, routing }: FastifyInstance, turns: Turns, options: TrafficOptions): void {
  // Node's own answers here: `100 Continue` before anybody was authenticated, and 417.
  server.on('checkContinue', (request, response) => routing(request, response))
  server.on('checkExpectation', (request, response) => routing(request, response))
  server.on('connect', (request) => answerAlone(request, undefined, turns, options))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Bytes behind a request that said `Connection: close`: its answer ends the connection, and nobody reads them.
    if (error.code === 'HPE_CLOSED_CONNECTION') return
    const fault = unreadable(error.code ?? '')
    if (fault === undefined || !socket.writable) socket.destroy()
    else if (!turns.interrupt(socket, fault)) answerAlone(unreadRequest(socket), fault, turns, options)
  })
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

const codeByParserCode: Readonly<Record<string, RefusalCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'request_too_large',
}

/** The refusal for bytes that are no request; `undefined` when the connection itself broke and nobody is listening. */
function unreadable(code: string): Refusal | undefined {
  const mapped = codeByParserCode[code]
  if (mapped !== undefined) return new Refusal(mapped, code)
  if (!code.startsWith('HPE_') || code === 'HPE_INVALID_EOF_STATE') return undefined
  return new Refusal('malformed_request', code)
}

function unreadRequest(socket: Socket): IncomingMessage {
  const request = new IncomingMessage(socket)
  request.complete = true
  return request
}

/** Runs an exchange for which Node made no response object, and closes its connection. */
function answerAlone(
  request: IncomingMessage,
  fault: Refusal | undefined,
  turns: Turns,
  options: TrafficOptions,
): void {
  const { socket } = request
  // Node has taken its own listeners off; an error that nobody hears would end the process.
  socket.on('error', () => {})
  if (turns.isTaken(socket)) {
    socket.destroy()
    return
  }
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => socket.destroySoon())
  const arrival = arrivalOf(request, { target: request.url ?? '', body: request, fault }, options)
  const run = (): Promise<void> => options.exchange(arrival, options.clientOf(request, response))
  turns.take(response, run).catch(() => socket.destroy())
}

type Reading = Pick<Arrival, 'target' | 'body' | 'fault'>

function arrivalOf(raw: IncomingMessage, reading: Reading, options: TrafficOptions): Arrival {
  const socket = raw.socket as TLSSocket
  return {
    ...reading,
    id: options.newId(),
    method: raw.method ?? '',
    httpVersion: raw.httpVersion,
    rawHeaders: raw.rawHeaders,
    remoteAddress: socket.remoteAddress,
    peer: () => options.peerOf(socket),
    checkHost: (host) => options.checkHost(socket, host),
  }
}

/**
 * The body as bytes. `100 Continue` leaves when somebody begins to read, so only after the caller was let in.
 * Leaving the loop early must not destroy the socket: the caller is still owed an answer.
 */
function bodyOf(raw: IncomingMessage, response: ServerResponse): AsyncIterable<Uint8Array> {
  const chunks = new StreamChunks(raw)
  raw.once(UNREADABLE, (refusal: Refusal) => chunks.fail(refusal))
  const iterate = (): AsyncIterator<Uint8Array> => {
    if (raw.headers.expect !== undefined && !raw.complete) response.writeContinue()
    return chunks[Symbol.asyncIterator]()
  }
  return { [Symbol.asyncIterator]: iterate }
}

interface Line {
  /** Requests so far. */
  count: number
  /** Requests that have a turn or wait for one. */
  length: number
  last: ServerResponse
  /** Resolves when the last of them is over. */
  over: Promise<void>
}

/** Whose turn it is on each connection. */
class Turns {
  readonly #lines = new WeakMap<Socket, Line>()
  readonly #countMax: number

  /** `countMax`: requests on one connection, 0 for any. */
  constructor(countMax: number) {
    this.#countMax = countMax
  }

  /** Runs the exchange when every answer before it has left, unless one of them closed the connection. */
  take(response: ServerResponse, run: () => Promise<void>): Promise<void> {
    const { socket } = response.req
    const line = this.#lines.get(socket) ?? { count: 0, length: 0, last: response, over: Promise.resolve() }
    this.#lines.set(socket, line)
    if (line.length > PIPELINED_MAX) {
      socket.destroy()
      return Promise.resolve()
    }
    line.length += 1
    line.count += 1
    line.last = response
    // Node says `Connection: close` in the last answer, but leaves the connection open (measured).
    if (line.count === this.#countMax) response.shouldKeepAlive = false
    const turn = line.over.then(() => (socket.writable ? run() : undefined))
    line.over = line.over
      .then(() => (socket.writable ? closed(response) : undefined))
      .then(() => {
        line.length -= 1
      })
    return turn
  }

  isTaken(socket: Socket): boolean {
    return (this.#lines.get(socket)?.length ?? 0) > 0
  }

  /**
   * Bytes that cannot be read: the exchange whose body they are in is told. Where they come after a request that is
   * whole, an answer to them would be taken for that request's, so the connection is cut. `false`: nobody's turn.
   */
  interrupt(socket: Socket, fault: Refusal): boolean {
    const line = this.#lines.get(socket)
    if (line === undefined || line.length === 0) return false
    const { last } = line
    if (last.req.complete) socket.destroy()
    else breakOff(last, fault)
    return true
  }
}

/** Nothing more of this request's body can come, and nothing after it. */
function breakOff(response: ServerResponse, fault: Refusal): void {
  response.shouldKeepAlive = false
  response.req.complete = true
  // Answered already, and only waiting for the rest of the body.
  if (response.headersSent) response.end()
  else response.req.emit(UNREADABLE, fault)
}

function closed(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (response.closed) resolve()
  else response.once('close', resolve)
  return promise
}
