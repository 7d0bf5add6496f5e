// Samples of k6 by second, from its CSV output: it may be large, so it is read line by line.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { quantile } from '../driver/quantiles.ts'

/** Values of one metric in one second, in order. */
type Seconds = Map<number, number[]>

export interface Series {
  /** Quantile of a trend, second by second, as `[second, value]`. */
  quantile(metric: string, share: number): [number, number][]
  /** How many samples above 0 there were in each second. */
  count(metric: string): [number, number][]
}

/** Reads `metric_name,timestamp,metric_value,...`; timestamps are milliseconds. */
export async function readSeries(file: string, metrics: readonly string[]): Promise<Series> {
  const wanted = new Map<string, Seconds>(metrics.map((metric) => [metric, new Map()]))
  let begin: number | undefined
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const [metric = '', at, value] = line.split(',', 3)
    const seconds = wanted.get(metric)
    if (seconds === undefined) continue
    begin ??= Number(at)
    const second = Math.floor((Number(at) - begin) / 1000)
    const values = seconds.get(second)
    if (values === undefined) seconds.set(second, [Number(value)])
    else values.push(Number(value))
  }
  const inOrder = (metric: string): [number, number[]][] =>
    [...(wanted.get(metric) ?? [])].sort(([a], [b]) => a - b)
  return {
    quantile: (metric, share) => inOrder(metric).map(([second, values]) => [second, quantile(values, share)]),
    count: (metric) =>
      inOrder(metric).map(([second, values]) => [second, values.filter((value) => value > 0).length]),
  }
}
