// What k6 writes at the end: everything as JSON, and what a reader wants to know as Markdown.
import { settings } from './settings.ts'

interface Metric {
  readonly type: 'counter' | 'gauge' | 'rate' | 'trend'
  readonly contains: 'default' | 'time' | 'data'
  readonly values: Readonly<Record<string, number>>
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>
}

export interface SummaryData {
  readonly metrics: Readonly<Record<string, Metric>>
  readonly state: { readonly testRunDurationMs: number }
}

const trendColumns = ['count', 'avg', 'med', 'p(95)', 'p(99)', 'max']
const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
const shown = (value: number | undefined): string =>
  value === undefined ? '–' : Number.isInteger(value) ? String(value) : value.toPrecision(4)

function reached({ type, values }: Metric, threshold: string): string {
  if (type === 'rate') return `${shown((values['rate'] ?? 0) * 100)} %`
  const key = /^[a-z]+(\([\d.]+\))?/.exec(threshold)?.[0] ?? ''
  return shown(values[key])
}

/** One line for each bar: the metric, the bar, what it came to, and whether that is kept. */
export function bars({ metrics }: SummaryData): string[][] {
  return Object.entries(metrics)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, metric]) =>
      Object.entries(metric.thresholds ?? {}).map(([threshold, { ok }]) => [
        name,
        threshold,
        reached(metric, threshold),
        ok ? 'kept' : 'MISSED',
      ]),
    )
}

function trends({ metrics }: SummaryData): string[] {
  const rows = Object.entries(metrics)
    .filter(([, { type, values }]) => type === 'trend' && (values['count'] ?? 1) > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { values }]) => row([name, ...trendColumns.map((column) => shown(values[column]))]))
  return [row(['milliseconds', ...trendColumns]), `|---|${'---:|'.repeat(trendColumns.length)}`, ...rows]
}

function counts({ metrics }: SummaryData): string[] {
  const rows = Object.entries(metrics)
    .filter(([, { type }]) => type === 'counter' || type === 'rate')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, metric]) =>
      row([
        name,
        metric.type === 'rate'
          ? `${metric.values['passes']} of ${(metric.values['passes'] ?? 0) + (metric.values['fails'] ?? 0)}`
          : shown(metric.values['count']),
      ]),
    )
  return [row(['count', '']), '|---|---:|', ...rows]
}

/** What `handleSummary` returns: files by their names. `findings` are lines of the scenario's own. */
export function report(data: SummaryData, findings: readonly string[] = []): Record<string, string> {
  const { scenario, rate, seconds, reportFolder, latencyFactor } = settings
  const ran = Math.round(data.state.testRunDurationMs / 1000)
  const lines = [
    `# ${scenario}`,
    '',
    `${rate} calls a second for ${seconds} s (k6 ran ${ran} s), bounds of latency x ${latencyFactor}.`,
    '',
    ...findings.flatMap((finding) => [`* ${finding}`]),
    '',
    row(['metric', 'bar', 'value', '']),
    '|---|---|---:|---|',
    ...bars(data).map(row),
    '',
    ...trends(data),
    '',
    ...counts(data),
    '',
  ]
  return {
    [`${reportFolder}/summary.json`]: JSON.stringify({ findings, ...data }, null, 2),
    [`${reportFolder}/summary.md`]: lines.join('\n'),
  }
}

export const handleSummary = (data: SummaryData): Record<string, string> => report(data)
