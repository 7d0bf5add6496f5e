// The gateway that a benchmark measures: `sallyport dev` as a process of its own, with the pools of the benchmark and the
// limits of its roles out of the way. Imports nothing from src.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { type Child, freePort, startNode } from './processes.ts'

const root = join(import.meta.dirname, '../..')

export interface DevGateway {
  readonly child: Child
  readonly port: number
  readonly probesPort: number
}

/** `node ARGS` in the repository. */
export interface DevCommand extends Omit<DevGateway, 'child'> {
  readonly args: readonly string[]
  /** Line that says that it is ready. */
  readonly marker: string
}

/** How it is started on free ports, in a folder that is empty or was one of its own before. */
export async function devCommand(folder: string): Promise<DevCommand> {
  const [port, probesPort, opsPort] = await Promise.all([freePort(), freePort(), freePort()])
  const ports = ['-p', port, '--probes-port', probesPort, '--ops-port', opsPort].map(String)
  const args = ['src/main.ts', 'dev', '-d', folder, ...ports, '--log-format', 'json']
  return { args, marker: 'Ctrl-C stops it', port, probesPort }
}

export async function startDev(folder: string): Promise<DevGateway> {
  const { args, marker, ...ports } = await devCommand(folder)
  return { child: await startNode(args, marker, root), ...ports }
}

const limits = 'requestsPerMinute: 1000000, burst: 100000, inFlight: 10000'

/** Gives it other pools and models: a hot reload, as in production. Resolves when they run. */
export async function reconfigure(
  folder: string,
  { probesPort }: Pick<DevGateway, 'probesPort'>,
  models: object,
  policies: (text: string) => string = (text) => text,
): Promise<void> {
  const file = (name: string): string => join(folder, 'config', name)
  const before = await policyHash(probesPort)
  const lifted = readFileSync(file('policies.yaml'), 'utf8').replace(
    /requestsPerMinute: \d+, inFlight: \d+/,
    limits,
  )
  writeFileSync(file('policies.yaml'), policies(lifted))
  writeFileSync(file('models.yaml'), JSON.stringify(models))
  for (let look = 0; look < 100 && (await policyHash(probesPort)) === before; look += 1) await delay(50)
  // One file may have been read before the other was written.
  await delay(1_000)
}

async function policyHash(probesPort: number): Promise<string> {
  const { body } = await request(`http://127.0.0.1:${probesPort}/readyz`)
  const { checks } = (await body.json()) as { checks: { config: { detail: string } } }
  return checks.config.detail
}

/** What a caller shows, and whom it believes. */
export function callerTls(folder: string) {
  const read = (file: string): Buffer => readFileSync(join(folder, file))
  return { ca: read('ca.crt'), cert: read('client.crt'), key: read('client.key') }
}
