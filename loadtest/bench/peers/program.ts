// A program that is measured: in a process group of its own, its output in a file, its CPU time and memory read from the
// operating system over all its processes, ended with all of them. None outlives this process, unless that is killed with
// SIGKILL.
import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'

/** Clock ticks per second of /proc (USER_HZ, 100 on every Linux that Node runs on). */
const TICKS = 100
const PATIENCE_MS = 5_000
const TAIL_CHARACTERS = 2_000

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd: string
}

export interface Usage {
  /** User and system time of all its processes so far, milliseconds. */
  readonly cpuMs: number
  /** Resident memory of all its processes; pages that they share count for each. */
  readonly rssBytes: number
}

export interface Program {
  readonly pid: number
  usage(): Usage
  /** The end of what it printed. */
  tail(): string
  /** Resolves with how it ended. */
  readonly ended: Promise<string>
  /** SIGTERM to all its processes, and SIGKILL five seconds later. */
  stop(): Promise<void>
}

const running = new Set<number>()
process.once('exit', () => {
  for (const pid of running) signalGroup(pid, 'SIGKILL')
})

/** Starts it; `output` is the file that takes what it prints. Throws when there is no such program. */
export async function startProgram(launch: Launch, output: string): Promise<Program> {
  const file = openSync(output, 'w', 0o600)
  const child = spawn(launch.command, launch.args, {
    cwd: launch.cwd,
    env: { ...process.env, ...launch.env },
    stdio: ['ignore', file, file],
    detached: true,
  })
  closeSync(file)
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  const pid = child.pid as number
  running.add(pid)
  return {
    pid,
    usage: () => usageOf(pid),
    tail: () => readFileSync(output, 'utf8').slice(-TAIL_CHARACTERS).trim(),
    ended,
    stop: async () => {
      signalGroup(pid, 'SIGTERM')
      const force = setTimeout(() => signalGroup(pid, 'SIGKILL'), PATIENCE_MS)
      await ended
      clearTimeout(force)
      // What a master left behind when it was killed.
      signalGroup(pid, 'SIGKILL')
      running.delete(pid)
    },
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // Gone already.
  }
}

/** What a process and its descendants have used. */
export function usageOf(pid: number): Usage {
  const processes = familyOf(pid)
  return {
    cpuMs: processes.reduce((sum, each) => sum + cpuMsOf(each), 0),
    rssBytes: processes.reduce((sum, each) => sum + rssBytesOf(each), 0),
  }
}

function familyOf(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), Number(statOf(Number(name))[1])] as const)
  const family = [pid]
  // Grows while it is walked: children of children.
  for (const each of family) family.push(...parents.filter(([, of]) => of === each).map(([child]) => child))
  return family
}

/** Fields of /proc/PID/stat from the third; empty when it has ended. */
function statOf(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`)
  // The second field is the program's name in parentheses and may hold spaces.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/**
 * `stat` counts in steps of 10 ms and knows threads that ended; the scheduler counts in nanoseconds, for threads that
 * live. Neither says too much, so the larger is nearer to the truth.
 */
function cpuMsOf(pid: number): number {
  const fields = statOf(pid)
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
  const threads = list(`/proc/${pid}/task`).map((thread) =>
    Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] || 0),
  )
  return Math.max((ticks * 1000) / TICKS, threads.reduce((sum, ns) => sum + ns, 0) / 1e6)
}

const rssBytesOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1024

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
