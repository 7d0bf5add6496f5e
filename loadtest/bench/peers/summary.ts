/** What the tables and the plot show of each row, made from the samples of a run. */
import { median } from '../../driver/quantiles.ts'
import { perEvent, ratio } from './figures.ts'
import type { Latency, MeasuredRow, Results, Sample } from './results.ts'

/** Round -> value. */
export type Series = ReadonlyMap<number, number>

const SHORT = { load: 'stream-128', events: 128 }
const LONG = { load: 'stream-1000', events: 1_000 }

/** Value of each round in which no call of the load failed. */
function seriesOf(results: Results, row: string, load: string, value: (sample: Sample) => number): Series {
  const own = results.samples.filter((each) => each.row === row && each.load === load && isSound(each))
  return new Map(own.map((sample) => [sample.round, value(sample)]))
}

const isSound = ({ failures, completed }: Sample): boolean => failures === 0 && completed > 0

/** Gateway CPU per call, milliseconds. */
export const perCallMs = (results: Results, row: string, load: string): Series =>
  seriesOf(results, row, load, ({ cpuMs, completed }) => cpuMs / completed)

/** Gateway CPU of one more event of a stream, microseconds. Empty without both lengths of streams. */
export function perEventUs(results: Results, row: string): Series {
  const short = perCallMs(results, row, SHORT.load)
  const long = perCallMs(results, row, LONG.load)
  const both = [...long].flatMap(([round, perStream]): [number, number][] => {
    const other = short.get(round)
    if (other === undefined) return []
    const us = perEvent({ ...LONG, perStream }, { ...SHORT, perStream: other }) * 1_000
    return [[round, us]]
  })
  return new Map(both)
}

export interface Knee {
  readonly perCpuSecond: Series
  readonly perSecond: Series
  /** Part of a core that the gateway, the load generator and the model server were busy: who was the limit. */
  readonly busy: { readonly gateway: number; readonly generator: number; readonly model: number }
}

export function kneeOf(results: Results, row: string): Knee {
  const series = (value: (sample: Sample) => number): Series => seriesOf(results, row, 'knee', value)
  const share = (value: (sample: Sample) => number): number =>
    median([...series((sample) => value(sample) / (sample.seconds * 1_000)).values()])
  return {
    perCpuSecond: series(({ cpuMs, completed }) => completed / (cpuMs / 1_000)),
    perSecond: series(({ seconds, completed }) => completed / seconds),
    busy: {
      gateway: share(({ cpuMs }) => cpuMs),
      generator: share(({ generatorCpuMs }) => generatorCpuMs),
      model: share(({ modelCpuMs }) => modelCpuMs),
    },
  }
}

export interface Added {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Calls that failed or were not sent, of all rounds. */
  readonly lost: number
}

/**
 * Latency through the row minus latency without it: medians over the rounds in which both answered. Undefined when it was
 * not measured.
 */
export function addedOf(results: Results, row: string, rate: string): Added | undefined {
  const own = results.latencies.filter((each) => each.row === row && each.rate === rate)
  if (own.length === 0) return undefined
  const answered = own.filter(({ gateway, direct }) => gateway.count > 0 && direct.count > 0)
  const added = (value: (side: Latency['gateway']) => number): number =>
    median(answered.map(({ gateway, direct }) => value(gateway) - value(direct)))
  return {
    perSecond: Math.round(median(own.map(({ perSecond }) => perSecond))),
    p50Ms: added(({ p50Ms }) => p50Ms),
    p99Ms: added(({ p99Ms }) => p99Ms),
    lost: own.reduce((sum, { dropped, failures }) => sum + dropped + failures, 0),
  }
}

/** Resident memory after the last load, the largest of all rounds; NaN when nothing was measured. */
export function rssAfterMiB(results: Results, row: string): number {
  const own = results.samples.filter((each) => each.row === row).map(({ rssMiB }) => rssMiB)
  return own.length === 0 ? Number.NaN : Math.max(...own)
}

export const middle = (series: Series): number => median([...series.values()])

/** Pairwise by round; NaN without the other row. */
export const against = (own: Series, other: Series): number => ratio(own, other)

export const failuresOf = ({ samples }: Results): readonly Sample[] =>
  samples.filter(({ failures }) => failures > 0)

export const has = ({ rows }: Results, name: string): boolean =>
  rows.some((row: MeasuredRow) => row.name === name)
