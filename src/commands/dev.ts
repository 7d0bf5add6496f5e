import { rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { type DevPorts, type DevUpstream, writeConfiguration } from './dev/configuration.ts'
import { makeFolder, type UpstreamSecrets } from './dev/folder.ts'
import { greeting } from './dev/greeting.ts'
import { configFolder } from './dev/names.ts'
import { findUpstream, startSimulatedUpstream } from './dev/upstream.ts'
import { type LogFormat, prepare, start, untilSignal } from './run-gateway.ts'
import { type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'
import { version } from './version.ts'

export interface DevOptions extends LogFormat, DevPorts {
  readonly directory: string
}

interface Opened extends DevUpstream {
  readonly close?: () => Promise<void>
}

/** `sallyport dev` and `npm start`: the whole secured path on this machine, with nothing to set up. */
export async function dev(options: DevOptions, { upstream, out, err }: Surroundings): Promise<ExitCode> {
  const directory = resolve(options.directory)
  err(`Making certificates, keys, a token and a configuration in ${options.directory}/ ...\n`)
  rmSync(join(directory, configFolder), { recursive: true, force: true })
  const secrets = await makeFolder(directory)
  const opened = await open(upstream, secrets)
  try {
    writeConfiguration(directory, options, opened)
    const prepared = await prepare(join(directory, configFolder), options)
    const gateway = await start(prepared)
    out(greeting({ ...options, directory: relative('', directory) || '.', version, upstream: opened }))
    await untilSignal(gateway, prepared.telemetry, opened.close)
  } catch (error) {
    await opened.close?.()
    throw error
  }
  return exitCodes.ok
}

const open = (upstream: string | undefined, secrets: UpstreamSecrets): Promise<Opened> =>
  upstream === undefined ? startSimulatedUpstream(secrets) : findUpstream(upstream)
