import { type Metric, Registry } from 'prom-client'
import { aggregationOf } from './aggregation.ts'
import { processMetrics } from './metric-table.ts'
import { workerMetricTable } from './worker-metric-table.ts'

/** One sample as prom-client gives it, after a way as JSON. `null`: it was not a number. */
export interface Sample {
  readonly value: number | null
  readonly labels: Readonly<Record<string, string | number>>
  readonly metricName?: string
  readonly sharedLabels?: Readonly<Record<string, string | number>>
}

/** A metric of one process at one moment. */
export interface MetricSnapshot {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly Sample[]
}

export type Snapshot = readonly MetricSnapshot[]

const combine = {
  sum: (a: number, b: number) => a + b,
  min: Math.min,
  max: Math.max,
} as const

/** What these processes are together. Series keep the order in which they are met, so buckets stay in theirs. */
export function merged(snapshots: readonly Snapshot[]): Snapshot {
  const byName = new Map<string, MetricSnapshot[]>()
  for (const metric of snapshots.flat()) {
    const same = byName.get(metric.name)
    if (same === undefined) byName.set(metric.name, [metric])
    else same.push(metric)
  }
  return [...byName.values()].map(mergedMetric)
}

/** What stays of a process that has ended: what it counted. */
export const countedIn = (snapshot: Snapshot): Snapshot => snapshot.filter(({ type }) => type !== 'gauge')

/** What a primary process has to show of itself: it serves nobody, so its other series say nothing. */
export const ofPrimary = (snapshot: Snapshot): Snapshot => snapshot.filter(({ name }) => ownNames.has(name))

const ownNames: ReadonlySet<string> = new Set([...processMetrics, ...Object.keys(workerMetricTable)])

/** The text of `/metrics`. */
export function exposition(snapshot: Snapshot): Promise<string> {
  const registry = new Registry()
  // The registry asks a metric for its name and its samples; the type names prom-client's own classes.
  for (const metric of snapshot)
    registry.registerMetric({ name: metric.name, get: () => metric } as unknown as Metric)
  return registry.metrics()
}

function mergedMetric(same: readonly MetricSnapshot[]): MetricSnapshot {
  const [first] = same as readonly [MetricSnapshot, ...MetricSnapshot[]]
  const together = combine[aggregationOf(first.name)]
  const series = new Map<string, Sample>()
  for (const { values } of same)
    for (const sample of values) {
      if (sample.value === null || Number.isNaN(sample.value)) continue
      const key = keyOf(sample)
      const before = series.get(key)?.value ?? undefined
      const value = before === undefined ? sample.value : together(before, sample.value)
      series.set(key, { ...sample, value })
    }
  return { ...first, values: [...series.values()] }
}

const keyOf = ({ metricName = '', labels, sharedLabels = {} }: Sample): string =>
  JSON.stringify([metricName, ...Object.entries(sharedLabels).flat(), ...Object.entries(labels).flat()])
