/**
 * Histograms that can take a whole stream at once. prom-client's own costs 0.55 us for each labelled observation and
 * cannot merge buckets; tokens are counted in plain integers and merged when the stream ends.
 *
 * Invariants
 * 1. The sum of the bucket counters equals `count`.
 * 2. Merging A into a series gives what observing each value of A there would have given.
 * 3. Values that are not finite or are negative are not counted: a broken clock must not break a scrape.
 */
import { gapSeconds } from './buckets.ts'
import type { LabelValues } from './label.ts'

/** The index of the first bound that is not below `value`; `bounds.length` stands for +Inf. */
export function bucketOf(bounds: readonly number[], value: number): number {
  let low = 0
  let high = bounds.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((bounds[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

const countable = (value: number): boolean => Number.isFinite(value) && value >= 0

/** Bucket counters of one stream: allocated once, no allocation and no label work per value. */
export class GapHistogram {
  readonly bounds: readonly number[]
  readonly counts: Uint32Array
  count = 0
  sum = 0

  constructor(bounds: readonly number[] = gapSeconds) {
    this.bounds = bounds
    this.counts = new Uint32Array(bounds.length + 1)
  }

  /** Counts one gap between two token events, in milliseconds. */
  add(gapMs: number): void {
    const seconds = gapMs / 1000
    if (!countable(seconds)) return
    const index = bucketOf(this.bounds, seconds)
    this.counts[index] = (this.counts[index] as number) + 1
    this.count++
    this.sum += seconds
  }
}

interface Series {
  readonly labels: LabelValues
  readonly counts: Float64Array
  count: number
  sum: number
}

interface Sample {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string>>
  readonly sharedLabels: LabelValues
  readonly value: number
}

/** A labelled histogram that a prom-client registry renders. Labels must be folded already. */
export class SeriesHistogram {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly #bounds: readonly number[]
  readonly #series = new Map<string, Series>()

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name
    this.help = help
    this.#bounds = bounds
  }

  observe(labels: LabelValues, value: number): void {
    if (!countable(value)) return
    const series = this.#seriesOf(labels)
    const index = bucketOf(this.#bounds, value)
    series.counts[index] = (series.counts[index] as number) + 1
    series.count++
    series.sum += value
  }

  /** Adds all values of a stream. Throws when the bounds are not this histogram's (a bug, not data). */
  merge(labels: LabelValues, gaps: GapHistogram): void {
    if (gaps.bounds !== this.#bounds) throw new Error(`${this.name}: merge of other bucket bounds`)
    if (gaps.count === 0) return
    const series = this.#seriesOf(labels)
    gaps.counts.forEach((count, index) => {
      series.counts[index] = (series.counts[index] as number) + count
    })
    series.count += gaps.count
    series.sum += gaps.sum
  }

  get seriesCount(): number {
    return this.#series.size
  }

  /** What prom-client's registry asks each metric for. */
  get(): { name: string; help: string; type: string; aggregator: string; values: Sample[] } {
    const values: Sample[] = []
    for (const series of this.#series.values()) this.#render(series, values)
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values }
  }

  reset(): void {
    this.#series.clear()
  }

  #seriesOf(labels: LabelValues): Series {
    const key = Object.values(labels).join('\u0000')
    const known = this.#series.get(key)
    if (known) return known
    const series = { labels, counts: new Float64Array(this.#bounds.length + 1), count: 0, sum: 0 }
    this.#series.set(key, series)
    return series
  }

  #render(series: Series, into: Sample[]): void {
    const sample = (suffix: string, labels: Record<string, string>, value: number): void => {
      into.push({ metricName: `${this.name}_${suffix}`, labels, sharedLabels: series.labels, value })
    }
    let total = 0
    this.#bounds.forEach((bound, index) => {
      total += series.counts[index] as number
      sample('bucket', { le: String(bound) }, total)
    })
    sample('bucket', { le: '+Inf' }, series.count)
    sample('sum', {}, series.sum)
    sample('count', {}, series.count)
  }
}
