import type { Server } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { bearerToken } from '../plugins/bearer-token.ts'
import { NodeClient } from '../plugins/client.ts'
import { drain } from '../plugins/drain.ts'
import { guardConnections, type MutualTls, secureServerOptions } from '../plugins/mutual-tls.ts'
import { trafficRoutes } from '../plugins/traffic-routes.ts'
import { createTrafficServer } from '../plugins/traffic-server.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Config } from './config/load.ts'
import type { FileSource } from './config/source.ts'
import { exchange } from './exchange/exchange.ts'
import { newExchangeId } from './exchange/exchange-id.ts'
import type { Gateway } from './exchange/parts.ts'
import { addressOf, originOf } from './gateway/addresses.ts'
import { certificatesOf, keySetsOf, readyStateOf } from './gateway/condition.ts'
import { openFoundation } from './gateway/foundation.ts'
import { Identities } from './gateway/identities.ts'
import { OpsPath } from './gateway/ops.ts'
import { opsAnswers } from './gateway/ops-answers.ts'
import { OpsListener } from './gateway/ops-listener.ts'
import { probesOf } from './gateway/probes.ts'
import { Reloader } from './gateway/reloader.ts'
import { needingRestart } from './gateway/restart.ts'
import { Serving } from './gateway/serving.ts'
import type { Telemetry } from './gateway/telemetry.ts'
import { type ListenerMaterial, readListenerMaterial } from './gateway/tls-files.ts'
import type { Foundation } from './gateway/version.ts'
import { type WorkerPlace, workerPart } from './gateway/worker-part.ts'
import { currentPeer, fallenBy, verifyPeer } from './identity/trust.ts'
import { Refusal } from './refusal.ts'
import { type ProbeAnswer, readyz } from './telemetry/probes.ts'
import type { Snapshot } from './telemetry/snapshot.ts'

export interface GatewayOptions {
  readonly source: FileSource
  /** The configuration that `source` held, checked. */
  readonly config: Config
  readonly telemetry: Telemetry
  readonly version: string
  readonly clock?: Clock
  /** This process is one of several that serve together: another one has the probes. */
  readonly worker?: WorkerPlace
  /** Done when all is loaded and nobody is served yet. */
  readonly beforeListening?: () => Promise<void>
}

export interface RunningGateway {
  readonly trafficOrigin: string
  readonly probesOrigin: string
  readonly opsOrigin: string
  /** What `/readyz` says. */
  readyz(): ProbeAnswer
  /** What `/metrics` is made of. */
  metrics(): Promise<Snapshot>
  /** Reads the configuration again, as a change of a file does. */
  reload(): Promise<void>
  /**
   * Drains and stops: no new exchanges, streams to their end or the deadline (the configured one, or an earlier one
   * that is given), then everything is closed.
   */
  close(options?: { readonly deadlineMs?: number }): Promise<void>
}

/** Composes the parts and listens. The order of what happens to a request is in src/exchange/exchange.ts, not here. */
export async function startGateway(given: GatewayOptions): Promise<RunningGateway> {
  const options = { ...given, config: workerPart(given.config, given.worker) }
  const { config, telemetry, clock = systemClock, worker } = options
  const { traffic } = config.gateway
  const material = readListenerMaterial(config.gateway, clock.now())
  const server = createTrafficServer({
    tls: secureServerOptions(material.traffic, traffic.tls),
    bounds: traffic.bounds,
    malformed: (code) => telemetry.metrics.malformedRequest(code),
  })
  await server.register(bearerToken)
  const foundation = await openFoundation(config.gateway, { clock, telemetry, worker })
  const running = new Running(options, foundation, server, material)
  try {
    return await running.start()
  } catch (error) {
    // One listener may be open already, and the audit folder is ours: neither may outlive a start that failed.
    await running.abandon().catch(() => {})
    throw error
  }
}

/** The process's gateway: three servers, and the one value that a reload replaces. */
class Running implements RunningGateway {
  readonly #options: GatewayOptions
  readonly #foundation: Foundation
  readonly #traffic: FastifyInstance
  readonly #probes: FastifyInstance | undefined
  readonly #ops: OpsListener
  readonly #identities: Identities
  readonly #tls: MutualTls
  readonly #serving: Serving
  readonly #reloader: Reloader
  #closing: Promise<void> | undefined

  constructor(
    options: GatewayOptions,
    foundation: Foundation,
    traffic: FastifyInstance,
    material: ListenerMaterial,
  ) {
    const { config, telemetry, source } = options
    this.#options = options
    this.#foundation = foundation
    this.#traffic = traffic
    this.#identities = new Identities(() => traffic.verifyWithLibrary, foundation)
    this.#tls = this.#guard(config, material)
    this.#ops = this.#operators(config, material)
    this.#serving = new Serving({
      foundation,
      telemetry,
      material,
      config,
      identities: this.#identities,
      swapTls: (listener, next) => (listener === 'traffic' ? this.#tls : this.#ops).swap(next),
    })
    this.#reloader = new Reloader(config, {
      ...foundation,
      source,
      apply: (next) => this.#apply(workerPart(next, options.worker)),
      renew: () => this.#serving.renew(),
    })
    if (options.worker === undefined) this.#probes = probesOf(foundation.metrics, () => this.readyz())
    this.#routes()
    foundation.metrics.watch({
      audit: foundation.audit,
      quota: foundation.quota.store,
      certificates: () => certificatesOf(this.#serving.material),
      keySets: () => keySetsOf(this.#identities.current?.ages),
    })
  }

  get trafficOrigin(): string {
    return originOf('https', this.#traffic.server.address())
  }

  get probesOrigin(): string {
    return originOf('http', this.#probes?.server.address() ?? null)
  }

  get opsOrigin(): string {
    return originOf('https', this.#ops.address)
  }

  async start(): Promise<RunningGateway> {
    const { events, audit, clock } = this.#foundation
    await this.#traffic.ready()
    await this.#foundation.limits.start()
    const { hash, gateway } = workerPart(await this.#reloader.start(), this.#options.worker)
    const { version, beforeListening } = this.#options
    await beforeListening?.()
    await audit.append({ event: 'gateway.started', time: isoNow(clock), policy: hash, version })
    await this.#probes?.listen(addressOf(gateway.probes))
    await this.#ops.listen(addressOf(gateway.ops))
    await this.#traffic.listen(addressOf(gateway.traffic))
    events.started({ version, node: process.versions.node, policy: hash })
    events.listening('traffic', this.trafficOrigin)
    if (this.#probes !== undefined) events.listening('probes', this.probesOrigin)
    events.listening('ops', this.opsOrigin)
    return this
  }

  readyz(): ProbeAnswer {
    return readyz(this.#readyState())
  }

  metrics(): Promise<Snapshot> {
    return this.#foundation.metrics.snapshot()
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
    const { audit, clock, refusalRecords, limits, quota } = this.#foundation
    await Promise.all([this.#traffic.close(), this.#probes?.close(), this.#ops.close()])
    await this.#serving.close()
    await limits.close()
    await quota.store.close()
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

  #guard({ gateway }: Config, { traffic: material }: ListenerMaterial): MutualTls {
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

  #operators({ gateway }: Config, { ops }: ListenerMaterial): OpsListener {
    const foundation = this.#foundation
    const identity = () => this.#identities.current
    const path = new OpsPath({
      ...foundation,
      current: () => ({ identity: identity(), config: this.#serving.config.gateway.ops }),
      answers: opsAnswers({
        foundation,
        identity,
        version: this.#options.version,
        gateway: () => this.#serving.current,
      }),
    })
    return new OpsListener(gateway, ops, { ...foundation, path, isClosing: () => this.#isClosing })
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
    const { clock, audit, quota } = this.#foundation
    return readyStateOf({
      now: clock.now(),
      policy: this.#serving.current?.policy.hash,
      material: this.#serving.material,
      ages: this.#identities.current?.ages,
      auditHealthy: audit.healthy,
      quota: quota.store.health,
      draining: this.#isClosing,
    })
  }
}

const isoNow = (clock: Clock): string => new Date(clock.now()).toISOString()
