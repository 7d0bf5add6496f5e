/** `sallyport serve` with workers, as real processes, in front of a simulated model server. */
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, fetch } from 'undici'
import { writeConfiguration } from '../../src/commands/dev/configuration.ts'
import { makeFolder } from '../../src/commands/dev/folder.ts'
import { writeOperator } from '../../src/commands/dev/operator.ts'
import { startSimulatedUpstream } from '../../src/commands/dev/upstream.ts'
import { signToken } from '../../src/commands/token.ts'
import { type Child, killGroup, startChild } from './child.ts'
import { freePorts, until } from './stack.ts'

export const main = join(import.meta.dirname, '../../src/main.ts')

export interface Scene {
  readonly folder: string
  readonly port: number
  readonly probesPort: number
  readonly opsPort: number
  /** Rewrites one file of the configuration of this name. */
  configure(file: string, edit: (text: string) => string, name?: string): void
  /** Starts the gateway. */
  serve(name?: string): Child
  /** Starts it, and waits until all workers serve. */
  served(name?: string): Promise<Child>
  /** A caller with one connection of its own: those of several callers are dealt to the workers in turn. */
  caller(): Caller
  /** The records of all chains. */
  audit(): readonly Readonly<Record<string, unknown>>[]
  probe(path: string): Promise<{ readonly status: number; readonly text: string }>
  close(): Promise<void>
}

export interface Caller {
  chat(
    tenant: string,
    options?: { readonly gapMs?: number; readonly words?: number; readonly fields?: object },
  ): Promise<{
    readonly status: number
    readonly headers: ReadonlyMap<string, string>
    rest(): Promise<string>
  }>
  admin(
    method: string,
    path: string,
    body?: object,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly text: string }>
}

export async function makeScene(workers: number): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-workers-'))
  const secrets = await makeFolder(folder)
  const upstream = await startSimulatedUpstream(secrets)
  const [port, probesPort, opsPort] = (await freePorts(3)) as [number, number, number]
  writeConfiguration(folder, { port, probesPort, opsPort }, upstream)
  writeOperator(folder, { opsPort })
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
  const connect = { ca: read('ca.crt'), cert: read('client.crt'), key: read('client.key') }
  const agents: Agent[] = []
  const children: Child[] = []
  const scene: Scene = {
    folder,
    port,
    probesPort,
    opsPort,
    configure: (file, edit, name = 'config') => {
      const to = join(folder, name)
      if (name !== 'config') cpSync(join(folder, 'config'), to, { recursive: true })
      writeFileSync(join(to, file), edit(readFileSync(join(to, file), 'utf8')))
    },
    serve: (name = 'config') => {
      const args = [main, 'serve', '-c', join(folder, name), '--log-format', 'json']
      const child = startChild(process.execPath, args, { cwd: folder })
      children.push(child)
      return child
    },
    served: async (name) => {
      const child = scene.serve(name)
      await child.until(/"listener":"probes"/)
      return child
    },
    caller: () => {
      const agent = new Agent({ connect, connections: 1, pipelining: 1 })
      agents.push(agent)
      return callerWith(agent, scene, read('issuer.key'))
    },
    audit: () =>
      globSync(join(folder, 'audit/**/*.jsonl')).flatMap((file) => recordsIn(readFileSync(file, 'utf8'))),
    probe: async (path) => {
      const reply = await fetch(`http://127.0.0.1:${probesPort}${path}`)
      return { status: reply.status, text: await reply.text() }
    },
    close: async () => {
      for (const child of children) killGroup(child.process)
      await Promise.all(agents.map((agent) => agent.destroy()))
      await upstream.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  // A test machine that has more to do than it can is no reason to turn callers away.
  const patient = 'overload: {delayMsMax: 0, busyPercentMax: 100}'
  scene.configure('gateway.yaml', (text) => `workers: ${workers}\n${patient}\n${text}`)
  scene.configure('policies.yaml', (text) =>
    text.replace(/limits: \{.+\}/, 'limits: {requestsPerMinute: 100000, burst: 100000, inFlight: 500}'),
  )
  return scene
}

function callerWith(agent: Agent, { port, opsPort }: Scene, signingKey: string): Caller {
  const tokenOf = (tenant: string, role: string): string =>
    signToken(signingKey, { subject: 'caller', tenant, role: [role], lifetime: 3_600 }).jwt
  return {
    chat: async (tenant, { gapMs = 1, words = 3, fields = {} } = {}) => {
      const content = Array.from({ length: words }, (_, index) => `word${index % 7} `)
      const reply = await fetch(`https://localhost:${port}/v1/chat/completions`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${tokenOf(tenant, 'app')}` },
        body: JSON.stringify({
          model: 'demo',
          stream: true,
          messages: [{ role: 'user', content: `x-simulate: ${JSON.stringify({ content, gapMs })}` }],
          ...fields,
        }),
      })
      return { status: reply.status, headers: new Map(reply.headers), rest: () => reply.text() }
    },
    admin: async (method, path, body, headers = {}) => {
      const reply = await fetch(`https://localhost:${opsPort}/admin/v1${path}`, {
        method,
        dispatcher: agent,
        headers: {
          authorization: `Bearer ${tokenOf('operations', 'ops')}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: reply.status, text: await reply.text() }
    },
  }
}

/** Process ids of the workers of a gateway that runs. */
export function workersOf({ process: { pid } }: Child): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.trim().split(' ').filter(Boolean).map(Number)
}

/** What a child said in its log, as objects. */
export const linesOf = ({ out }: Pick<Child, 'out'>) => recordsIn(out)

const recordsIn = (text: string): readonly Readonly<Record<string, unknown>>[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))

export { until }
