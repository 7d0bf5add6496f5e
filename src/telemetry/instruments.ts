import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'
import { type GapHistogram, SeriesHistogram } from './histogram.ts'
import type { KnownNames } from './known-names.ts'
import { type LabelInput, labelFold } from './label.ts'
import type { MetricRow } from './metric-row.ts'
import { type MetricName, metricTable, processMetrics } from './metric-table.ts'

type Table = typeof metricTable
type Named<T extends MetricRow['type']> = {
  [N in MetricName]: Table[N]['type'] extends T ? N : never
}[MetricName]
type Labels<N extends MetricName> = LabelInput<Table[N]['labels']>

/** The metrics of the table made live in one registry. The only way to a series is through the label folds. */
export class Instruments {
  readonly registry = new Registry()
  readonly #folds = new Map<MetricName, ReturnType<typeof labelFold>>()
  readonly #counters = new Map<MetricName, Counter>()
  readonly #gauges = new Map<MetricName, Gauge>()
  readonly #histograms = new Map<MetricName, SeriesHistogram>()

  constructor(names: KnownNames) {
    for (const name of Object.keys(metricTable) as MetricName[]) {
      this.#folds.set(name, labelFold(metricTable[name].labels, names))
      this.#create(name, metricTable[name])
    }
    showProcessMetrics(this.registry)
  }

  inc<N extends Named<'counter'>>(name: N, labels: Labels<N>, by = 1): void {
    if (by > 0 && Number.isFinite(by)) this.#counters.get(name)?.inc(this.#fold(name, labels), by)
  }

  set<N extends Named<'gauge'>>(name: N, labels: Labels<N>, value: number): void {
    if (Number.isFinite(value)) this.#gauges.get(name)?.set(this.#fold(name, labels), value)
  }

  /** Forgets the series of a gauge, so that only those set again are shown. */
  clear(name: Named<'gauge'>): void {
    this.#gauges.get(name)?.reset()
  }

  /** Observes a value; `undefined` is a value that is not known and counts nowhere. */
  observe<N extends Named<'histogram'>>(name: N, labels: Labels<N>, value: number | undefined): void {
    if (value !== undefined) this.#histograms.get(name)?.observe(this.#fold(name, labels), value)
  }

  merge<N extends Named<'histogram'>>(name: N, labels: Labels<N>, gaps: GapHistogram | undefined): void {
    if (gaps !== undefined) this.#histograms.get(name)?.merge(this.#fold(name, labels), gaps)
  }

  #fold(name: MetricName, labels: LabelInput<MetricRow['labels']>): Record<string, string> {
    return this.#folds.get(name)?.(labels) ?? {}
  }

  #create(name: MetricName, row: MetricRow): void {
    const options = { name, help: row.help, labelNames: Object.keys(row.labels), registers: [this.registry] }
    if (row.type === 'counter') this.#counters.set(name, new Counter(options))
    else if (row.type === 'gauge') this.#gauges.set(name, new Gauge(options))
    else this.#createHistogram(name, row)
  }

  #createHistogram(name: MetricName, row: MetricRow): void {
    const histogram = new SeriesHistogram(name, row.help, row.bounds ?? [])
    this.#histograms.set(name, histogram)
    // The registry only asks a metric for its name and its samples; the type names prom-client's own classes.
    this.registry.registerMetric(histogram as unknown as Metric)
  }
}

function showProcessMetrics(registry: Registry): void {
  const all = new Registry()
  collectDefaultMetrics({ register: all })
  for (const name of processMetrics) {
    const metric = all.getSingleMetric(name)
    if (metric) registry.registerMetric(metric)
  }
}
