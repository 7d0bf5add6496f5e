/** One connection through the proxy: two directions, each with its faults, and a record of how the caller's side closed. */
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSecureContext, TLSSocket } from 'node:tls'
import { type Fault, type Link, stage } from './fault.ts'

/** A certificate with its key, and whom it is shown to. */
export interface TlsIdentity {
  readonly cert: string
  readonly key: string
}

/** What is wrong with a connection. */
export interface Faults {
  /** From the caller to the server. */
  readonly upstream?: readonly Fault[]
  /** From the server to the caller. */
  readonly downstream?: readonly Fault[]
  /** Slow accept: nothing of the connection is read for so long. */
  readonly acceptDelayMs?: number
  /**
   * TLS ends here, with this certificate: the server is spoken to in plain text and the faults work inside of TLS, so
   * that each slice of a `slicer` is a TLS record of its own.
   */
  readonly tls?: TlsIdentity
}

/** What is known of a connection; it goes on changing until it has closed. */
export interface ConnectionRecord {
  /** From 1, in the order of acceptance. */
  readonly number: number
  readonly fromCaller: number
  readonly toServer: number
  /** Bytes that the server got rid of: what a slow or endless reply cost. */
  readonly fromServer: number
  readonly toCaller: number
  /** Whether the caller's side is still open. */
  readonly open: boolean
  /**
   * How the caller closed: its FIN or its RST came; `alert`: it broke the TLS handshake off. Undefined while it is open and
   * when the proxy closed first.
   */
  readonly closed: 'fin' | 'rst' | 'alert' | undefined
  /** `performance.now()` when the caller's side closed. */
  readonly closedAtMs: number | undefined
}

const resets: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE'])

export class ProxiedConnection implements ConnectionRecord {
  readonly number: number
  fromCaller = 0
  toServer = 0
  fromServer = 0
  toCaller = 0
  open = true
  closed: ConnectionRecord['closed']
  closedAtMs: number | undefined
  readonly #raw: Socket
  readonly #faults: Faults
  readonly #over = new AbortController()
  #caller: Duplex
  #server: Socket | undefined
  #cut = false

  constructor(socket: Socket, number: number, faults: Faults) {
    this.#raw = socket
    this.#caller = socket
    this.number = number
    this.#faults = faults
    socket.setNoDelay(true)
    this.#watch(socket)
  }

  /** Passes bytes both ways until both sides have ended. */
  async run(target: { readonly host: string; readonly port: number }): Promise<void> {
    const { acceptDelayMs = 0, upstream = [], downstream = [], tls } = this.#faults
    if (acceptDelayMs > 0)
      await sleep(acceptDelayMs, undefined, { signal: this.#over.signal }).catch(() => {})
    if (!this.open) return
    if (tls !== undefined) this.#caller = this.#secure(tls)
    const server = connect({ ...target, allowHalfOpen: true, noDelay: true })
    this.#server = server
    server.on('error', () => this.reset())
    const caller = this.#caller
    await Promise.all([
      this.#pump(caller, server, upstream, 'fromCaller', 'toServer'),
      this.#pump(server, caller, downstream, 'fromServer', 'toCaller'),
    ])
    this.destroy()
  }

  /** Closes both sides at once, each with an RST. */
  reset(): void {
    this.#cut ||= this.open
    for (const socket of [this.#raw, this.#server]) if (socket !== undefined) resetSocket(socket)
    this.#ended()
  }

  /** Closes both sides properly, after what is on its way to them. */
  close(): void {
    this.#cut ||= this.open
    this.#caller.end(() => this.destroy())
    this.#server?.end()
  }

  destroy(): void {
    this.#caller.destroy()
    this.#raw.destroy()
    this.#server?.destroy()
    this.#ended()
  }

  #secure(tls: TlsIdentity): TLSSocket {
    const socket = new TLSSocket(this.#raw, {
      isServer: true,
      secureContext: createSecureContext({ cert: tls.cert, key: tls.key }),
    })
    let agreed = false
    socket.once('secure', () => {
      agreed = true
    })
    socket.once('close', () => this.#left(agreed ? 'fin' : 'alert'))
    this.#watch(socket)
    return socket
  }

  #watch(socket: Duplex): void {
    socket.once('end', () => this.#left('fin'))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!resets.has(error.code)) return this.destroy()
      this.#left('rst')
      this.reset()
    })
    socket.once('close', () => this.destroy())
  }

  /** The caller has closed, unless the proxy did before. */
  #left(how: ConnectionRecord['closed']): void {
    if (!this.#cut && this.closed === undefined) {
      this.closed = how
      this.closedAtMs = performance.now()
    }
    this.open = false
    // A stalled direction has nobody to stall for.
    this.#over.abort()
  }

  #ended(): void {
    this.open = false
    this.#over.abort()
  }

  async #pump(
    source: Duplex,
    sink: Duplex,
    faults: readonly Fault[],
    taken: 'fromCaller' | 'fromServer',
    given: 'toServer' | 'toCaller',
  ): Promise<void> {
    const link: Link = {
      over: this.#over.signal,
      random: Math.random,
      finish: () => void sink.end(),
      close: () => this.close(),
      reset: () => this.reset(),
    }
    const counted = read(source, (bytes) => {
      this[taken] += bytes
    })
    let bytes: AsyncIterable<Buffer> = counted
    for (const fault of faults) bytes = stage(bytes, fault, link)
    for await (const chunk of bytes) {
      if (!sink.writable || chunk.length === 0) continue
      this[given] += chunk.length
      if (!sink.write(chunk)) await drained(sink)
    }
    if (sink.writable) sink.end()
  }
}

/**
 * While the FIN of a socket waits to be sent, libuv refuses its reset, and Node.js 26 loses the handle: it is never closed,
 * and the process spins when it ends.
 */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}

async function* read(source: Duplex, count: (bytes: number) => void): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      count(chunk.length)
      yield chunk
    }
  } catch {
    // The socket failed; its 'error' listener has said so.
  }
}

function drained(sink: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = (): void => {
    sink.off('drain', done).off('close', done)
    resolve()
  }
  sink.once('drain', done).once('close', done)
  if (sink.destroyed) done()
  return promise
}
