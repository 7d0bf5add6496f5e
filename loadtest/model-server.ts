import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { defaultOptions, help, type ModelServerOptions, parseFlags } from './simulated/options.ts'
import type { RecordedRequest, Stats } from './simulated/record.ts'
import { Simulation } from './simulated/serve.ts'

export type { ModelServerOptions } from './simulated/options.ts'
export type { Phase, RecordedRequest, Stats } from './simulated/record.ts'
export type { ChoiceScript, Script, Step } from './simulated/script.ts'

/** A model server that runs in this process. */
export interface ModelServer {
  /** `http://127.0.0.1:port`, or https. */
  readonly url: string
  readonly stats: Stats
  /** What came in, oldest first, bounded. */
  readonly requests: readonly RecordedRequest[]
  /** Ends every connection at once and frees the port. */
  close(): Promise<void>
}

/** Starts a simulated model server; resolves when it listens. */
export async function startModelServer(options: Partial<ModelServerOptions> = {}): Promise<ModelServer> {
  const all: ModelServerOptions = { ...defaultOptions, ...options }
  const simulation = new Simulation(all)
  const server = open(all, (request, response) => void simulation.handle(request, response))
  server.on('connection', () => {
    simulation.stats.connections++
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(all.port, all.host, resolve)
  })
  const { port } = server.address() as AddressInfo
  const host = all.host.includes(':') ? `[${all.host}]` : all.host
  return {
    url: `${all.tls ? 'https' : 'http'}://${host}:${port}`,
    stats: simulation.stats,
    requests: simulation.requests,
    close: () => close(server),
  }
}

function open({ tls }: ModelServerOptions, listener: RequestListener): Server {
  if (tls === undefined) return createHttpServer(listener)
  const client = tls.ca === undefined ? {} : { ca: tls.ca, requestCert: true, rejectUnauthorized: true }
  return createHttpsServer({ cert: tls.cert, key: tls.key, ...client }, listener)
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseFlags(args)
  if (options === 'help') {
    process.stdout.write(help)
    return
  }
  const server = await startModelServer(options)
  process.stdout.write(`simulated model server on ${server.url}, model ${options.model}\n`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : 'failed'
    process.stderr.write(`model-server: ${message}\nSee: node loadtest/model-server.ts --help\n`)
    process.exitCode = 2
  })
}
