import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Client, Head } from '../src/exchange/arrival.ts'
import { Refusal } from '../src/refusal.ts'

export interface ClientBounds {
  /** How long a reply may wait for its reader before the connection is cut. */
  readonly slowReaderTimeoutMs: number
}

/** What a refused caller may still push before the connection is cut (Node would read gigabytes of it). */
const LINGER_BYTES_MAX = 65_536
const LINGER_MS_MAX = 1_000

/**
 * The caller's side of an exchange over Node's response object: the only place that touches it.
 *
 * 1. `gone` aborts exactly when the connection closes before `send` or `end` has resolved. Of Fastify's and Node's
 *    signals only the response's `close` event tells that for a POST with a body (measured; fastify issue 6208).
 * 2. `send` and `end` resolve when the last byte was handed to the kernel, or reject when that can no longer happen.
 * 3. At most one head and one end are ever written.
 * 4. A request body that nobody wants is drained up to a bound, then the connection is cut.
 */
export class NodeClient implements Client {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #bounds: ClientBounds
  readonly #gone = new AbortController()
  /** True while the gateway is going down: tells the caller's pool to open its next connection elsewhere. */
  readonly #closing: () => boolean

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    bounds: ClientBounds,
    closing: () => boolean,
  ) {
    this.#request = request
    this.#response = response
    this.#bounds = bounds
    this.#closing = closing
    response.once('close', () => {
      if (!response.writableFinished) this.#gone.abort(callerGone())
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
    this.#begin(head, { 'content-length': String(bytes.byteLength) })
    await this.#finish(bytes)
  }

  open(head: Head): void {
    this.#begin(head, {})
    this.#response.flushHeaders()
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
    const leftover = !this.#request.complete
    const close = leftover || this.#closing() ? { connection: 'close' } : {}
    this.#response.writeHead(head.status, { ...head.headers, ...framing, ...close })
  }

  async #finish(last: string | Buffer): Promise<void> {
    if (this.#gone.signal.aborted || this.#response.destroyed) throw callerGone()
    const finished = this.#until('finish')
    this.#response.end(last)
    await finished
    if (!this.#request.complete) linger(this.#request)
  }

  #drained(): Promise<void> {
    return this.#until('drain')
  }

  /** Waits for an event of the response within the slow-reader bound; cuts the connection when it does not come. */
  async #until(event: 'finish' | 'drain'): Promise<void> {
    const slow = new AbortController()
    const timer = setTimeout(() => slow.abort(), this.#bounds.slowReaderTimeoutMs)
    try {
      await once(this.#response, event, { signal: AbortSignal.any([slow.signal, this.#gone.signal]) })
    } catch {
      if (!slow.signal.aborted) throw callerGone()
      this.#response.destroy()
      throw new Refusal('slow_reader', `no ${event} within slowReaderTimeoutMs`)
    } finally {
      clearTimeout(timer)
    }
  }
}

const callerGone = (): Refusal => new Refusal('caller_gone', 'connection closed')

function linger(request: IncomingMessage): void {
  let bytes = 0
  const cut = setTimeout(() => request.destroy(), LINGER_MS_MAX)
  cut.unref()
  request.on('error', () => {})
  request.once('close', () => clearTimeout(cut))
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength
    if (bytes > LINGER_BYTES_MAX) request.destroy()
  })
  request.resume()
}
