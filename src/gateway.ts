import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { bearerToken } from '../plugins/bearer-token.ts'
import { NodeClient } from '../plugins/client.ts'
import { drain } from '../plugins/drain.ts'
import { guardConnections, type MutualTls, secureServerOptions } from '../plugins/mutual-tls.ts'
import { createProbeServer } from '../plugins/probe-server.ts'
import { trafficRoutes } from '../plugins/traffic-routes.ts'
import { createTrafficServer } from '../plugins/traffic-server.ts'
import { openAuditLog } from './audit/open.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Config } from './config/load.ts'
import type { FileSource } from './config/source.ts'
import { BodyBudget } from './exchange/body-budget.ts'
import { exchange } from './exchange/exchange.ts'
import { newExchangeId } from './exchange/exchange-id.ts'
import { Lives } from './exchange/life.ts'
import type { Gateway } from './exchange/parts.ts'
import { RefusalRecords } from './exchange/settle/refusal-records.ts'
import { AuditTrail } from './gateway/audit-trail.ts'
import { Identities } from './gateway/identities.ts'
import { Reloader } from './gateway/reloader.ts'
import { needingRestart } from './gateway/restart.ts'
import { Serving } from './gateway/serving.ts'
import type { Telemetry } from './gateway/telemetry.ts'
import { readTlsMaterial } from './gateway/tls-files.ts'
import type { Foundation } from './gateway/version.ts'
import type { TlsMaterial } from './identity/tls-material.ts'
import { currentPeer, fallenBy, verifyPeer } from './identity/trust.ts'
import { memoryQuota } from './quota/memory-quota.ts'
import { Refusal } from './refusal.ts'
import { livez, readyz } from './telemetry/probes.ts'

export interface GatewayOptions {
  readonly source: FileSource
  /** The configuration that `source` held, checked. */
  readonly config: Config
  readonly telemetry: Telemetry
  readonly version: string
  readonly clock?: Clock
}

export interface RunningGateway {
  readonly trafficOrigin: string
  readonly probesOrigin: string
  /** Reads the configuration again, as a change of a file does. */
  reload(): Promise<void>
  /**
   * Drains and stops: no new exchanges, streams to their end or the deadline (the configured one, or an earlier one
   * that is given), then everything is closed.
   */
  close(options?: { readonly deadlineMs?: number }): Promise<void>
}

/** Composes the parts and listens. The order of what happens to a request is in src/exchange/exchange.ts, not here. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { config, telemetry, clock = systemClock } = options
  const { metrics, events } = telemetry
  const { traffic, audit: auditConfig } = config.gateway
  const material = readTlsMaterial(traffic, clock.now())
  const server = createTrafficServer({
    tls: secureServerOptions(material, traffic.tls),
    bounds: traffic.bounds,
    malformed: (code) => metrics.malformedRequest(code),
  })
  await server.register(bearerToken)
  const log = await openAuditLog({
    directory: auditConfig.directory,
    segmentBytesMax: auditConfig.segmentBytesMax,
    clock,
    onNotice: (notice) => telemetry.auditNotice(notice),
  })
  const audit = new AuditTrail(log, clock, metrics)
  const foundation: Foundation = {
    clock,
    lives: new Lives(),
    refusalRecords: new RefusalRecords({ clock, audit }),
    bodies: new BodyBudget(),
    quota: memoryQuota({ clock }),
    audit,
    metrics,
    events,
    startedAtSeconds: Math.floor(clock.now() / 1000),
  }
  const running = new Running(options, foundation, server, material)
  try {
    return await running.start()
  } catch (error) {
    // One listener may be open already, and the audit folder is ours: neither may outlive a start that failed.
    await running.abandon().catch(() => {})
    throw error
  }
}

/** The process's gateway: two servers, and the one value that a reload replaces. */
class Running implements RunningGateway {
  readonly #options: GatewayOptions
  readonly #foundation: Foundation
  readonly #traffic: FastifyInstance
  readonly #probes: FastifyInstance
  readonly #identities: Identities
  readonly #tls: MutualTls
  readonly #serving: Serving
  readonly #reloader: Reloader
  #closing: Promise<void> | undefined

  constructor(
    options: GatewayOptions,
    foundation: Foundation,
    traffic: FastifyInstance,
    material: TlsMaterial,
  ) {
    const { config, telemetry, source } = options
    this.#options = options
    this.#foundation = foundation
    this.#traffic = traffic
    this.#identities = new Identities(() => traffic.verifyWithLibrary, foundation)
    this.#tls = this.#guard(config, material)
    this.#serving = new Serving({
      foundation,
      telemetry,
      material,
      config,
      identities: this.#identities,
      swapTls: (next) => this.#tls.swap(next),
    })
    this.#reloader = new Reloader(config, {
      ...foundation,
      source,
      apply: (next) => this.#apply(next),
      renew: () => this.#serving.renew(),
    })
    this.#probes = createProbeServer({
      livez,
      readyz: () => readyz(this.#readyState()),
      metrics: () => foundation.metrics.render(),
      metricsContentType: foundation.metrics.contentType,
    })
    this.#routes()
    foundation.metrics.watch({
      audit: foundation.audit,
      quota: foundation.quota,
      certificates: () => this.#certificates(),
      keySets: () => this.#keySets(),
    })
  }

  get trafficOrigin(): string {
    return originOf('https', this.#traffic.server.address())
  }

  get probesOrigin(): string {
    return originOf('http', this.#probes.server.address())
  }

  async start(): Promise<RunningGateway> {
    const { events, audit, clock } = this.#foundation
    await this.#traffic.ready()
    const { hash, gateway } = await this.#reloader.start()
    const { version } = this.#options
    await audit.append({ event: 'gateway.started', time: isoNow(clock), policy: hash, version })
    await this.#probes.listen(addressOf(gateway.probes))
    await this.#traffic.listen(addressOf(gateway.traffic))
    events.started({ version, node: process.versions.node, policy: hash })
    events.listening('traffic', this.trafficOrigin)
    events.listening('probes', this.probesOrigin)
    return this
  }

  async reload(): Promise<void> {
    await this.#reloader.reload()
  }

  close(options: { readonly deadlineMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.deadlineMs ?? Number.POSITIVE_INFINITY)
    return this.#closing
  }

  /** Gives back what a start that failed had taken. */
  async abandon(): Promise<void> {
    await this.#reloader.close()
    await this.#stop()
  }

  async #close(deadlineMsMax: number): Promise<void> {
    const { clock, lives, events } = this.#foundation
    const { drain: configured } = this.#serving.config.gateway
    const deadlineMs = Math.min(deadlineMsMax, configured.deadlineMs)
    const startedAt = clock.monotonic()
    events.drainStarted(lives.size, deadlineMs)
    const cut = await drain(this.#traffic.server as unknown as Server, {
      delayMs: Math.min(deadlineMsMax, configured.delayMs),
      deadlineMs,
      sleep: (ms) => clock.sleep(ms),
      now: () => clock.monotonic(),
      inFlight: () => lives.size,
      cutAll: () => lives.cutAll(() => new Refusal('draining', 'drain deadline')),
      destroyAll: () => this.#tls.destroyAll(),
    })
    events.drainEnded(cut, clock.monotonic() - startedAt)
    // Not before: a stream that runs on while the gateway drains can still be revoked.
    await this.#reloader.close()
    await this.#stop()
    events.stopped()
  }

  async #stop(): Promise<void> {
    const { audit, clock, refusalRecords } = this.#foundation
    await Promise.all([this.#traffic.close(), this.#probes.close()])
    await this.#serving.close()
    await refusalRecords.close()
    // A log that cannot be written has said so already; it must not keep the process.
    await audit.append({ event: 'gateway.stopped', time: isoNow(clock) }).catch(() => {})
    await audit.close()
  }

  async #apply(config: Config): Promise<void> {
    await this.#serving.apply(config)
    const fields = needingRestart(this.#options.config, config)
    if (fields.length > 0) this.#foundation.events.configNeedsRestart(fields)
  }

  #guard({ gateway }: Config, material: TlsMaterial): MutualTls {
    const { bounds, serverName } = gateway.traffic
    const { clock, lives, metrics } = this.#foundation
    return guardConnections(this.#traffic.server as unknown as Server, {
      material,
      trust: { verifyPeer, fallenBy, currentPeer },
      connectionsMax: bounds.connectionsMax,
      connectionsPerCertificateMax: bounds.connectionsPerCertificateMax,
      serverNames: serverName && new Set(serverName),
      now: () => clock.now(),
      fallen: ({ fingerprint }, refusal) =>
        lives.cutWhere(
          ({ certificate }) => certificate.fingerprint === fingerprint,
          () => refusal,
        ),
      handshakeFailed: (code) => metrics.tlsClientError(code),
    })
  }

  #routes(): void {
    trafficRoutes(this.#traffic, {
      exchange: (arrival, client) => exchange(arrival, client, this.#serving.current as Gateway),
      newId: newExchangeId,
      peerOf: (socket: TLSSocket) => this.#tls.peerOf(socket),
      checkHost: (socket: TLSSocket, host) => this.#tls.checkHost(socket, host),
      clientOf: (request, response) => {
        const isLast = (status: number) => this.#isClosing || this.#tls.endsAfter(request.socket, status)
        return new NodeClient(request, response, this.#serving.config.gateway.traffic.stream, isLast)
      },
    })
  }

  get #isClosing(): boolean {
    return this.#closing !== undefined
  }

  #readyState() {
    const { notBefore, notAfter } = this.#serving.material.certificate
    return {
      now: this.#foundation.clock.now(),
      config: this.#serving.current?.policy.hash,
      certificates: [{ role: 'traffic', notBefore, notAfter }],
      issuers: this.#keySets().map(({ issuer, ageMs }) => ({ issuer, keys: Number.isNaN(ageMs) ? 0 : 1 })),
      auditHealthy: this.#foundation.audit.healthy,
      draining: this.#isClosing,
    }
  }

  #certificates() {
    const { certificate, authorities, crlNextUpdateFirst } = this.#serving.material
    const authority = Math.min(...authorities.map(({ notAfter }) => notAfter))
    return [
      { role: 'traffic' as const, notAfter: certificate.notAfter },
      { role: 'traffic_ca' as const, notAfter: authority },
      ...(crlNextUpdateFirst ? [{ role: 'traffic_crl' as const, notAfter: crlNextUpdateFirst }] : []),
    ]
  }

  #keySets() {
    const ages = this.#identities.current?.ages ?? new Map<string, number | undefined>()
    return [...ages].map(([issuer, seconds]) => ({ issuer, ageMs: (seconds ?? Number.NaN) * 1000 }))
  }
}

const isoNow = (clock: Clock): string => new Date(clock.now()).toISOString()

/** Fastify opens a second listener for `localhost`, one that nothing here guards: an address is one listener. */
const addressOf = ({ host, port }: { readonly host: string; readonly port: number }) => ({
  host: host === 'localhost' ? '127.0.0.1' : host,
  port,
})

function originOf(scheme: 'http' | 'https', address: string | AddressInfo | null): string {
  const { address: host, port, family } = address as AddressInfo
  return `${scheme}://${family === 'IPv6' ? `[${host}]` : host}:${port}`
}
