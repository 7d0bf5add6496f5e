import { systemClock } from '../clock.ts'
import { checkConfig, formatReport } from '../config/check.ts'
import { knowledge } from '../gateway/knowledge.ts'
import { type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'

export interface ConfigCheckOptions {
  readonly config: string
  readonly json?: boolean
  readonly skipFiles?: boolean
}

/** `sallyport config check`: everything that is wrong with a configuration, at once. */
export async function configCheck(
  { config: folder, json, skipFiles }: ConfigCheckOptions,
  { out }: Surroundings,
): Promise<ExitCode> {
  const known = knowledge(systemClock.now())
  const report = await checkConfig(folder, skipFiles ? { ...known, material: 'skip' } : known)
  out(json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report))
  return report.ok ? exitCodes.ok : exitCodes.config
}
