/**
 * One JSON line (or, for people, one readable line) for each event.
 *
 * Invariants
 * 1. Each `write` gives at most one line, of at most `lineBytesMax` bytes of fields, whatever the values are.
 * 2. Every string passes through `cleanText` here, so that no event can forget it.
 * 3. A log that cannot be written (a reader that stalls, a full disk) keeps what fits the buffer, drops the lines above
 *    and counts them; it never grows without bound, blocks or ends the process. The next line tries again.
 * 4. A line leaves within `gatherMs`, with those that came meanwhile: a system call a line costs more than the line.
 */
import { once } from 'node:events'
import { type Logger as Pino, pino } from 'pino'
import { type Clock, systemClock } from '../clock.ts'
import { cleanText } from './clean-text.ts'
import { prettyLine } from './pretty-line.ts'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export type LogValue = string | number | boolean | undefined | readonly string[]
export type LogFields = Readonly<Record<string, LogValue>>

/** Where lines go: stdout, or what a test gives. */
export interface LogStream {
  write(line: string): void
}

export interface Log {
  write(level: LogLevel, event: string, message: string, fields: LogFields): void
  /** Takes effect at once; used at reload. */
  setLevel(level: LogLevel): void
  /** Writes out what is still buffered, waiting at most `closeTimeoutMs`; what is logged later is not written. */
  close(): Promise<void>
}

export interface LogOptions {
  readonly level: LogLevel
  /** `auto`: pretty on a terminal, JSON otherwise. */
  readonly format?: 'auto' | 'json' | 'pretty'
  readonly stream?: LogStream
  readonly clock?: Clock
  /** Number of this process among the workers of one gateway; in every line. */
  readonly worker?: number | undefined
  /** Called with the number of lines that a stalled reader made us drop. */
  readonly onDrop?: (lines: number) => void
}

const closeTimeoutMs = 2000
const listItemsMax = 20
const bufferBytesMax = 8 * 1024 * 1024
const gatherMs = 10
/** Lines that are this long together do not wait. */
const gatherBytesMax = 3072
/** What a pipe takes whole or not at all (PIPE_BUF, pipe(7)): lines of several workers in one pipe do not mix. */
const writeBytesMax = 4096

/** Makes the log. Without `stream` it writes to standard output, without blocking the event loop. */
export function createLog(options: LogOptions): Log {
  const clock = options.clock ?? systemClock
  const stdout = options.stream ? undefined : openStdout(options.onDrop)
  const raw: LogStream = options.stream ?? (stdout as Stdout)
  const terminal = options.stream === undefined && process.stdout.isTTY === true
  const format = options.format ?? 'auto'
  const pretty = format === 'pretty' || (format === 'auto' && terminal)
  const stream = pretty ? prettyStream(raw, terminal ? 'ansi' : 'none') : raw
  const lines = pino(pinoOptions(options, clock), stream)
  let closing: Promise<void> | undefined
  return {
    write: (level, event, message, fields) => writeLine(lines, level, event, message, fields),
    setLevel: (level) => {
      lines.level = level
    },
    close: () => {
      lines.level = 'silent'
      closing ??= stdout === undefined ? Promise.resolve() : stdout.close(clock)
      return closing
    },
  }
}

const pinoOptions = ({ level, worker }: LogOptions, clock: Clock) => ({
  level,
  // No pid and host name: the platform adds its own, and they say where we run.
  base: worker === undefined ? null : { worker },
  messageKey: 'message',
  timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
  formatters: { level: (label: string) => ({ level: label }) },
})

interface Stdout extends LogStream {
  close(clock: Clock): Promise<void>
}

function openStdout(onDrop: ((lines: number) => void) | undefined): Stdout {
  const stdout = pino.destination({
    dest: 1,
    sync: false,
    minLength: gatherBytesMax,
    maxLength: bufferBytesMax,
    maxWrite: writeBytesMax,
  })
  let gathering: NodeJS.Timeout | undefined
  const flush = (): void => {
    gathering = undefined
    if (!gone) stdout.flush()
  }
  /** The reader has left: pino makes `write` and `end` do nothing, in silence. */
  let gone = false
  stdout.on('drop', () => onDrop?.(1))
  // Heard, or a full disk behind stdout would end the process. What was not written stays buffered.
  stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    gone ||= code === 'EPIPE'
  })
  // pino calls this when the process exits, and on a full disk it tries for ever (measured). `close` has written.
  stdout.flushSync = () => {}
  return {
    write: (line) => {
      if (gone) onDrop?.(1)
      else {
        stdout.write(line)
        gathering ??= setTimeout(flush, gatherMs)
      }
    },
    // Not `flushSync`: it overtakes a write that is under way, and blocks for ever on a reader that stalls.
    close: async (clock) => {
      clearTimeout(gathering)
      if (gone) return
      // An error ends the wait: what cannot be written now is not going to be.
      const over = once(stdout, 'close').catch(() => {})
      stdout.end()
      await Promise.race([over, clock.sleep(closeTimeoutMs)])
    },
  }
}

function prettyStream(raw: LogStream, colors: 'ansi' | 'none'): LogStream {
  return { write: (line) => raw.write(prettyLine(line, colors)) }
}

function writeLine(lines: Pino, level: LogLevel, event: string, message: string, fields: LogFields): void {
  if (!lines.isLevelEnabled(level)) return
  const clean: Record<string, LogValue> = { event }
  for (const [field, value] of Object.entries(fields)) {
    const shown = cleanValue(value)
    if (shown !== undefined) clean[field] = shown
  }
  lines[level](clean, cleanText(message))
}

function cleanValue(value: LogValue): LogValue {
  if (typeof value === 'string') return cleanText(value)
  if (typeof value === 'number') return Number.isFinite(value) ? Math.round(value * 1000) / 1000 : undefined
  if (typeof value !== 'object') return value
  return value.slice(0, listItemsMax).map((item) => cleanText(item))
}
