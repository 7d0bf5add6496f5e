import { buildConnector } from 'undici'

/** TLS toward a model server: its own CA, never the system's roots; a client certificate where the server asks for one. */
export interface UpstreamTls {
  readonly ca: string | Buffer
  readonly certificate?: string | Buffer
  readonly key?: string | Buffer
  /** Name to verify when the URL holds an address. */
  readonly serverName?: string
}

interface ConnectorOptions {
  readonly tls: UpstreamTls | undefined
  readonly connectTimeoutMs: number
  readonly observer: { connected(connectMs: number): void }
}

/** A connector that verifies the server against `tls.ca` alone and reports how long each connection took. */
export function connectorFor(options: ConnectorOptions): buildConnector.connector {
  const connect = buildConnector({ timeout: options.connectTimeoutMs, ...tlsOptions(options.tls) })
  return (target, callback) => {
    const startedAt = performance.now()
    connect(target, (...result) => {
      if (result[0] === null) options.observer.connected(performance.now() - startedAt)
      callback(...result)
    })
  }
}

const tlsOptions = (tls: UpstreamTls | undefined): buildConnector.BuildOptions =>
  tls === undefined
    ? {}
    : {
        ca: tls.ca,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        // Session reuse is not bound to the host in every Node line (CVE-2026-48934); a handshake is cheap beside a generation.
        maxCachedSessions: 0,
        ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
        ...(tls.key === undefined ? {} : { key: tls.key }),
        ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
      }
