import { systemClock } from '../clock.ts'
import { checkRuntime, nodeFloors } from '../config/runtime.ts'
import { startPrimary } from '../gateway/primary.ts'
import type { WorkerPlace, WorkerSettings } from '../gateway/worker-part.ts'
import { primaryProcess } from '../workers/cluster.ts'
import { type LogFormat, type Prepared, prepare, start, startFailure, untilSignal } from './run-gateway.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'

export interface ServeOptions extends LogFormat {
  readonly config: string
}

/** `sallyport serve`: the gateway in production, in one process or as a primary process with workers. */
export async function serve(
  { config: folder, ...options }: ServeOptions,
  _surroundings: Surroundings,
): Promise<ExitCode> {
  const place = await primaryProcess<WorkerSettings>(systemClock)
  if (place !== undefined) return await serveAsWorker(folder, options, place)
  const prepared = await prepare(folder, options)
  const verdict = checkRuntime(process.versions.node, prepared.config.gateway.runtime)
  if (!verdict.allowed) throw new CommandFailed(verdict.message, exitCodes.config)
  if (!verdict.supported)
    prepared.telemetry.events.runtimeBelowFloor(process.versions.node, nodeFloors.join(' or '))
  if (prepared.config.gateway.workers > 1) return await serveAsPrimary(prepared)
  const gateway = await start(prepared)
  return await untilSignal(gateway, prepared.telemetry)
}

async function serveAsPrimary({ config: { gateway }, telemetry }: Prepared): Promise<ExitCode> {
  const primary = await startPrimary({ gateway, telemetry }).catch((error) => {
    throw startFailure(error)
  })
  // A second signal ends this process where it stands; the workers go with it.
  process.once('exit', () => primary.killAll())
  return await untilSignal(primary, telemetry)
}

async function serveAsWorker(folder: string, options: LogFormat, place: WorkerPlace): Promise<ExitCode> {
  const { peer, index } = place
  // Until it serves, there is nothing to end well.
  const leave = (): never => process.exit(exitCodes.failed)
  peer.closed.addEventListener('abort', leave)
  peer.on('drain', () => process.exit(exitCodes.ok))
  let serving: { readonly prepared: Prepared; readonly gateway: Awaited<ReturnType<typeof start>> }
  try {
    const prepared = await prepare(folder, { ...options, worker: index })
    serving = { prepared, gateway: await start(prepared, place) }
  } catch (error) {
    return await refuseToServe(error, place)
  }
  const { prepared, gateway } = serving
  peer.on('readyz', () => gateway.readyz())
  peer.on('metrics', () => gateway.metrics())
  peer.closed.removeEventListener('abort', leave)
  const served = untilSignal(gateway, prepared.telemetry, undefined, peer)
  place.started()
  return await served
}

/** The primary process says it, once for all workers. */
async function refuseToServe(error: unknown, place: WorkerPlace): Promise<never> {
  const { message, stack } = error as Error
  const isPlain = error instanceof CommandFailed
  const exitCode = isPlain ? error.code : exitCodes.failed
  await place.failed({ message: isPlain ? message : (stack ?? message), exitCode })
  process.exit(exitCode)
}
