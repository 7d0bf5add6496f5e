import { checkRuntime, nodeFloors } from '../config/runtime.ts'
import { type LogFormat, prepare, start, untilSignal } from './run-gateway.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'

export interface ServeOptions extends LogFormat {
  readonly config: string
}

/** `sallyport serve`: the gateway in production. */
export async function serve(
  { config: folder, ...options }: ServeOptions,
  _surroundings: Surroundings,
): Promise<ExitCode> {
  const prepared = await prepare(folder, options)
  const verdict = checkRuntime(process.versions.node, prepared.config.gateway.runtime)
  if (!verdict.allowed) throw new CommandFailed(verdict.message, exitCodes.config)
  if (!verdict.supported)
    prepared.telemetry.events.runtimeBelowFloor(process.versions.node, nodeFloors.join(' or '))
  const gateway = await start(prepared)
  await untilSignal(gateway, prepared.telemetry)
  return exitCodes.ok
}
