/**
 * Client certificates on the traffic listener: what TLS accepted is verified once more, once for each connection.
 *
 * Invariants:
 *  1. No exchange sees a certificate that `verify` has not passed under the material in force when it connected.
 *  2. From `swap` on no exchange begins on a connection whose certificate would not be believed under the new
 *     material, and `FAREWELL_MS` later no such connection is open: time for the error event of a running stream.
 *  3. Of one certificate at most `connectionsPerCertificateMax` connections are served at a time. One above that is
 *     refused and closed `FAREWELL_MS` later, whether it says something or not.
 *  4. Nothing a caller does in a handshake throws out of here; what cannot be judged is refused.
 */
import type { X509Certificate } from 'node:crypto'
import type { Server } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContextOptions, TLSSocket, TlsOptions } from 'node:tls'
import type { PeerCertificate } from '../src/identity/principal.ts'
import type { TlsMaterial } from '../src/identity/tls-material.ts'
import type { TrustStore, VerifiedPeer } from '../src/identity/trust.ts'
import { Refusal } from '../src/refusal.ts'

/** The rules of `src/identity/trust.ts`. */
export interface PeerTrust {
  verifyPeer(
    store: TrustStore,
    leaf: X509Certificate,
    presented: readonly X509Certificate[],
    now: number,
  ): VerifiedPeer
  fallenBy(store: TrustStore, peer: VerifiedPeer): string | undefined
  currentPeer(peer: VerifiedPeer, now: number): PeerCertificate
}

export interface MutualTlsParts {
  readonly material: TlsMaterial
  readonly trust: PeerTrust
  /** Most open connections; those above are closed before TLS begins. */
  readonly connectionsMax: number
  /** Most open connections of one certificate; a quarter of all when it is left out. */
  readonly connectionsPerCertificateMax?: number | undefined
  /** Names that a caller may ask for (SNI), lower-case without a trailing dot; `undefined` for any. */
  readonly serverNames: ReadonlySet<string> | undefined
  readonly now: () => number
  /** Told of each certificate that a swap no longer believes, with the refusal of its further requests. */
  readonly fallen?: (certificate: PeerCertificate, refusal: Refusal) => void
  /** Told of each failed handshake with the code of Node or OpenSSL, never with a text of the caller. */
  readonly handshakeFailed: (code: string | undefined) => void
}

export interface MutualTls {
  /** The caller's certificate. Throws a Refusal where it does not, or no longer, meet the rules. Cheap. */
  peerOf(socket: Socket): PeerCertificate
  /** Throws `misdirected_request` when Host names another server than SNI did; asks nothing where SNI was not sent. */
  checkHost(socket: Socket, host: string | undefined): void
  /**
   * Whether a reply of that status ends the connection: who was refused (401, 403) has no claim to it while more than
   * half of all connections, or of those of its certificate, are in use.
   */
  endsAfter(socket: Socket, status: number): boolean
  /** Takes new material into force and returns how many connections it ends. On a throw the old one stays. */
  swap(material: TlsMaterial): number
  /** Destroys every connection, also those that are still in their handshake. */
  destroyAll(): void
}

type Verdict = { readonly peer: VerifiedPeer } | { readonly refusal: Refusal }
type Connection = Verdict & { readonly serverName: string | undefined }

/** Certificates above the leaf that are looked at; one more than the rules take, so that they see the excess. */
const presentedMax = 11

/** How long a connection whose certificate fell is kept for what is still to be said on it. */
const FAREWELL_MS = 500

/** The TLS part of the options of an HTTPS server that asks every caller for a certificate. */
export function secureServerOptions(
  material: TlsMaterial,
  { handshakeTimeoutMs }: { readonly handshakeTimeoutMs: number },
): SecureContextOptions & TlsOptions {
  return {
    ...material.contextOptions(),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
    // Node's default is two minutes (measured).
    handshakeTimeout: handshakeTimeoutMs,
  }
}

/** Watches the connections of a server that was made with `secureServerOptions`. Call it before `listen`. */
export function guardConnections(server: Server, parts: MutualTlsParts): MutualTls {
  const { trust, now } = parts
  const connections = new WeakMap<Socket, Connection>()
  const open = new Set<TLSSocket>()
  const raw = new Set<Socket>()
  const shares = new Map<string, number>()
  const shareMax = parts.connectionsPerCertificateMax ?? Math.max(1, Math.floor(parts.connectionsMax / 4))
  let material = parts.material

  server.maxConnections = parts.connectionsMax
  // Under node:cluster Node would offer it to the other workers in turn, and when all are full go on for ever.
  Object.assign(server, { dropMaxConnection: true })
  server.on('connection', (socket: Socket) => {
    raw.add(socket)
    socket.once('close', () => raw.delete(socket))
  })
  // Before the HTTP parser is attached, so that no request can be read from a connection that is not known yet.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const connection = judge(socket, material.trust, parts)
    connections.set(socket, admitted(socket, connection, shares, shareMax))
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  // Node's own listener passes these on as `clientError`: to be counted, and answered in plain HTTP, as a bad request.
  server.removeAllListeners('tlsClientError')
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    parts.handshakeFailed(codeOf(error, socket))
    socket.destroy()
  })
  server.on('drop', () => parts.handshakeFailed('CONNECTIONS_MAX'))

  const connectionOf = (socket: Socket): Connection => {
    const connection = connections.get(socket)
    if (connection === undefined) throw new Error('a request came from a connection that was never judged')
    return connection
  }

  return {
    peerOf: (socket) => {
      const connection = connectionOf(socket)
      if ('refusal' in connection) throw connection.refusal
      return trust.currentPeer(connection.peer, now())
    },
    checkHost: (socket, host) => {
      const { serverName } = connectionOf(socket)
      if (serverName === undefined || (host !== undefined && nameOf(host) === serverName)) return
      throw new Refusal('misdirected_request', 'host_is_not_sni')
    },
    endsAfter: (socket, status) => {
      if (status !== 401 && status !== 403) return false
      const connection = connectionOf(socket)
      const share = 'peer' in connection ? (shares.get(connection.peer.certificate.fingerprint) ?? 0) : 0
      return open.size * 2 > parts.connectionsMax || share * 2 > shareMax
    },
    swap: (next) => {
      server.setSecureContext(next.contextOptions())
      material = next
      return endFallen(open, connections, next.trust, parts)
    },
    destroyAll: () => {
      for (const socket of [...open, ...raw]) socket.destroy()
    },
  }
}

/** Gives the connection its place among those of its certificate, or refuses it where none is left. */
function admitted(
  socket: TLSSocket,
  connection: Connection,
  shares: Map<string, number>,
  shareMax: number,
): Connection {
  if ('refusal' in connection) return connection
  const { fingerprint } = connection.peer.certificate
  const share = shares.get(fingerprint) ?? 0
  if (share >= shareMax) {
    setTimeout(() => socket.destroy(), FAREWELL_MS).unref()
    const refusal = new Refusal('overloaded', 'connections_of_certificate', { retryAfterMs: 1_000 })
    return { serverName: connection.serverName, refusal }
  }
  shares.set(fingerprint, share + 1)
  socket.once('close', () => {
    const left = (shares.get(fingerprint) ?? 1) - 1
    if (left > 0) shares.set(fingerprint, left)
    else shares.delete(fingerprint)
  })
  return connection
}

/** A connection that was refused is ended as well: under the new material it may be welcome. */
function endFallen(
  open: ReadonlySet<TLSSocket>,
  connections: WeakMap<Socket, Connection>,
  store: TrustStore,
  { trust, fallen }: MutualTlsParts,
): number {
  let ended = 0
  for (const socket of open) {
    const connection = connections.get(socket)
    if (connection === undefined || 'refusal' in connection) {
      socket.destroy()
      ended += 1
      continue
    }
    const fault = trust.fallenBy(store, connection.peer)
    if (fault === undefined) continue
    ended += 1
    const refusal = new Refusal(fault === 'cert_revoked' ? 'token_revoked' : 'invalid_certificate', fault)
    connections.set(socket, { serverName: connection.serverName, refusal })
    fallen?.(connection.peer.certificate, refusal)
    setTimeout(() => socket.destroy(), FAREWELL_MS).unref()
  }
  return ended
}

function judge(socket: TLSSocket, store: TrustStore, parts: MutualTlsParts): Connection {
  // Node gives the name as it was sent, odd case and trailing dot included; `false` or null where none was.
  const serverName = typeof socket.servername === 'string' ? canonical(socket.servername) : undefined
  if (serverName !== undefined && parts.serverNames?.has(serverName) === false) {
    return { serverName, refusal: new Refusal('misdirected_request', 'sni_unknown') }
  }
  return { serverName, ...verdictOf(socket, store, parts) }
}

function verdictOf(socket: TLSSocket, store: TrustStore, { trust, now }: MutualTlsParts): Verdict {
  try {
    const leaf = socket.getPeerX509Certificate()
    if (leaf === undefined || !socket.authorized) {
      return { refusal: new Refusal('invalid_certificate', 'cert_missing') }
    }
    return { peer: trust.verifyPeer(store, leaf, presentedBy(leaf), now()) }
  } catch (error) {
    if (error instanceof Refusal) return { refusal: error }
    return { refusal: new Refusal('invalid_certificate', 'cert_unreadable', { cause: error }) }
  }
}

/** What the caller sent above the leaf, in the order sent; measured: nothing on a resumed session. */
function presentedBy(leaf: X509Certificate): X509Certificate[] {
  const presented: X509Certificate[] = []
  let next = leaf.issuerCertificate
  while (next !== undefined && presented.length < presentedMax) {
    presented.push(next)
    next = next.issuerCertificate
  }
  return presented
}

/** Node ends a connection that OpenSSL did not verify with a plain ECONNRESET; the reason is on the socket. */
function codeOf(error: Error, socket: TLSSocket): string | undefined {
  // Node's types say Error; it is the code of OpenSSL, a string (measured on Node 26), or null.
  const reason: unknown = socket.authorizationError
  if (typeof reason === 'string') return reason
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

const portOf = /:[0-9]*$/

/** The name in a Host header, without the port. */
const nameOf = (host: string): string => canonical(host.replace(portOf, ''))

/** Names are one in any case, and with a trailing dot (RFC 1034 section 3.1); Node's SNI lookup disagrees. */
const canonical = (name: string): string => name.toLowerCase().replace(/\.$/, '')
