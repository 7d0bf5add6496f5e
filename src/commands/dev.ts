import { rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { claimFolder } from './dev/claim.ts'
import { type DevPorts, type DevUpstream, writeConfiguration } from './dev/configuration.ts'
import { makeFolder } from './dev/folder.ts'
import { greeting, readyLine } from './dev/greeting.ts'
import { configFolder } from './dev/names.ts'
import { writeOperator } from './dev/operator.ts'
import { findUpstream, startSimulatedUpstream } from './dev/upstream.ts'
import { type LogFormat, prepare, start, untilSignal } from './run-gateway.ts'
import type { ExitCode, Surroundings } from './surroundings.ts'
import { version } from './version.ts'

export interface DevOptions extends LogFormat, DevPorts {
  readonly directory: string
  readonly json?: boolean
}

interface Opened extends DevUpstream {
  readonly close?: () => Promise<void>
}

/** `sallyport dev` and `npm start`: the whole secured path on this machine, with nothing to set up. */
export async function dev(options: DevOptions, { upstream, out, err }: Surroundings): Promise<ExitCode> {
  const directory = resolve(options.directory)
  const shown = relative('', directory) || '.'
  const found = upstream === undefined ? undefined : await findUpstream(upstream)
  await claimFolder(directory, options)
  err(`Making certificates, keys, a token and a configuration in ${shown}/ ...\n`)
  rmSync(join(directory, configFolder), { recursive: true, force: true })
  const secrets = await makeFolder(directory)
  const opened: Opened = found ?? (await startSimulatedUpstream(secrets))
  try {
    writeConfiguration(directory, options, opened)
    writeOperator(directory, options)
    const prepared = await prepare(join(shown, configFolder), options)
    const gateway = await start(prepared)
    const parts = { ...options, directory: shown, version, upstream: opened }
    out(options.json ? readyLine(parts) : greeting(parts))
    return await untilSignal(gateway, prepared.telemetry, opened.close)
  } catch (error) {
    await opened.close?.()
    throw error
  }
}
