// Our own metrics, and the bars that every scenario keeps.
import { Counter, Rate, Trend } from 'k6/metrics'
import type { Threshold } from 'k6/options'
import { settings } from './settings.ts'

export const timeToFirstToken = new Trend('time_to_first_token', true)
/** The same without the time that the simulated model server was told to take. */
export const addedTimeToFirstToken = new Trend('added_time_to_first_token', true)
/** What the gateway says that it took itself, by its `server-timing`. */
export const gatewayOverhead = new Trend('gateway_overhead', true)
export const truncatedStreams = new Rate('truncated_streams')
/** Neither an answer nor a refusal that the scenario expects. */
export const failedCalls = new Rate('failed_calls')
/** Requests that met the end of an idle connection, and were sent again as HTTP has it. */
export const closedUnderCaller = new Counter('closed_under_caller')
export const refusedCalls = new Counter('refused_calls')

export type Thresholds = { [metric: string]: Threshold[] }

/** No scenario is worth anything when its calls were not made, or when streams were cut. */
export const always: Thresholds = {
  dropped_iterations: ['count==0'],
  truncated_streams: ['rate==0'],
  failed_calls: [
    { threshold: 'rate==0', abortOnFail: false },
    // Most calls fail: no use in going on.
    { threshold: 'rate<0.5', abortOnFail: true, delayAbortEval: '5s' },
  ],
}

/** For scenarios that look into replies. */
export const checked: Thresholds = { checks: ['rate==1'] }

export interface Latency {
  /** Selects by tags, such as `{part:after}`. */
  readonly of?: string
  readonly addedP95Ms?: number
  readonly overheadP95Ms?: number
}

/** Bounds of latency for 95 of 100 calls, in milliseconds, multiplied by the runner's `--latency-factor`. */
export function latency({ of = '', addedP95Ms = 250, overheadP95Ms = 100 }: Latency = {}): Thresholds {
  const bound = (ms: number): string => `p(95)<${ms * settings.latencyFactor}`
  return {
    [`added_time_to_first_token${of}`]: [bound(addedP95Ms)],
    [`gateway_overhead${of}`]: [bound(overheadP95Ms)],
  }
}
