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
import type { AuditLog } from './audit/record.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Config } from './config/load.ts'
import type { FileSource } from './config/source.ts'
import { exchange } from './exchange/exchange.ts'
import { newExchangeId } from './exchange/exchange-id.ts'
import { Lives } from './exchange/life.ts'
import type { Gateway } from './exchange/parts.ts'
import { Identities } from './gateway/identities.ts'
import { Pools } from './gateway/pools.ts'
import { Reloader } from './gateway/reloader.ts'
import { learnNames, type Telemetry } from './gateway/telemetry.ts'
import { readTlsMaterial } from './gateway/tls-files.ts'
import { buildVersion, type Foundation } from './gateway/version.ts'
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
  /** Drains and stops: no new exchanges, streams to their end or the deadline, then everything is closed. */
  close(): Promise<void>
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
  const audit = await openAuditLog({
    directory: auditConfig.directory,
    segmentBytesMax: auditConfig.segmentBytesMax,
    clock,
    onNotice: (notice) => telemetry.auditNotice(notice),
  })
  const foundation: Foundation = {
    clock,
    lives: new Lives(),
    quota: memoryQuota({ clock }),
    audit,
    metrics,
    events,
    pools: new Pools(metrics),
    startedAtSeconds: Math.floor(clock.now() / 1000),
  }
  const running = new Running(options, foundation, server, material)
  return await running.start()
}

/** The process's gateway: two servers, and the one value that a reload replaces. */
class Running implements RunningGateway {
  readonly #options: GatewayOptions
  readonly #foundation: Foundation
  readonly #traffic: FastifyInstance
  readonly #probes: FastifyInstance
  readonly #identities: Identities
  readonly #tls: MutualTls
  #material: TlsMaterial
  #config: Config
  #current: Gateway | undefined
  #reloader: Reloader | undefined
  #draining = false

  constructor(
    options: GatewayOptions,
    foundation: Foundation,
    traffic: FastifyInstance,
    material: TlsMaterial,
  ) {
    this.#options = options
    this.#config = options.config
    this.#foundation = foundation
    this.#traffic = traffic
    this.#material = material
    this.#identities = new Identities(() => traffic.verifyWithLibrary, foundation.events)
    this.#tls = this.#guard(options.config)
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
    const { events, audit, clock, metrics } = this.#foundation
    await this.#traffic.ready()
    this.#reloader = new Reloader(this.#options.config, {
      source: this.#options.source,
      clock,
      metrics,
      events,
      audit,
      apply: (next) => this.#apply(next),
    })
    const config = await this.#reloader.first()
    await this.#apply(config)
    await audit.append({
      event: 'gateway.started',
      time: isoNow(clock),
      policy: config.hash,
      version: this.#options.version,
    })
    const { traffic, probes } = config.gateway
    await this.#probes.listen({ host: probes.host, port: probes.port })
    await this.#traffic.listen({ host: traffic.host, port: traffic.port })
    events.started({ version: this.#options.version, node: process.versions.node, policy: config.hash })
    events.listening('traffic', this.trafficOrigin)
    events.listening('probes', this.probesOrigin)
    return this
  }

  async reload(): Promise<void> {
    await this.#reloader?.reload()
  }

  async close(): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    const { clock, lives, events, audit } = this.#foundation
    const { delayMs, deadlineMs } = this.#config.gateway.drain
    const startedAt = clock.monotonic()
    events.drainStarted(lives.size, deadlineMs)
    await this.#reloader?.close()
    const cut = await drain(this.#traffic.server as unknown as Server, {
      delayMs: lives.size === 0 ? 0 : delayMs,
      deadlineMs,
      sleep: (ms) => clock.sleep(ms),
      now: () => clock.monotonic(),
      inFlight: () => lives.size,
      cutAll: () => lives.cutAll(() => new Refusal('draining', 'drain deadline')),
    })
    events.drainEnded(cut, clock.monotonic() - startedAt)
    await this.#stop(audit, clock)
    events.stopped()
  }

  async #stop(audit: AuditLog, clock: Clock): Promise<void> {
    await Promise.all([this.#traffic.close(), this.#probes.close()])
    await this.#current?.upstreams.close()
    await this.#identities.close()
    // A log that cannot be written has said so already; it must not keep the process.
    await audit.append({ event: 'gateway.stopped', time: isoNow(clock) }).catch(() => {})
    await audit.close()
  }

  /** Everything that can fail comes before the first change; then the parts are swapped within one tick. */
  async #apply(config: Config): Promise<void> {
    const { clock, events, metrics, lives } = this.#foundation
    const material = readTlsMaterial(config.gateway.traffic, clock.now())
    const identity = await this.#identities.build(config)
    const revocations = this.#identities.loadRevocations(config)
    const next = buildVersion(config, identity, this.#foundation)
    learnNames(this.#options.telemetry, config)
    metrics.configRuns(config.hash)
    this.#options.telemetry.setLevel(config.gateway.log.level)
    this.#swapTls(material)
    const cut = lives.cutWhere(
      (principal) => revocations.covers(principal) !== undefined,
      () => new Refusal('token_revoked', 'revoked while running'),
    )
    if (cut > 0) events.revocationsReloaded(revocations.size, cut)
    this.#config = config
    this.#current = next
  }

  #swapTls(material: TlsMaterial): void {
    if (material.hash === this.#material.hash) return
    this.#tls.swap(material)
    this.#material = material
    const { fingerprint, notAfter } = material.certificate
    this.#foundation.events.tlsReloaded('traffic', fingerprint, notAfter)
  }

  #guard({ gateway }: Config): MutualTls {
    const { bounds, serverName } = gateway.traffic
    return guardConnections(this.#traffic.server as unknown as Server, {
      material: this.#material,
      trust: { verifyPeer, fallenBy, currentPeer },
      connectionsMax: bounds.connectionsMax,
      serverNames: serverName && new Set(serverName),
      now: () => this.#foundation.clock.now(),
      handshakeFailed: (code) => this.#foundation.metrics.tlsClientError(code),
    })
  }

  #routes(): void {
    trafficRoutes(this.#traffic, {
      exchange: (arrival, client) => exchange(arrival, client, this.#current as Gateway),
      newId: newExchangeId,
      peerOf: (socket: TLSSocket) => this.#tls.peerOf(socket),
      checkHost: (socket: TLSSocket, host) => this.#tls.checkHost(socket, host),
      clientOf: (request, response) =>
        new NodeClient(request, response, this.#config.gateway.traffic.stream, () => this.#draining),
    })
  }

  #readyState() {
    const { notBefore, notAfter } = this.#material.certificate
    return {
      now: this.#foundation.clock.now(),
      config: this.#current?.policy.hash,
      certificates: [{ role: 'traffic', notBefore, notAfter }],
      issuers: this.#keySets().map(({ issuer, ageMs }) => ({ issuer, keys: Number.isNaN(ageMs) ? 0 : 1 })),
      auditHealthy: this.#foundation.audit.healthy,
      draining: this.#draining,
    }
  }

  #certificates() {
    const { certificate, authorities } = this.#material
    const first = Math.min(...authorities.map(({ notAfter }) => notAfter))
    return [
      { role: 'traffic' as const, notAfter: certificate.notAfter },
      { role: 'traffic_ca' as const, notAfter: first },
    ]
  }

  #keySets() {
    const ages = this.#identities.current?.ages ?? new Map<string, number | undefined>()
    return [...ages].map(([issuer, seconds]) => ({ issuer, ageMs: (seconds ?? Number.NaN) * 1000 }))
  }
}

const isoNow = (clock: Clock): string => new Date(clock.now()).toISOString()

function originOf(scheme: 'http' | 'https', address: string | AddressInfo | null): string {
  const { address: host, port, family } = address as AddressInfo
  return `${scheme}://${family === 'IPv6' ? `[${host}]` : host}:${port}`
}
