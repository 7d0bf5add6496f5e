import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Client, Head } from '../src/exchange/arrival.ts'
import { Refusal } from '../src/refusal.ts'

export interface ClientBounds {
  /** How long a reply may wait for its reader before the connection is cut. */
  readonly slowReaderTimeoutMs: number
}

/** What is still read of a body that nobody wants (Node would read gigabytes of it). */
const LINGER_BYTES_MAX = 65_536
/** How long a caller has to take the answer before the connection under its body is cut. */
const LINGER_MS_MAX = 1_000

/**
 * The caller's side of an exchange over Node's response object: the only place that touches it.
 *
 * 1. `gone` aborts exactly when the connection closes before `send` or `end` has resolved. Of Fastify's and Node's
 *    signals only the response's `close` event tells that for a POST with a body (measured; fastify issue 6208).
 * 2. `send` and `end` resolve when the last byte was handed to the kernel, or reject when that can no longer happen.
 * 3. At most one head and one end are ever written.
 * 4. Of a request body that nobody wants no more than a bound is read. A small one is drained and the connection kept;
 *    otherwise the answer leaves first and the connection closes a moment later: closing at once would reset it, and
 *    the caller, still writing, would never see why (RFC 9112 section 9.6).
 */
export class NodeClient implements Client {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #bounds: ClientBounds
  readonly #gone = new AbortController()
  /** The whole answer has left, although its end may be held back. */
  #answered = false
  /** Whether a reply of that status is the last on its connection, e.g. since the gateway is going down. */
  readonly #closing: (status: number) => boolean

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    bounds: ClientBounds,
    closing: (status: number) => boolean,
  ) {
    this.#request = request
    this.#response = response
    this.#bounds = bounds
    this.#closing = closing
    response.once('close', () => {
      if (!response.writableFinished && !this.#answered) this.#gone.abort(callerGone())
    })
    // A write after the caller has left raises an error event; `gone` has told already.
    response.on('error', () => {})
  }

  get gone(): AbortSignal {
    return this.#gone.signal
  }

  get begun(): boolean {
    return this.#response.headersSent
  }

  async send(head: Head, body: string): Promise<void> {
    const bytes = Buffer.from(body)
    // RFC 9110 section 8.6: none in a 204.
    this.#begin(head, head.status === 204 ? {} : { 'content-length': String(bytes.byteLength) })
    if (this.#request.complete || this.#drains(head)) await this.#finish(bytes)
    else await this.#finishLater(bytes)
  }

  open(head: Head): void {
    // The head leaves with the bytes that are written next: one record and one packet instead of two.
    this.#begin(head, {})
    this.#response.socket?.setNoDelay(true)
  }

  write(text: string): Promise<void> | undefined {
    if (this.#gone.signal.aborted) return Promise.reject(callerGone())
    return this.#response.write(text) ? undefined : this.#drained()
  }

  async end(text: string): Promise<void> {
    await this.#finish(text)
  }

  #begin(head: Head, framing: Record<string, string>): void {
    const leftover = !this.#request.complete && !this.#drains(head)
    const close = leftover || this.#closing(head.status) ? { connection: 'close' } : {}
    this.#response.writeHead(head.status, { ...head.headers, ...framing, ...close })
  }

  /** Whether the rest of the body is worth reading for a connection that can be used again. */
  #drains({ headers: { connection } }: Head): boolean {
    const { headers } = this.#request
    // A caller that waits for `100 Continue` may never send its body.
    if (connection === 'close' || headers.expect !== undefined) return false
    return Number(headers['content-length'] ?? Number.NaN) <= LINGER_BYTES_MAX
  }

  async #finish(last: string | Buffer): Promise<void> {
    if (this.#gone.signal.aborted || this.#response.destroyed) throw callerGone()
    const finished = this.#until('finish')
    this.#response.end(last)
    await finished
    if (!this.#request.complete) cutUnlessComplete(this.#request)
  }

  /** The whole answer now, the end of the connection when the caller had time to take it. */
  #finishLater(whole: Buffer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (this.#gone.signal.aborted) reject(callerGone())
    this.#gone.signal.addEventListener('abort', () => reject(callerGone()), { once: true })
    this.#response.write(whole, () => {
      this.#answered = true
      resolve()
    })
    linger(this.#request, this.#response)
    return promise
  }

  #drained(): Promise<void> {
    return this.#until('drain')
  }

  /**
   * Waits for an event of the response within the slow-reader bound; cuts the connection when it does not come. Plain
   * listeners: this is done for every answer, and signals that are made for one wait cost more than the answer's write.
   */
  #until(event: 'finish' | 'drain'): Promise<void> {
    const response = this.#response
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = (): void => {
      clearTimeout(slow)
      response.off(event, happened)
      response.off('close', gone)
      response.off('error', gone)
    }
    const happened = (): void => {
      leave()
      resolve()
    }
    // A wait for room must not outlive the response: `close` comes also where the end was written meanwhile.
    const gone = (): void => {
      leave()
      reject(callerGone())
    }
    const slow = setTimeout(() => {
      leave()
      reject(new Refusal('slow_reader', `no ${event} within slowReaderTimeoutMs`))
      response.destroy()
    }, this.#bounds.slowReaderTimeoutMs)
    response.once(event, happened)
    response.once('close', gone)
    response.once('error', gone)
    return promise
  }
}

const callerGone = (): Refusal => new Refusal('caller_gone', 'connection closed')

/** Node drains the body of a request that was answered; this bounds the time. Its length bounds the bytes. */
function cutUnlessComplete(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), LINGER_MS_MAX).unref()
  request.on('error', () => {})
  request.once('close', () => clearTimeout(timer))
}

/** Reads on until the body is over, above the bytes (then the caller has to wait) or above the time. */
function linger(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request
  const timer = setTimeout(() => socket.destroy(), LINGER_MS_MAX).unref()
  let bytes = 0
  response.once('close', () => clearTimeout(timer))
  request.once('end', () => response.end())
  request.on('error', () => {})
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength
    if (bytes > LINGER_BYTES_MAX) request.pause()
  })
  request.resume()
}
