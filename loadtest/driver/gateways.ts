// What is measured, side by side: Sallyport with everything on, and the bare relay, as processes before the same model server.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent } from 'undici'
import { callerTls, devCommand, reconfigure } from '../bench/dev-gateway.ts'
import { freePort } from '../bench/processes.ts'
import type { Ending } from './ending.ts'
import { type Measured, startMeasured } from './measured-process.ts'
import type { Target } from './timed-client.ts'

export interface Side extends Target {
  readonly name: 'sallyport' | 'bare'
  readonly measured: Measured
}

export interface Gateways {
  readonly sallyport: Side
  readonly bare: Side
}

const CONNECTIONS_MAX = 1_024
/** Most output tokens of one call: the role's bound of `sallyport dev` is lower than a long stream. */
const OUTPUT_TOKENS_MAX = 10_000

export interface GatewayOptions {
  /** More fields of Sallyport's pool. */
  readonly pool?: object
  /** Options of Node.js, for both. */
  readonly flags?: readonly string[]
}

/**
 * Starts both; `ending` ends them. `folder`: an empty one, with a short path, since it will hold Unix sockets (at most 107
 * bytes).
 */
export async function startGateways(
  folder: string,
  upstream: string,
  ending: Ending,
  { pool = {}, flags = [] }: GatewayOptions = {},
): Promise<Gateways> {
  const made = join(folder, 'sallyport')
  mkdirSync(made)
  const sallyport = await startSallyport(
    { made, socket: join(folder, 's.sock'), flags },
    modelsAt(upstream, pool),
    ending,
  )
  const bare = await startBare({ made, socket: join(folder, 'b.sock'), flags }, upstream, ending)
  const agents = { sallyport: callers(made), bare: callers(made) }
  await ending.add(() => Promise.all(Object.values(agents).map((agent) => agent.destroy())))
  const authorization = `Bearer ${readFileSync(join(made, 'token'), 'utf8').trim()}`
  return {
    sallyport: { name: 'sallyport', ...sallyport, agent: agents.sallyport, headers: { authorization } },
    bare: { name: 'bare', ...bare, agent: agents.bare, headers: {} },
  }
}

type Started = Pick<Side, 'url' | 'measured'>

interface Where {
  /** The folder that `sallyport dev` makes. */
  readonly made: string
  readonly socket: string
  readonly flags: readonly string[]
}

async function startBare({ made, ...where }: Where, upstream: string, ending: Ending): Promise<Started> {
  const port = await freePort()
  const tls = ['server.crt', 'server.key', 'client-ca.crt'].map((file) => join(made, 'config/tls', file))
  const start = ['loadtest/bench/bare-fastify.ts', String(port), upstream, ...tls]
  const measured = await startMeasured(start, { marker: 'ready', ...where })
  await ending.add(() => measured.child.stop())
  return { measured, url: `https://localhost:${port}` }
}

async function startSallyport({ made, ...where }: Where, models: object, ending: Ending): Promise<Started> {
  const { args, marker, port, probesPort } = await devCommand(made)
  const measured = await startMeasured(args, { marker, ...where })
  await ending.add(() => measured.child.stop())
  await reconfigure(made, { probesPort }, models, withLongReplies)
  return { measured, url: `https://localhost:${port}` }
}

const modelsAt = (upstream: string, pool: object): object => ({
  pools: { upstream: { server: 'vllm', endpoints: [upstream], connectionsMax: CONNECTIONS_MAX, ...pool } },
  models: { demo: { pool: 'upstream', outputTokensMax: OUTPUT_TOKENS_MAX } },
})

const withLongReplies = (policies: string): string =>
  policies.replace(/outputTokensMax: \d+/, `outputTokensMax: ${OUTPUT_TOKENS_MAX}`)

const callers = (folder: string): Agent =>
  new Agent({
    connections: CONNECTIONS_MAX,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
    connect: { ...callerTls(folder), timeout: 30_000 },
  })
