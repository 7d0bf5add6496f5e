// Child processes of a benchmark: started, watched for a line, their CPU time read from the operating system, ended.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { promisify } from 'node:util'

/** Clock ticks per second of /proc (USER_HZ, 100 on every Linux that Node runs on). */
const TICKS = 100

export interface Child {
  readonly pid: number
  /** User and system CPU time so far, milliseconds. */
  cpuMs(): number
  /** Resident set, bytes. */
  rssBytes(): number
  /** Open file descriptors: sockets, files, and what the event loop itself uses. */
  handles(): number
  signal(name: NodeJS.Signals): void
  /** Exit code; `null` when a signal ended it. */
  readonly ended: Promise<number | null>
  /** SIGTERM, and SIGKILL five seconds later. */
  stop(): Promise<void>
}

/** Starts `node ARGS` and resolves when it prints `marker`. */
export async function startNode(args: readonly string[], marker: string, cwd: string): Promise<Child> {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const printed = await firstSight(child, marker)
  const pid = child.pid
  if (pid === undefined) throw new Error(`${args[0]} did not start: ${printed}`)
  return {
    pid,
    cpuMs: () => cpuMs(pid),
    rssBytes: () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
    handles: () => readdirSync(`/proc/${pid}/fd`).length,
    signal: (name) => void child.kill(name),
    ended,
    stop: () => stop(child),
  }
}

/** What `node ARGS` prints until it ends. */
export async function printedBy(args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd })
  return stdout
}

async function firstSight(child: ChildProcess, marker: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let seen = ''
  const look = (chunk: Buffer): void => {
    if (seen.length < 65_536) seen += chunk.toString()
    if (seen.includes(marker)) resolve(seen)
  }
  child.stdout?.on('data', look)
  child.stderr?.on('data', look)
  child.once('exit', (code) => reject(new Error(`ended with ${code} before it was ready:\n${seen}`)))
  child.once('error', reject)
  return await promise
}

function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name in parentheses and may hold spaces; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(force)
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
