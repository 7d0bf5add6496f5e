import type { LabelDomains } from './label.ts'

/** One metric. Counters end in `_total`, histograms carry their bucket bounds. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: LabelDomains
  readonly bounds?: readonly number[]
}

export const counter = <const L extends LabelDomains>(help: string, labels: L) =>
  ({ type: 'counter', help, labels }) as const
export const gauge = <const L extends LabelDomains>(help: string, labels: L) =>
  ({ type: 'gauge', help, labels }) as const
export const histogram = <const L extends LabelDomains>(help: string, bounds: readonly number[], labels: L) =>
  ({ type: 'histogram', help, labels, bounds }) as const
