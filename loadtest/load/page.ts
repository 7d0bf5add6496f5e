// The report as a page: the verdict, every bar, and what happened second by second, seen by callers and from outside.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Chart, escaped, svgOf } from './chart.ts'
import { readSeries, type Series } from './series.ts'
import type { Verdict } from './verdict.ts'
import type { Sample } from './watch.ts'

const metrics = {
  added: 'added_time_to_first_token',
  overhead: 'gateway_overhead',
  refused: 'refused_calls',
  failed: 'failed_calls',
  cut: 'truncated_streams',
  iterations: 'iterations',
} as const

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:1180px;margin:2rem auto;padding:0 1rem;color:#1c2128;background:#fff}
h1{font-size:1.4rem}.passed{color:#0b6e4f}.failed{color:#b42318}table{border-collapse:collapse;margin:1rem 0}
td,th{text-align:left;padding:.15rem .8rem .15rem 0;border-bottom:1px solid #8884;font-variant-numeric:tabular-nums}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:1rem}figure{margin:0}figcaption{font-weight:600}
svg{width:100%;height:auto}.grid{stroke:#8883}text{font-size:11px;fill:currentColor;opacity:.75}
.y{text-anchor:end;dominant-baseline:middle}.x{text-anchor:middle}.last{text-anchor:end}polyline{fill:none;stroke-width:1.75;stroke-linejoin:round}
.line0{stroke:#2563a8}.line1{stroke:#c2571a}.line2{stroke:#7a3e9d}.key0{color:#2563a8}.key1{color:#c2571a}.key2{color:#7a3e9d}
[class^=key]{font-weight:400;margin-left:.6rem}
@media(prefers-color-scheme:dark){body{color:#e6e9ee;background:#14171c}.line0{stroke:#6ba6e8}.line1{stroke:#f0975c}.line2{stroke:#c08be0}
.key0{color:#6ba6e8}.key1{color:#f0975c}.key2{color:#c08be0}.passed{color:#4cc38a}.failed{color:#ff8f80}}`

function chartsOf(series: Series, samples: readonly Sample[]): Chart[] {
  const level = (title: string, unit: string, label: string, key: 'rssMiB' | 'handles'): Chart => ({
    title,
    unit,
    lines: [{ label, points: samples.map((sample) => [sample.seconds, sample[key]] as const) }],
  })
  const quantiles = (title: string, metric: string): Chart => ({
    title,
    unit: 'ms',
    lines: [
      { label: 'median', points: series.quantile(metric, 0.5) },
      { label: '95 of 100', points: series.quantile(metric, 0.95) },
    ],
  })
  return [
    quantiles('Added time to first token', metrics.added),
    quantiles('Time that the gateway took itself', metrics.overhead),
    {
      title: 'Calls',
      unit: 'a second',
      lines: [
        { label: 'ended', points: series.count(metrics.iterations) },
        { label: 'refused', points: series.count(metrics.refused) },
        { label: 'failed', points: series.count(metrics.failed) },
      ],
    },
    {
      title: 'CPU of the gateways',
      unit: 'cores',
      lines: [{ label: 'user and system', points: cores(samples) }],
    },
    level('Memory of the gateways', 'MiB', 'RSS', 'rssMiB'),
    level('Open files and sockets of the gateways', 'count', 'handles', 'handles'),
  ]
}

/** CPU time is counted by process: while a gateway is restarted it goes back, and says nothing. */
const cores = (samples: readonly Sample[]): [number, number][] =>
  samples.slice(1).flatMap((sample, index): [number, number][] => {
    const before = samples[index] as Sample
    const used = sample.cpuMs - before.cpuMs
    const wall = (sample.seconds - before.seconds) * 1000
    return used < 0 || wall < 100 ? [] : [[sample.seconds, used / wall]]
  })

/** Writes `index.html`, and removes the samples that it was drawn from. */
export async function writePage(
  verdict: Verdict,
  samplesFile: string,
  samples: readonly Sample[],
): Promise<void> {
  const { scenario, passed, kept, missed, faults, said, reportFolder } = verdict
  const series = await readSeries(samplesFile, Object.values(metrics))
  const charts = chartsOf(series, samples)
  const xMax = Math.max(
    1,
    ...charts.flatMap(({ lines }) => lines.flatMap(({ points }) => points.map(([x]) => x))),
  )
  const rows = [
    ...[...missed, ...faults].map((bar) => `<tr><td class="failed">missed</td><td>${escaped(bar)}</td></tr>`),
    ...kept.map((bar) => `<tr><td class="passed">kept</td><td>${escaped(bar)}</td></tr>`),
  ]
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(scenario)}</title><style>${style}</style>
<h1>${escaped(scenario)}: <span class="${passed ? 'passed' : 'failed'}">${passed ? 'passed' : 'failed'}</span></h1>
<ul>${said.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>
<div class="charts">${charts.map((chart) => svgOf(chart, xMax)).join('')}</div>
<table>${rows.join('')}</table>
<p>Values: <a href="summary.md">summary.md</a>, <a href="summary.json">summary.json</a>; k6's own report: <a href="k6.html">k6.html</a>.</p></html>
`
  writeFileSync(join(reportFolder, 'index.html'), html)
  rmSync(samplesFile)
}
