/** Processes that a test runs: their output as text, their ending, and no way to outlive the test. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'

export interface Ended {
  /** Exit code; `null` when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

export interface Child {
  readonly process: ChildProcess
  readonly out: string
  readonly err: string
  readonly ended: Promise<Ended>
  /** Waits until stdout matches; rejects with all output when the process ends before. */
  until(pattern: RegExp): Promise<void>
}

const LIFETIME_MS_MAX = 60_000

/** Starts a process in a group of its own, which is killed whole if it still runs after a minute. */
export function startChild(command: string, args: readonly string[], options: SpawnOptions = {}): Child {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options })
  const text = { out: '', err: '' }
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text.out += chunk
    child.emit('sallyport:output')
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text.err += chunk
  })
  const killer = setTimeout(() => killGroup(child), LIFETIME_MS_MAX)
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    clearTimeout(killer)
    return { code, signal, ...text }
  })
  return {
    process: child,
    get out() {
      return text.out
    },
    get err() {
      return text.err
    },
    ended,
    until: (pattern) => untilOutput(child, text, pattern),
  }
}

/** Runs a process to its end. */
export const runChild = (
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<Ended> => startChild(command, args, options).ended

async function untilOutput(
  child: ChildProcess,
  text: { readonly out: string; readonly err: string },
  pattern: RegExp,
): Promise<void> {
  while (!pattern.test(text.out)) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`ended without ${pattern}\n${text.out}\n${text.err}`)
    await Promise.race([once(child, 'sallyport:output'), once(child, 'close')])
  }
}

/** Whether any process of the group is left. */
export function groupLives({ process: { pid } }: Child): boolean {
  try {
    process.kill(-(pid as number), 0)
    return true
  } catch {
    return false
  }
}

export function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-(pid as number), 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** The environment of somebody who has just cloned: nothing that npm or the test runner left there. */
export function freshEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|node_|init_cwd|sallyport_)/i.test(name),
  )
  const path = (process.env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'))
  return { ...Object.fromEntries(kept), PATH: path.join(':'), ...more }
}

/** Whether something accepts connections there. */
export function listens(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host: '127.0.0.1', port })
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
