import closeWithGrace from 'close-with-grace'
import { systemClock } from '../clock.ts'
import { formatReport } from '../config/check.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { type FileSource, folderSource } from '../config/source.ts'
import { knowledge } from '../gateway/knowledge.ts'
import { createTelemetry, type Telemetry } from '../gateway/telemetry.ts'
import { type RunningGateway, startGateway } from '../gateway.ts'
import { CommandFailed, exitCodes } from './surroundings.ts'
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
export async function prepare(folder: string, { logFormat }: LogFormat): Promise<Prepared> {
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
    telemetry: createTelemetry(version, { level: config.gateway.log.level, format: logFormat }),
  }
}

/** Starts the gateway; a port in use or a broken file is said in one line. */
export async function start(prepared: Prepared): Promise<RunningGateway> {
  try {
    return await startGateway({ ...prepared, version })
  } catch (error) {
    throw startFailure(error)
  }
}

function startFailure(error: unknown): unknown {
  const { code, port } = error as { code?: string; port?: number }
  if (code === 'EADDRINUSE') {
    return new CommandFailed(`Port ${port} is in use. Stop what listens there, or choose another port.`)
  }
  if (code === 'EACCES' && port !== undefined) {
    return new CommandFailed(`Port ${port} needs more rights than this process has. Choose one above 1023.`)
  }
  const named =
    error instanceof Error && /^(AuditLockError|AuditChainError|TlsMaterialRefused)$/.test(error.name)
  return named ? new CommandFailed((error as Error).message) : error
}

/**
 * Runs until SIGINT or SIGTERM; then drains and ends with 0. A second signal ends at once. An error that nothing
 * caught is logged and ends the process too: a gateway in an unknown state must not serve.
 */
export async function untilSignal(
  gateway: RunningGateway,
  telemetry: Telemetry,
  stopped?: () => Promise<void>,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  closeWithGrace({ delay: false, logger: { error: () => {} } }, async ({ err }) => {
    if (err) telemetry.events.failure(err)
    await gateway.close()
    await stopped?.()
    await telemetry.close()
    resolve()
  })
  await promise
}
