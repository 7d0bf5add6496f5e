/** A guarded listener on a real port, and callers that speak just enough HTTP over a real TLS socket. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import {
  guardConnections,
  type MutualTls,
  type MutualTlsParts,
  secureServerOptions,
} from '../../plugins/mutual-tls.ts'
import {
  loadTlsMaterial,
  type TlsFiles,
  type TlsMaterial,
  type TlsOptions,
} from '../../src/identity/tls-material.ts'
import * as trust from '../../src/identity/trust.ts'
import { Refusal } from '../../src/refusal.ts'
import type { Identity } from './certificates.ts'

export interface MaterialOptions
  extends Partial<Pick<TlsOptions, 'minVersion' | 'sessionTickets' | 'chainDepthMax'>> {
  readonly server: Identity
  readonly clientCa?: readonly Identity[]
  readonly trustDomains?: Readonly<Record<string, readonly Identity[]>>
  readonly crl?: readonly string[]
}

const bundle = (all: readonly Identity[]): Buffer => Buffer.from(all.map(({ cert }) => cert).join(''))

/** Loads TLS material from certificates made in memory. */
export function makeMaterial({
  server,
  clientCa,
  trustDomains,
  crl,
  ...options
}: MaterialOptions): TlsMaterial {
  const files: TlsFiles = {
    certificate: Buffer.from(server.cert),
    key: Buffer.from(server.key),
    clientCa: clientCa && bundle(clientCa),
    crl: crl?.map((text) => Buffer.from(text)),
    trustDomains:
      trustDomains && new Map(Object.entries(trustDomains).map(([name, all]) => [name, bundle(all)])),
  }
  return loadTlsMaterial(files, {
    minVersion: 'TLSv1.3',
    sessionTickets: false,
    chainDepthMax: 3,
    now: Date.now(),
    ...options,
  })
}

export interface Listener extends AsyncDisposable {
  readonly server: Server
  readonly port: number
  readonly tls: MutualTls
  /** Codes of failed handshakes, in order. */
  readonly failures: (string | undefined)[]
  /** How many requests reached the HTTP side. */
  readonly served: () => number
  /** Resolves when so many handshakes have failed. */
  failed(count: number): Promise<void>
}

export type ListenerParts = Partial<Omit<MutualTlsParts, 'material' | 'trust' | 'handshakeFailed'>> & {
  readonly handshakeTimeoutMs?: number
}

/** Answers with `200 <fingerprint>`, or the status and detail of the Refusal; `/stream` never ends. */
export async function listen(material: TlsMaterial, parts: ListenerParts = {}): Promise<Listener> {
  const { handshakeTimeoutMs = 5_000, ...rest } = parts
  const failures: (string | undefined)[] = []
  const waiting = new EventTarget()
  let served = 0
  const server = createServer(secureServerOptions(material, { handshakeTimeoutMs }))
  const tls = guardConnections(server, {
    material,
    trust,
    connectionsMax: 100,
    serverNames: undefined,
    now: Date.now,
    handshakeFailed: (code) => {
      failures.push(code)
      waiting.dispatchEvent(new Event('failure'))
    },
    ...rest,
  })
  server.on('request', (incoming, outgoing) => {
    served += 1
    const { status, text } = answer(tls, incoming.socket as TLSSocket, incoming.headers.host)
    outgoing.writeHead(
      status,
      incoming.url === '/stream' ? {} : { 'content-length': Buffer.byteLength(text) },
    )
    if (incoming.url === '/stream') outgoing.write(text)
    else outgoing.end(text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    port: (server.address() as AddressInfo).port,
    tls,
    failures,
    served: () => served,
    failed: async (count) => {
      while (failures.length < count) await once(waiting, 'failure')
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function answer(
  tls: MutualTls,
  socket: TLSSocket,
  host: string | undefined,
): { status: number; text: string } {
  try {
    tls.checkHost(socket, host)
    return { status: 200, text: tls.peerOf(socket).fingerprint }
  } catch (error) {
    if (error instanceof Refusal) return { status: error.row.status, text: error.detail }
    return { status: 500, text: String(error) }
  }
}

export interface Reply {
  readonly status: number
  readonly text: string
}

export interface Caller {
  readonly socket: TLSSocket
  /** The code with which the connection failed, `closed` when it ended without one; pending while it is open. */
  readonly ended: Promise<string>
  /** The newest session ticket. */
  readonly session: () => Buffer | undefined
  /** Sends one request and reads its reply; `undefined` when the connection ended instead. */
  get(host?: string, path?: string): Promise<Reply | undefined>
  close(): Promise<void>
}

/** Opens a connection as `identity` (with its chain), or as nobody. */
export function call(listener: Listener, identity?: Identity, options: ConnectionOptions = {}): Caller {
  const socket = connect({
    host: '127.0.0.1',
    port: listener.port,
    // Who the server is, is not the question here.
    rejectUnauthorized: false,
    ...(identity ? { cert: identity.chain, key: identity.key } : {}),
    ...options,
  })
  let session: Buffer | undefined
  let failure = 'closed'
  socket.on('session', (ticket: Buffer) => {
    session = ticket
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failure = error.code ?? error.message
  })
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(failure)))
  return {
    socket,
    ended,
    session: () => session,
    get: async (host = 'localhost', path = '/') => {
      const { promise, resolve } = Promise.withResolvers<Reply | undefined>()
      let text = ''
      const take = (chunk: Buffer): void => {
        text += chunk.toString('latin1')
        const reply = parseReply(text, path)
        if (reply !== undefined) resolve(reply)
      }
      socket.on('data', take)
      ended.then(() => resolve(undefined))
      if (!socket.destroyed) socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      try {
        return await promise
      } finally {
        socket.off('data', take)
      }
    },
    close: async () => {
      socket.destroy()
      await ended
    },
  }
}

function parseReply(text: string, path: string): Reply | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const status = Number(text.slice(9, 12))
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
  const body = text.slice(end + 4)
  if (path === '/stream' ? body === '' : body.length < length) return undefined
  return { status, text: body }
}
