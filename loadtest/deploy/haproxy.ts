// HAProxy as operators run it: the template of loadtest/haproxy, a real process, asked for the state of its servers.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Place } from './places.ts'

const template = join(import.meta.dirname, '../haproxy/sallyport.cfg')
const MISSING =
  'HAProxy is not installed. Debian, Ubuntu: apt-get install haproxy; Fedora: dnf install haproxy; macOS: brew install haproxy'
const STATE_MS_MAX = 60_000

export interface Haproxy {
  /** Where callers connect. */
  readonly port: number
  /** Resolves when the servers named so are up, or down, in its eyes; rejects after a minute. */
  until(servers: readonly string[], state: 'UP' | 'DOWN'): Promise<void>
  stop(): Promise<void>
}

/** Starts HAProxy before two gateways and resolves when it is asked for them. Throws what to install when it is absent. */
export async function startHaproxy(
  [a, b]: readonly [Place, Place],
  port: number,
  folder: string,
): Promise<Haproxy> {
  const socket = join(folder, 'haproxy.sock')
  const child = spawn('haproxy', ['-db', '-f', template], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      SALLYPORT_STATS: socket,
      SALLYPORT_BIND: `127.0.0.1:${port}`,
      SALLYPORT_A: `127.0.0.1:${a.port}`,
      SALLYPORT_A_PROBES: String(a.probesPort),
      SALLYPORT_B: `127.0.0.1:${b.port}`,
      SALLYPORT_B_PROBES: String(b.probesPort),
    },
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4096)
  })
  const failed = failure(child, () => said)
  await Promise.race([answering(socket), failed])
  return {
    port,
    until: (servers, state) => untilState(socket, servers, state),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

function failure(child: ChildProcess, said: () => string): Promise<never> {
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Error(MISSING) : error),
    )
    child.once('exit', (code) => reject(new Error(`haproxy ended with ${code}\n${said()}`)))
  })
  failed.catch(() => {})
  return failed
}

async function answering(socket: string): Promise<void> {
  for (let look = 0; look < 200; look += 1) {
    const answer = await ask(socket, 'show info').catch(() => '')
    if (answer.includes('Version')) return
    await delay(50)
  }
  throw new Error('haproxy does not answer on its socket')
}

async function untilState(socket: string, servers: readonly string[], state: string): Promise<void> {
  const until = performance.now() + STATE_MS_MAX
  for (;;) {
    const states = statesIn(await ask(socket, 'show stat'))
    if (servers.every((server) => states.get(server) === state)) return
    if (performance.now() > until) throw new Error(`haproxy: not ${state}: ${[...states]}`)
    await delay(50)
  }
}

/** Server -> `UP`, `DOWN`, or either with a count while it changes. The first two fields of a row are names. */
function statesIn(csv: string): Map<string, string> {
  const [head = '', ...rows] = csv.split('\n')
  const column = head.split(',').indexOf('status')
  const fields = rows.map((row) => row.split(',')).filter(([proxy]) => proxy === 'gateways')
  return new Map(fields.map((row) => [row[1] ?? '', row[column] ?? '']))
}

async function ask(path: string, command: string): Promise<string> {
  const socket = connect(path)
  socket.end(`${command}\n`)
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}
