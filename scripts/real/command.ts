// Commands that run to their end, and processes that live as long as the run.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { systemClock } from '../../src/clock.ts'
import { NotRun } from './progress.ts'

const TAIL_CHARS = 1_500
const STOP_TIMEOUT_MS = 10_000
const alive = new Set<ChildProcess>()

process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** Runs a command to its end; resolves with its standard output, throws `NotRun` with the end of what it said. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  alive.add(child)
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err = (err + chunk.toString()).slice(-TAIL_CHARS)
  })
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const code = await ended(child).catch((error: Error) => {
    throw new NotRun(`${command}: ${error.message}`)
  })
  if (code === 0) return out
  const said = (err.trim() || out.trim()).slice(-TAIL_CHARS)
  throw new NotRun(`${command} ${args[0] ?? ''} ended with ${code}: ${said}`)
}

export interface Running {
  readonly pid: number | undefined
  /** Resolves with the exit status, or the signal's name. */
  readonly exited: Promise<number | string>
  /** What it wrote so far, both streams. */
  log(): string
  /** Asks it to end, then makes it. */
  stop(signal?: NodeJS.Signals): Promise<number | string>
}

/** Starts a process that goes on; what it writes goes to the file. */
export function start(
  command: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly logFile: string },
): Running {
  const file = openSync(options.logFile, 'w', 0o600)
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', file, file],
  })
  closeSync(file)
  alive.add(child)
  const exited = ended(child)
  exited.catch(() => {})
  return {
    pid: child.pid,
    exited,
    log: () => readFileSync(options.logFile, 'utf8'),
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      return await exited.finally(() => clearTimeout(force))
    },
  }
}

function ended(child: ChildProcess): Promise<number | string> {
  const { promise, resolve, reject } = Promise.withResolvers<number | string>()
  child.once('error', reject)
  child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  return promise.finally(() => alive.delete(child))
}

/** Waits until `ready`, as long as the process lives. */
export async function untilReady(
  running: Running,
  ready: () => Promise<boolean>,
  { what, timeoutMs }: { readonly what: string; readonly timeoutMs: number },
): Promise<void> {
  let over: number | string | undefined
  running.exited.then(
    (code) => {
      over = code
    },
    (error: Error) => {
      over = error.message
    },
  )
  const deadline = systemClock.now() + timeoutMs
  while (!(await ready().catch(() => false))) {
    const tail = (): string => running.log().slice(-TAIL_CHARS)
    if (over !== undefined) throw new Error(`${what} ended with ${over} before it was ready:\n${tail()}`)
    if (systemClock.now() > deadline) throw new Error(`${what} was not ready in ${timeoutMs} ms:\n${tail()}`)
    await systemClock.sleep(50)
  }
}

/** Polls until `true`; resolves with the milliseconds that took, throws after the timeout. */
export async function until(
  what: string,
  ready: () => boolean | Promise<boolean>,
  { timeoutMs = 10_000, intervalMs = 20 } = {},
): Promise<number> {
  const began = performance.now()
  while (!(await ready())) {
    if (performance.now() - began > timeoutMs) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await systemClock.sleep(intervalMs)
  }
  return Math.round(performance.now() - began)
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
