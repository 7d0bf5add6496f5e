// What is printed at the end, and what stands in the report beside k6's own files.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Found } from './watch.ts'

interface Metric {
  readonly type: string
  readonly values: Readonly<Record<string, number>>
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>
}

interface Summary {
  readonly findings: readonly string[]
  readonly metrics: Readonly<Record<string, Metric>>
}

/** k6 holds a bar to be kept when nothing was measured. Counters are 0 then, and their bars say what they want. */
function isEmpty({ type, values }: Metric): boolean {
  if (type === 'trend') return values['count'] === 0
  return type === 'rate' && (values['passes'] ?? 0) + (values['fails'] ?? 0) === 0
}

/** A bar that is always kept: it makes k6 show the values. */
const isShown = (bar: string): boolean => bar.endsWith('>=0')

export const reportFiles = [
  'index.html',
  'k6.html',
  'k6.log',
  'samples.csv',
  'summary.json',
  'summary.md',
  'verdict.json',
] as const

export interface Verdict {
  readonly scenario: string
  readonly passed: boolean
  /** `metric bar`, as k6 writes them. */
  readonly kept: readonly string[]
  readonly missed: readonly string[]
  /** What the runner itself saw go wrong. */
  readonly faults: readonly string[]
  readonly said: readonly string[]
  readonly reportFolder: string
}

/** k6's exit codes: 0, or 99 when a bar was missed; anything else is no result. */
const ended = (code: number | null): string[] =>
  code === 0 || code === 99 ? [] : [`k6 ended with ${code}: see k6.log`]

export function verdictOf(
  scenario: string,
  code: number | null,
  found: readonly Found[],
  reportFolder: string,
): Verdict {
  const summary = readSummary(reportFolder)
  const all = Object.entries(summary?.metrics ?? {}).flatMap(([name, metric]) =>
    Object.entries(metric.thresholds ?? {})
      .filter(([bar]) => !isShown(bar))
      .map(([bar, { ok }]) => {
        const why = isEmpty(metric) ? ': nothing was measured' : ''
        return { text: `${name} ${bar}${why}`, ok: ok && why === '' }
      }),
  )
  const missed = all.filter(({ ok }) => !ok).map(({ text }) => text)
  const faults = [
    ...ended(code),
    ...(summary === undefined ? ['k6 wrote no summary: see k6.log'] : []),
    ...found.flatMap((each) => each.faults),
  ]
  const verdict = {
    scenario,
    passed: missed.length === 0 && faults.length === 0,
    kept: all.filter(({ ok }) => ok).map(({ text }) => text),
    missed,
    faults,
    said: [...(summary?.findings ?? []), ...found.flatMap(({ said }) => said)],
    reportFolder,
  }
  writeFileSync(join(reportFolder, 'verdict.json'), `${JSON.stringify(verdict, null, 2)}\n`)
  const lines = [...verdict.said, ...faults.map((fault) => `MISSED: ${fault}`)]
  if (summary !== undefined)
    appendFileSync(join(reportFolder, 'summary.md'), `\n${lines.map((line) => `* ${line}\n`).join('')}`)
  return verdict
}

function readSummary(reportFolder: string): Summary | undefined {
  try {
    return JSON.parse(readFileSync(join(reportFolder, 'summary.json'), 'utf8')) as Summary
  } catch {
    return undefined
  }
}

export function printed({ scenario, passed, kept, missed, faults, said, reportFolder }: Verdict): string {
  const lines = [
    `${scenario}: ${passed ? 'PASSED' : 'FAILED'}, ${kept.length} of ${kept.length + missed.length} bars kept`,
    ...missed.map((bar) => `  MISSED ${bar}`),
    ...faults.map((fault) => `  MISSED ${fault}`),
    ...said.map((line) => `  ${line}`),
    `  report: ${join(reportFolder, 'index.html')}`,
  ]
  return `${lines.join('\n')}\n`
}
