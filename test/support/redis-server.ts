/** Real Redis servers on free ports, each in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from './stack.ts'

export interface RedisServer {
  readonly port: number
  readonly address: string
  readonly folder: string
  /** Stops answering, with every connection open. */
  pause(): void
  resume(): void
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>
  /** Starts it again on the same port, with nothing in it. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts `redis-server`; `args` are appended to its command line. */
export async function startRedis(args: readonly string[] = [], port?: number): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-redis-'))
  const own = port ?? ((await freePorts(1))[0] as number)
  let child = await launch(own, folder, args)
  return {
    port: own,
    address: `127.0.0.1:${own}`,
    folder,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: () => end(child, 'SIGKILL'),
    restart: async () => {
      child = await launch(own, folder, args)
    },
    stop: async () => {
      child.kill('SIGCONT')
      await end(child, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function launch(port: number, folder: string, args: readonly string[]): Promise<ChildProcess> {
  const plain = args.includes('--tls-port') ? ['--port', '0'] : ['--port', String(port)]
  const child = spawn(
    'redis-server',
    [...plain, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no', ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  child.stdout?.on('data', (chunk) => {
    output += chunk
  })
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}: ${output.slice(-500)}`)))
  })
  failed.catch(() => {})
  await Promise.race([listening(port), failed])
  return child
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (await accepts(port)) return
    await delay(25)
  }
  throw new Error(`nothing listens on ${port}`)
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await ended
}
