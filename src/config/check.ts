import { type LoadOptions, loadConfig } from './load.ts'
import type { Problem } from './problem.ts'
import { folderSource } from './source.ts'

/** What `sallyport config check` says; as JSON with `--json`. */
export interface CheckReport {
  readonly ok: boolean
  readonly directory: string
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  /** Version of the policy; absent when there are problems. */
  readonly hash?: string
}

/** Loads the configuration of a folder and throws it away. */
export async function checkConfig(directory: string, options: LoadOptions): Promise<CheckReport> {
  const loaded = await loadConfig(folderSource(directory), options)
  if ('problems' in loaded) {
    return { ok: false, directory, problems: loaded.problems, warnings: loaded.warnings }
  }
  return { ok: true, directory, problems: [], warnings: loaded.warnings, hash: loaded.config.hash }
}

/** The report for people: one line a problem, in the form that editors and terminals make a link of. */
export function formatReport(report: CheckReport): string {
  const lines = [
    ...report.problems.map((problem) => formatProblem(problem, report.directory)),
    ...report.warnings.map((problem) => `${formatProblem(problem, report.directory)} (warning)`),
  ]
  const counts = `${count(report.problems.length, 'problem')}, ${count(report.warnings.length, 'warning')}`
  lines.push(report.ok ? `ok: policy ${report.hash}, ${counts}` : `not ok: ${counts}`)
  return `${lines.join('\n')}\n`
}

/** `config/policies.yaml:12:5 roles.app.scopes[0] "chta" is not a scope; ...` */
export function formatProblem({ file, line, column, path, message }: Problem, directory: string): string {
  const place = line === 0 ? '' : `:${line}:${column}`
  return `${directory}/${file}${place} ${path === '' ? '' : `${path} `}${message}`
}

const count = (amount: number, noun: string): string => `${amount} ${noun}${amount === 1 ? '' : 's'}`
