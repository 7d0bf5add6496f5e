import { systemClock } from '../clock.ts'
import { formatProblem } from '../config/check.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { checkRuntime, nodeFloors } from '../config/runtime.ts'
import { folderSource } from '../config/source.ts'
import { knowledge } from '../gateway/knowledge.ts'
import { checkAudit } from './doctor/audit.ts'
import { checkCertificates } from './doctor/certificates.ts'
import { type Check, checksText, failed, ok, warning } from './doctor/check.ts'
import { checkIssuers } from './doctor/issuers.ts'
import { checkPorts } from './doctor/ports.ts'
import { checkQuota } from './doctor/quota.ts'
import { checkUpstreams } from './doctor/upstreams.ts'
import { checkWorkers } from './doctor/workers.ts'
import { type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'

export interface DoctorOptions {
  readonly config: string
  readonly json?: boolean
}

/** `sallyport doctor`: everything that a start and the first call need, looked at from this machine. */
export async function doctor(
  { config: folder, json }: DoctorOptions,
  { out }: Surroundings,
): Promise<ExitCode> {
  const loaded = await loadConfig(folderSource(folder), knowledge(systemClock.now()))
  const config = 'config' in loaded ? loaded.config : undefined
  const problems = 'problems' in loaded ? loaded.problems : []
  const places = (list: typeof problems): string[] => list.map((problem) => formatProblem(problem, folder))
  const checks = [
    checkNode(config),
    ...configurationChecks(folder, places(problems), places(loaded.warnings)),
    ...(config === undefined ? [] : await checkAround(config)),
  ]
  const healthy = checks.every(({ state }) => state !== 'failed')
  out(json ? `${JSON.stringify({ healthy, checks }, null, 2)}\n` : checksText(checks))
  return healthy ? exitCodes.ok : exitCodes.failed
}

async function checkAround(config: Config): Promise<Check[]> {
  const parts = [
    checkAudit(config),
    checkQuota(config),
    checkIssuers(config),
    checkUpstreams(config),
    checkPorts(config),
  ]
  return [...checkCertificates(config), ...checkWorkers(config), ...(await Promise.all(parts)).flat()]
}

function checkNode(config: Config | undefined): Check {
  const { node } = process.versions
  const { supported, allowed } = checkRuntime(node, config?.gateway.runtime)
  const floors = nodeFloors.join(' or ')
  if (supported) return ok('Node.js', `${node} is at or above the security floor (${floors})`)
  const below = `${node} is below the security floor (${floors})`
  if (allowed) return warning('Node.js', `${below}; gateway.yaml allows it by name`, 'Upgrade Node.js.')
  const advice = `Upgrade Node.js, or allow it by name in gateway.yaml: runtime.allowUnsupportedNode: ${node}`
  return failed('Node.js', below, advice)
}

function configurationChecks(folder: string, problems: string[], warnings: string[]): Check[] {
  const name = 'configuration'
  const warned = warnings.map((text) => warning(name, text, 'It serves; look whether you meant it.'))
  if (problems.length === 0) return [ok(name, `${folder} is sound`), ...warned]
  const wrong = problems.map((text) => failed(name, text, 'Mend it; what else there is shows after that.'))
  return [...wrong, ...warned]
}
