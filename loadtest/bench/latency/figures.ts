// From rounds to figures: in each round the direct way is the zero, and the median over the rounds counts.
import { median, type Quantiles } from '../../driver/quantiles.ts'
import type { Measured } from './measure.ts'
import { type Way, ways } from './stand.ts'

export const kinds = ['whole', 'streams', 'prompts'] as const
export type Kind = (typeof kinds)[number]
/** What is measured in a round, of each way. */
export type Round = Readonly<Record<Kind, Readonly<Record<Way, Measured>>>>
export type At = Exclude<keyof Quantiles, 'count'>

export interface Figure {
  readonly measure: string
  /** Milliseconds, median over the rounds: as measured, for each way. */
  readonly raw: Readonly<Record<Way, number>>
  /** Median over the rounds of (way - direct) within the round. */
  readonly added: Readonly<Record<Exclude<Way, 'direct'>, number>>
  readonly barMs?: number
  /** What the bar is held against. */
  readonly judged?: number
}

interface Row {
  readonly measure: string
  readonly kind: Kind
  readonly time: string
  readonly at: At
  readonly barMs?: number
  /** The longest turn is the gateway's own: there is nothing direct to take away. */
  readonly judges?: 'added' | 'raw'
}

const rows: readonly Row[] = [
  { measure: '1 KB request, p50', kind: 'whole', time: 'outside', at: 'p50', barMs: 0.5 },
  { measure: '1 KB request, p99', kind: 'whole', time: 'outside', at: 'p99', barMs: 2 },
  { measure: 'time to first token, p50', kind: 'streams', time: 'firstToken', at: 'p50' },
  { measure: 'time to first token, p99', kind: 'streams', time: 'firstToken', at: 'p99' },
  { measure: 'inter-token gap, p50', kind: 'streams', time: 'gap', at: 'p50' },
  { measure: 'inter-token gap, p99', kind: 'streams', time: 'gap', at: 'p99', barMs: 0.5 },
  { measure: 'token, server to client, p50', kind: 'streams', time: 'delay', at: 'p50' },
  { measure: 'token, server to client, p99', kind: 'streams', time: 'delay', at: 'p99' },
  { measure: '500 KB prompt, p50', kind: 'prompts', time: 'outside', at: 'p50', barMs: 15 },
  {
    ...{ measure: '500 KB prompt, longest turn of the loop, p50' },
    ...{ kind: 'prompts', time: 'longestTurn', at: 'p50', judges: 'raw' },
  },
  {
    ...{ measure: '500 KB prompt, longest turn of the loop, worst' },
    ...{ kind: 'prompts', time: 'longestTurn', at: 'max', barMs: 10, judges: 'raw' },
  },
]

export const figuresOf = (rounds: readonly Round[]): Figure[] => rows.map((row) => figureOf(row, rounds))

function figureOf(
  { measure, kind, time, at, barMs, judges = 'added' }: Row,
  rounds: readonly Round[],
): Figure {
  const values = (way: Way): number[] =>
    rounds.map((round) => round[kind][way].times[time]?.[at] ?? Number.NaN)
  const direct = values('direct')
  const addedBy = (way: Way): number => median(values(way).map((value, n) => value - (direct[n] as number)))
  const raw = { direct: median(direct), bare: median(values('bare')), sallyport: median(values('sallyport')) }
  const added = { bare: addedBy('bare'), sallyport: addedBy('sallyport') }
  if (barMs === undefined) return { measure, raw, added }
  return { measure, raw, added, barMs, judged: judges === 'raw' ? raw.sallyport : added.sallyport }
}

/** A figure that could not be measured has missed its bar. */
export const isMissed = ({ barMs, judged = Number.NaN }: Figure): boolean =>
  barMs !== undefined && !(judged <= barMs)

/** Calls of all rounds that were not answered whole, and those that never began. */
export function faultsOf(rounds: readonly Round[]): { readonly calls: number; readonly faults: string[] } {
  let calls = 0
  const faults: string[] = []
  for (const round of rounds)
    for (const kind of kinds)
      for (const way of ways) {
        const measured = round[kind][way]
        calls += measured.calls
        if (measured.faults > 0)
          faults.push(
            `${way}, ${kind}: ${measured.faults} of ${measured.calls} calls: ${measured.firstFault}`,
          )
        if (measured.dropped > 0) faults.push(`${way}, ${kind}: ${measured.dropped} calls never began`)
      }
  return { calls, faults }
}
