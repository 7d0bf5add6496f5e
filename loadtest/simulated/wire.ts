import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import type { Step } from './script.ts'

/** The caller has gone. */
export class Gone extends Error {}

/** A response that knows when the caller has gone, and never buffers more than the socket does. */
export class Wire {
  readonly response: ServerResponse
  readonly signal: AbortSignal

  constructor(response: ServerResponse) {
    this.response = response
    const gone = new AbortController()
    response.on('close', () => gone.abort(new Gone()))
    this.signal = gone.signal
  }

  async pause(ms: number): Promise<void> {
    this.signal.throwIfAborted()
    if (ms <= 0) return
    await delay(ms, undefined, { signal: this.signal }).catch(() => this.signal.throwIfAborted())
  }

  /** Waits for `what`, unless the caller goes first. */
  async until(what: Promise<void> | void): Promise<void> {
    this.signal.throwIfAborted()
    if (what === undefined) return
    const { promise, reject } = Promise.withResolvers<never>()
    const gone = (): void => reject(this.signal.reason)
    this.signal.addEventListener('abort', gone, { once: true })
    try {
      await Promise.race([what, promise])
    } finally {
      this.signal.removeEventListener('abort', gone)
    }
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.response.writeHead(status, headers)
    this.response.flushHeaders()
  }

  async write(bytes: string | Uint8Array): Promise<void> {
    this.signal.throwIfAborted()
    if (this.response.write(bytes)) return
    await this.until(new Promise((resolve) => this.response.once('drain', resolve)))
  }

  event(json: unknown): Promise<void> {
    return this.write(`data: ${JSON.stringify(json)}\n\n`)
  }

  async steps(steps: readonly Step[], write: (bytes: string | Uint8Array) => unknown): Promise<void> {
    for (const step of steps) {
      if (typeof step === 'string' || step instanceof Uint8Array) await write(step)
      else await this.pause(step.waitMs)
    }
  }

  json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    const text = JSON.stringify(body)
    this.response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
      ...headers,
    })
    this.response.end(text)
  }

  /** RST, as the kernel of a crashed server sends it. The caller may lose what it has not read yet. */
  reset(): void {
    const { socket } = this.response
    // A moment for what was written to arrive: without it the reset overtakes the events that were asked for.
    if (socket)
      setTimeout(() => (socket instanceof TLSSocket ? socket.destroy() : socket.resetAndDestroy()), 20)
  }

  /** Closes in the middle of a body: what was written arrives, the rest is missing. */
  cut(): void {
    this.response.socket?.destroySoon()
  }

  /** Holds the connection open and says nothing more, until the caller goes. */
  async stall(): Promise<never> {
    await this.until(new Promise<void>(() => {}))
    throw new Gone()
  }
}
