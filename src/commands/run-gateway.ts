import closeWithGrace from 'close-with-grace'
import { systemClock } from '../clock.ts'
import { formatReport } from '../config/check.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { type FileSource, folderSource } from '../config/source.ts'
import { knowledge } from '../gateway/knowledge.ts'
import { createTelemetry, type Telemetry } from '../gateway/telemetry.ts'
import type { WorkerPlace } from '../gateway/worker-part.ts'
import { type RunningGateway, startGateway } from '../gateway.ts'
import type { IpcPeer } from '../workers/ipc-peer.ts'
import { WorkerStartFailed } from '../workers/supervisor.ts'
import { settleHeap } from './settle-heap.ts'
import { CommandFailed, type ExitCode, exitCodes } from './surroundings.ts'
import { version } from './version.ts'

export interface LogFormat {
  readonly logFormat: 'auto' | 'json' | 'pretty'
}

export interface Prepared {
  readonly source: FileSource
  readonly config: Config
  readonly telemetry: Telemetry
}

/** Reads and checks a configuration folder; throws with every problem at once. */
export async function prepare(
  folder: string,
  { logFormat, worker }: LogFormat & { readonly worker?: number },
): Promise<Prepared> {
  const source = folderSource(folder)
  const loaded = await loadConfig(source, knowledge(systemClock.now()))
  if ('problems' in loaded) {
    const report = formatReport({ ok: false, directory: folder, ...loaded })
    throw new CommandFailed(`The configuration is refused.\n${report.trimEnd()}`, exitCodes.config)
  }
  const { config } = loaded
  return {
    source,
    config,
    telemetry: createTelemetry(version, { level: config.gateway.log.level, format: logFormat, worker }),
  }
}

/** Starts the gateway; a port in use or a broken file is said in one line. */
export async function start(prepared: Prepared, worker?: WorkerPlace): Promise<RunningGateway> {
  try {
    const own = { version, beforeListening: settleHeap }
    return await startGateway({ ...prepared, ...own, ...(worker === undefined ? {} : { worker }) })
  } catch (error) {
    throw startFailure(error)
  }
}

const listenFailures: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use. Stop what listens there, or choose another one in gateway.yaml.',
  EACCES: 'needs more rights than this process has. Choose one above 1023 in gateway.yaml.',
  EADDRNOTAVAIL: 'cannot be had: its address is not one of this machine. Mend the host in gateway.yaml.',
}

const plainErrors = /^(DirectoryLockError|AuditChainError|JournalError|FileRefused)$/

/** What can be said in one line is; anything else stays as it is. */
export function startFailure(error: unknown): unknown {
  if (error instanceof WorkerStartFailed) return new CommandFailed(error.message, error.exitCode as ExitCode)
  const { code = '', address, port } = error as { code?: string; address?: string; port?: number }
  const failure = port === undefined ? undefined : listenFailures[code]
  if (failure !== undefined) return new CommandFailed(`Port ${port} of ${address} ${failure}`)
  const named = error instanceof Error && plainErrors.test(error.name)
  return named ? new CommandFailed(`The gateway cannot start: ${(error as Error).message}`) : error
}

/** npm sends a Ctrl-C on to its child, which the terminal has told already: one key press comes as two signals. */
const SAME_SIGNAL_MS = 1_000
/** After an error that nothing caught, streams get this long and then their error event. */
const FAILED_DRAIN_MS = 2_000

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Left to the kernel: JavaScript that runs after a real one of these can hang the process (Node.js, Signal events). */
const deadlySignals = [
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGUSR2',
] as const

/**
 * Runs until a stop signal; then drains and ends the process with 0. Another signal, a second later or more, ends it
 * at once with 1. An error that nothing caught is logged and ends it with 1 too: a gateway in an unknown state must
 * not serve. A worker also drains when its primary process says so, and when that is gone.
 */
export async function untilSignal(
  gateway: Pick<RunningGateway, 'close'>,
  { events, close: closeTelemetry }: Telemetry,
  stopped?: () => Promise<void>,
  primary?: Pick<IpcPeer, 'on' | 'closed'>,
): Promise<never> {
  let ordered: { readonly deadlineMs?: number; readonly failure?: Error } = {}
  const skip = [...stopSignals, ...deadlySignals]
  const onSecondError = (error: unknown): void => void events.failure(error)
  const options = { delay: false, logger: false, skip, onSecondError } as const
  const { close } = closeWithGrace(options, async ({ manual, err }) => {
    const failure = manual ? ordered.failure : (err ?? new Error('the event loop ran out of work'))
    try {
      if (failure) events.failure(failure)
      await gateway.close(failure ? { deadlineMs: FAILED_DRAIN_MS } : boundOf(ordered))
      await stopped?.()
    } catch (error) {
      events.failure(error)
      throw error
    } finally {
      await closeTelemetry()
    }
    if (failure) throw failure
  })
  const stop = once(() => void close())
  onStopSignals(stop)
  const order = (next: typeof ordered): void => {
    ordered = next
    stop()
  }
  primary?.on('drain', ([bound]) => order(boundOf(bound as typeof ordered)))
  primary?.closed.addEventListener('abort', () =>
    order({ failure: new Error('the primary process is gone') }),
  )
  return await new Promise<never>(() => {})
}

const boundOf = ({ deadlineMs }: { readonly deadlineMs?: number }) =>
  deadlineMs === undefined ? {} : { deadlineMs }

function once(act: () => void): () => void {
  let done = false
  return () => {
    if (!done) act()
    done = true
  }
}

function onStopSignals(stop: () => void): void {
  let stoppingSinceMs: number | undefined
  const onSignal = (): void => {
    const nowMs = systemClock.monotonic()
    if (stoppingSinceMs === undefined) {
      stoppingSinceMs = nowMs
      stop()
    } else if (nowMs - stoppingSinceMs >= SAME_SIGNAL_MS) process.exit(exitCodes.failed)
  }
  for (const signal of stopSignals) process.on(signal, onSignal)
}
