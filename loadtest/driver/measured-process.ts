// A process that says more of itself than the operating system knows.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { type Child, startNode } from '../bench/processes.ts'

export const root = join(import.meta.dirname, '../..')
const inside = pathToFileURL(join(import.meta.dirname, 'inside.ts'))

export interface Measured {
  readonly child: Child
  /** Bytes that its JavaScript heap has handed out so far: a count that no collection lowers. */
  allocatedBytes(): Promise<number>
  /** Makes room for new objects (a minor collection). Throws an Error unless it was started with --expose-gc. */
  collect(): Promise<void>
  /** CPU time of the whole process so far, milliseconds. */
  cpuMs(): Promise<number>
  /** Reads and writes that it has asked the kernel for so far, files and sockets alike. */
  readsAndWrites(): number
  watchEventLoop(): Promise<void>
  unwatchEventLoop(): Promise<void>
  /** The longest turn of its event loop since the last look, milliseconds. */
  longestTurnMs(): Promise<number>
}

export interface MeasuredStart {
  /** Line that says that it is ready. */
  readonly marker: string
  /** Path of a Unix socket to be made. */
  readonly socket: string
  /** Options of Node.js. */
  readonly flags?: readonly string[]
}

/** Starts `node ARGS` in the repository and resolves when it is ready. */
export async function startMeasured(
  args: readonly string[],
  { marker, socket, flags = [] }: MeasuredStart,
): Promise<Measured> {
  const url = new URL(inside)
  url.searchParams.set('socket', socket)
  const child = await startNode([...flags, '--import', url.href, ...args], marker, root)
  return {
    child,
    allocatedBytes: () => ask(socket, 'allocated'),
    collect: async () => void (await ask(socket, 'collect')),
    cpuMs: () => ask(socket, 'cpu'),
    readsAndWrites: () => readsAndWrites(readFileSync(`/proc/${child.pid}/io`, 'utf8')),
    watchEventLoop: async () => void (await ask(socket, 'watch')),
    unwatchEventLoop: async () => void (await ask(socket, 'unwatch')),
    longestTurnMs: () => ask(socket, 'longestTurn'),
  }
}

/** Of the text of /proc/PID/io. */
export function readsAndWrites(io: string): number {
  const count = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(io)?.[1])
  return count('syscr') + count('syscw')
}

async function ask(socket: string, word: string): Promise<number> {
  const connection = connect(socket)
  connection.write(word)
  const { value } = JSON.parse(await text(connection)) as { value: unknown }
  if (typeof value !== 'number') throw new Error(`the measured process has no answer to "${word}"`)
  return value
}
