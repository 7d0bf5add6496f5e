import type { ServerLoad } from '../balance/server-load.ts'
import { gaugeOf, meanOf, requestsOf, shareOf, sumOf } from './gauge.ts'

/**
 * Load reports in response headers (ORCA, https://github.com/cncf/xds, `orca_load_report.proto`). vLLM sends one with a
 * reply that is not streamed, if it is asked for.
 */
export const orcaRequestHeaders: Readonly<Record<string, string>> = { 'endpoint-load-metrics-format': 'TEXT' }

export const orcaResponseHeader = 'endpoint-load-metrics'

const headerLengthMax = 4_096
const prefix = 'named_metrics.'

type Named = (name: string) => readonly number[]

export interface OrcaReading {
  /** Monotonic milliseconds at which the header came. */
  readonly at: number
  /** Requests in execution as far as the gateway knows, for a server that does not say (vLLM). */
  readonly runningElse: number
}

/**
 * Reads the header, `TEXT named_metrics.num_requests_waiting=3.0, ...` or `JSON {"named_metrics": {...}}`. `undefined`
 * when it says nothing of the queue, is too long, or is not understood; it never throws.
 */
export function orcaLoad(header: string | undefined, reading: OrcaReading): ServerLoad | undefined {
  if (header === undefined || header.length > headerLengthMax) return undefined
  const named = namedMetrics(header)
  if (named === undefined) return undefined
  const waiting = total(named('num_requests_waiting'))
  if (waiting === undefined) return undefined
  const { at } = reading
  const running = total(named('num_requests_running')) ?? reading.runningElse
  const kvUse = shareOf(meanOf(named('kv_cache_usage_perc')))
  return kvUse === undefined ? { running, waiting, at } : { running, waiting, kvUse, at }
}

/** A vLLM of several engines names the same metric once for each. */
const total = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : requestsOf(sumOf(values))

function namedMetrics(header: string): Named | undefined {
  const space = header.indexOf(' ')
  if (space === -1) return undefined
  const report = header.slice(space + 1)
  const format = header.slice(0, space).toUpperCase()
  if (format === 'TEXT') return fromText(report)
  return format === 'JSON' ? fromJson(report) : undefined
}

function fromText(report: string): Named {
  const values = new Map<string, number[]>()
  for (const pair of report.split(',')) {
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals).trim()
    const value = equals === -1 ? undefined : gaugeOf(pair.slice(equals + 1).trim())
    if (value === undefined || !name.startsWith(prefix)) continue
    const metric = name.slice(prefix.length)
    const before = values.get(metric)
    if (before === undefined) values.set(metric, [value])
    else before.push(value)
  }
  return (name) => values.get(name) ?? []
}

function fromJson(report: string): Named | undefined {
  const metrics = memberOf(parsed(report), 'named_metrics')
  return (name) => {
    const value = memberOf(metrics, name)
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? [value] : []
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
