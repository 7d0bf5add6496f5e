/**
 * A TCP proxy between the gateway and a model server, with faults on purpose. What is set as `faults` holds for the
 * connections that are accepted from then on.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { freePorts } from '../stack.ts'
import { type ConnectionRecord, type Faults, ProxiedConnection } from './connection.ts'

export type { ConnectionRecord, Faults, TlsIdentity } from './connection.ts'
export type { Fault } from './fault.ts'

export interface ProxyTarget {
  readonly host?: string
  readonly port: number
}

export class FaultProxy {
  readonly port: number
  /** Where connections go; may be set later, as long as none has come. */
  target: ProxyTarget | undefined
  /** By the number of the connection, from 1, where it changes with each. */
  faults: Faults | ((connection: number) => Faults) = {}
  readonly #connections: ProxiedConnection[] = []
  #server: Server | undefined

  private constructor(port: number, target: ProxyTarget | undefined) {
    this.port = port
    this.target = target
  }

  static async open(target?: ProxyTarget): Promise<FaultProxy> {
    const [port] = (await freePorts(1)) as [number]
    const proxy = new FaultProxy(port, target)
    await proxy.up()
    return proxy
  }

  /** Every connection that was accepted, oldest first. */
  get connections(): readonly ConnectionRecord[] {
    return this.#connections
  }

  /** How many of them the caller has open. */
  get open(): number {
    return this.#connections.filter(({ open }) => open).length
  }

  /** Bytes that the server got rid of, over all connections. */
  get fromServer(): number {
    return this.#connections.reduce((sum, { fromServer }) => sum + fromServer, 0)
  }

  /** Listens again after `down`. */
  async up(): Promise<void> {
    if (this.#server !== undefined) return
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const number = this.#connections.length + 1
      const faults = typeof this.faults === 'function' ? this.faults(number) : this.faults
      const connection = new ProxiedConnection(socket, number, faults)
      this.#connections.push(connection)
      const { host = '127.0.0.1', port } = this.target ?? { port: 0 }
      connection.run({ host, port }).catch(() => connection.destroy())
    })
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** New connections are refused, open ones are reset. */
  async down(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    for (const connection of this.#connections) if (connection.open) connection.reset()
    for (const connection of this.#connections) connection.destroy()
    await closed
  }

  async close(): Promise<void> {
    await this.down()
  }
}
