/** Several simulated model servers, plain HTTP on this machine, that can be taken away and come back where they were. */
import { type ModelServer, type ModelServerOptions, startModelServer } from '../../loadtest/model-server.ts'

export class Fleet {
  readonly origins: string[]
  readonly #options: readonly Partial<ModelServerOptions>[]
  #servers: (ModelServer | undefined)[]

  private constructor(options: readonly Partial<ModelServerOptions>[], servers: ModelServer[]) {
    this.#options = options
    this.#servers = servers
    this.origins = servers.map(({ url }) => url)
  }

  static async start(options: readonly Partial<ModelServerOptions>[]): Promise<Fleet> {
    return new Fleet(options, await Promise.all(options.map((each) => startModelServer(each))))
  }

  server(index: number): ModelServer {
    const server = this.#servers[index]
    if (server === undefined) throw new Error(`server ${index} is down`)
    return server
  }

  /** Requests of one kind that each server saw, by their bodies. */
  calls(index: number): readonly Record<string, unknown>[] {
    return this.server(index)
      .requests.filter(({ method }) => method === 'POST')
      .map(({ body }) => JSON.parse(body) as Record<string, unknown>)
  }

  /** Ends every connection of the server, as a process that is killed does. */
  async kill(index: number): Promise<void> {
    const server = this.server(index)
    this.#servers[index] = undefined
    await server.close()
  }

  async revive(index: number): Promise<void> {
    const port = Number(new URL(this.origins[index] ?? '').port)
    this.#servers[index] = await startModelServer({ ...this.#options[index], port })
  }

  async stop(): Promise<void> {
    const servers = this.#servers
    this.#servers = []
    await Promise.all(servers.map((server) => server?.close()))
  }
}
