// A real redis-server on a free port, with nothing on disk.
import { type ChildProcess, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const MISSING =
  'Redis is not installed. Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis'

export interface Redis {
  readonly address: string
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>
  /** Starts it again on the same port, with nothing in it. */
  restart(): Promise<void>
}

export async function startRedis(port: number): Promise<Redis> {
  let child = await launch(port)
  return {
    address: `127.0.0.1:${port}`,
    kill: () => end(child),
    restart: async () => {
      child = await launch(port)
    },
  }
}

async function launch(port: number): Promise<ChildProcess> {
  const memoryOnly = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction']
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...memoryOnly], {
    stdio: 'ignore',
  })
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Error(MISSING) : error),
    )
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)))
  })
  failed.catch(() => {})
  await Promise.race([listening(port), failed])
  return child
}

async function listening(port: number): Promise<void> {
  for (let look = 0; look < 400; look += 1) {
    if (await accepts(port)) return
    await delay(25)
  }
  throw new Error(`redis-server does not listen on ${port}`)
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

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}
