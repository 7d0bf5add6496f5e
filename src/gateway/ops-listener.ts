import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { NodeClient } from '../../plugins/client.ts'
import { drain } from '../../plugins/drain.ts'
import { guardConnections, type MutualTls, secureServerOptions } from '../../plugins/mutual-tls.ts'
import { trafficRoutes } from '../../plugins/traffic-routes.ts'
import { createTrafficServer } from '../../plugins/traffic-server.ts'
import type { Clock } from '../clock.ts'
import type { GatewayConfig } from '../config/schema/gateway.ts'
import { newExchangeId } from '../exchange/exchange-id.ts'
import type { TlsMaterial } from '../identity/tls-material.ts'
import { currentPeer, fallenBy, verifyPeer } from '../identity/trust.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { OpsPath } from './ops.ts'

export interface OpsListenerParts {
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'malformedRequest' | 'tlsClientError'>
  readonly path: OpsPath
  /** Whether the gateway is going down: answers are the last on their connections then. */
  readonly isClosing: () => boolean
}

/** Operators are few: what they may take of the gateway needs no configuration. */
const bounds = {
  connectionsMax: 256,
  requestsPerConnectionMax: 10_000,
  headerBytesMax: 32 * 1024,
  headersTimeoutMs: 5_000,
  bodyTimeoutMs: 10_000,
  keepAliveTimeoutMs: 65_000,
}
const client = { slowReaderTimeoutMs: 10_000 }
const drainDeadlineMs = 2_000

/** The listener of operators: the same server, guard and reading of requests as those of traffic, and another path. */
export class OpsListener {
  readonly #parts: OpsListenerParts
  readonly #server: FastifyInstance
  readonly #tls: MutualTls

  constructor(
    { traffic, ops }: Pick<GatewayConfig, 'traffic' | 'ops'>,
    material: TlsMaterial,
    parts: OpsListenerParts,
  ) {
    this.#parts = parts
    this.#server = createTrafficServer({
      tls: secureServerOptions(material, ops.tls ?? traffic.tls),
      bounds,
      malformed: (code) => parts.metrics.malformedRequest(code),
    })
    this.#tls = guardConnections(this.#https, {
      material,
      trust: { verifyPeer, fallenBy, currentPeer },
      connectionsMax: bounds.connectionsMax,
      serverNames: undefined,
      now: () => parts.clock.now(),
      handshakeFailed: (code) => parts.metrics.tlsClientError(code),
    })
    trafficRoutes(this.#server, {
      exchange: (arrival, caller) => parts.path.exchange(arrival, caller),
      newId: newExchangeId,
      peerOf: (socket: TLSSocket) => this.#tls.peerOf(socket),
      checkHost: (socket: TLSSocket, host) => this.#tls.checkHost(socket, host),
      clientOf: (request, response) => {
        const isLast = (status: number) => parts.isClosing() || this.#tls.endsAfter(request.socket, status)
        return new NodeClient(request, response, client, isLast)
      },
    })
  }

  get address(): AddressInfo {
    return this.#server.server.address() as AddressInfo
  }

  async listen(address: { readonly host: string; readonly port: number }): Promise<void> {
    await this.#server.ready()
    await this.#server.listen(address)
  }

  swap(material: TlsMaterial): void {
    this.#tls.swap(material)
  }

  /** Lets what is under way end, for a moment. */
  async close(): Promise<void> {
    const { clock, path } = this.#parts
    if (this.#server.server.listening)
      await drain(this.#https, {
        delayMs: 0,
        deadlineMs: drainDeadlineMs,
        sleep: (ms) => clock.sleep(ms),
        now: () => clock.monotonic(),
        inFlight: () => path.inFlight,
        cutAll: () => {},
        destroyAll: () => this.#tls.destroyAll(),
      })
    await this.#server.close()
  }

  get #https(): Server {
    return this.#server.server as unknown as Server
  }
}
