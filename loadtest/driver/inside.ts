// Runs inside of a process that is measured, before its own code (`node --import inside.ts?socket=PATH program.ts`), and
// answers on a Unix socket what only the process itself knows. It changes nothing: no timer, no listener on anything of the
// program, until it is asked to watch the event loop.
import { createServer } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

/** Of the watch, milliseconds: a sample says how long after the one before it came. */
const RESOLUTION_MS = 1

/** A request is one of these words, a reply one line of JSON: `{"value": number}`. */
const answers: Readonly<Record<string, () => number>> = {
  /** Bytes that the JavaScript heap of the main thread has handed out since the process began. */
  allocated: () => getHeapStatistics().total_allocated_bytes,
  /** Makes room for new objects, when the process was started with --expose-gc. A full collection would drop compiled code. */
  collect: () => {
    globalThis.gc?.({ type: 'minor' })
    return globalThis.gc === undefined ? Number.NaN : 1
  },
  /** CPU time of the whole process so far, milliseconds: finer than the ticks of /proc. */
  cpu: () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  },
  /** Begins to watch the event loop. */
  watch: () => {
    watched ??= monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    watched.reset()
    return Number(watched.enable())
  },
  unwatch: () => Number(watched?.disable() ?? false),
  /** The longest turn of the event loop since the last look, milliseconds. */
  longestTurn: () => {
    const longestMs = (watched?.max ?? Number.NaN) / 1e6 - RESOLUTION_MS
    watched?.reset()
    return Math.max(0, longestMs)
  },
}
let watched: ReturnType<typeof monitorEventLoopDelay> | undefined

const path = new URL(import.meta.url).searchParams.get('socket')
if (path !== null) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (word) => {
      const answer = answers[word.toString().trim()]
      socket.end(`${JSON.stringify({ value: answer?.() ?? null })}\n`)
    })
    socket.unref()
  })
  server.listen(path)
  // The program ends when it has nothing left to do, as it does without this.
  server.unref()
}
