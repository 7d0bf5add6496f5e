// What is flooded: a gateway before two simulated model servers with few places, and callers of two classes of priority.
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { callerTls, reconfigure, startDev } from '../bench/dev-gateway.ts'
import { type Child, freePort, printedBy, startNode } from '../bench/processes.ts'
import type { Ending } from '../driver/ending.ts'

const root = join(import.meta.dirname, '../..')
export const SERVERS = 2
export const SLOTS = 8
/** Longest wait for a place. */
export const WAIT_MS_MAX = 2_000
const WAITING_MAX = 64
/** Connections of all callers together, open before anything is measured. */
const CONNECTIONS = 256

const classes = { interactive: ['web-1', 'web-2', 'web-3', 'web-4'], batch: ['night-1', 'night-2'] } as const
export type Priority = keyof typeof classes
const roleOf = { interactive: 'app', batch: 'batch' } as const

export interface Caller {
  readonly priority: Priority
  readonly authorization: string
}

export interface Gateway {
  readonly url: string
  readonly probesPort: number
  readonly child: Child
  readonly agent: Agent
  readonly callers: readonly Caller[]
}

/** Starts it in an empty folder; `ending` ends all of it. */
export async function startGateway(folder: string, connectionsMax: number, ending: Ending): Promise<Gateway> {
  const modelPorts = await Promise.all(Array.from({ length: SERVERS }, freePort))
  for (const modelPort of modelPorts) {
    const flags = ['--model', 'demo', '--max-num-seqs', String(SLOTS)]
    const args = ['loadtest/model-server.ts', '--port', String(modelPort), ...flags]
    const model = await startNode(args, 'simulated model server', root)
    await ending.add(() => model.stop())
  }
  const { child, port, probesPort } = await startDev(folder)
  await ending.add(() => child.stop())
  const endpoints = modelPorts.map((modelPort) => `http://127.0.0.1:${modelPort}`)
  await reconfigure(folder, { probesPort }, modelsAt(endpoints, connectionsMax), withBatch)
  const agent = newAgent(folder)
  await ending.add(() => agent.destroy())
  return { url: `https://localhost:${port}`, probesPort, child, agent, callers: await allCallers(folder) }
}

/** A role for batch beside that of all others. */
function withBatch(policies: string): string {
  const app = /\n {2}app:\n((?: {4}.*\n)+)/.exec(policies)?.[1] ?? ''
  return policies.replace(/\s*$/, `\n  batch:\n${app}    priority: batch\n`)
}

/** A pool of all servers. */
function modelsAt(endpoints: readonly string[], connectionsMax: number): object {
  const queue = { waitingMax: WAITING_MAX, waitingPerTenantMax: WAITING_MAX / 2, waitMsMax: WAIT_MS_MAX }
  const pools = { shared: { server: 'vllm', endpoints, connectionsMax, queue } }
  const models = { demo: { pool: 'shared', upstreamModel: 'demo', outputTokensMax: 4096 } }
  return { pools, models }
}

async function allCallers(folder: string): Promise<Caller[]> {
  const callers: Caller[] = []
  for (const priority of ['interactive', 'batch'] as const) {
    for (const tenant of classes[priority]) {
      const flags = ['-d', folder, '-t', tenant, '-r', roleOf[priority]]
      const token = await printedBy(['src/main.ts', 'token', ...flags], root)
      callers.push({ priority, authorization: `Bearer ${token.trim()}` })
    }
  }
  return callers
}

const newAgent = (folder: string): Agent =>
  new Agent({
    connections: CONNECTIONS,
    keepAliveTimeout: 600_000,
    connect: { ...callerTls(folder), timeout: 60_000 },
  })

/** Opens all connections before anything is measured: handshakes would be most of the processor's work. */
export async function connectAll({ url, agent, callers }: Gateway): Promise<void> {
  const authorization = callers[0]?.authorization ?? ''
  const one = async (): Promise<void> => {
    const answer = await request(`${url}/v1/models`, { dispatcher: agent, headers: { authorization } })
    await answer.body.dump()
  }
  await Promise.allSettled(Array.from({ length: CONNECTIONS }, one))
}
