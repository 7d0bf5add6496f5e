import type { Server } from '../../openai/upstream-body.ts'
import type { ServerLoad } from '../balance/server-load.ts'
import { meanOf, requestsOf, shareOf, sumOf } from './gauge.ts'
import type { WantedSeries } from './prometheus-text.ts'

/** Under which names a kind of server says how busy it is. The first that is there counts: newer ones stand first. */
export interface LoadSeries {
  readonly running: readonly string[]
  readonly waiting: readonly string[]
  readonly kvUse: readonly string[]
  readonly engineLabels: readonly string[]
}

/**
 * `GET /metrics` of each kind of server; absent where there is nothing to read. Names by the model server protocol of
 * the Gateway API Inference Extension (proposal 003) and the servers' own pages.
 */
export const loadSeries: Readonly<Record<Server, LoadSeries | undefined>> = {
  vllm: {
    running: ['vllm:num_requests_running'],
    waiting: ['vllm:num_requests_waiting'],
    // The older name is that of the V0 engine; for some releases both were there.
    kvUse: ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'],
    engineLabels: ['engine', 'model_name'],
  },
  sglang: {
    // Needs `--enable-metrics`. Each tensor-parallel rank may repeat the values, and so may each priority.
    running: ['sglang:num_running_reqs'],
    waiting: ['sglang:num_queue_reqs'],
    kvUse: ['sglang:token_usage'],
    engineLabels: ['dp_rank', 'model_name'],
  },
  llamacpp: {
    // Needs `--metrics`; without it the server answers 501. Newer builds do not say how full the cache is.
    running: ['llamacpp:requests_processing'],
    waiting: ['llamacpp:requests_deferred'],
    kvUse: ['llamacpp:kv_cache_usage_ratio'],
    engineLabels: ['model'],
  },
  tgi: {
    running: ['tgi_batch_current_size'],
    waiting: ['tgi_queue_size'],
    kvUse: [],
    engineLabels: [],
  },
  openai: undefined,
}

/** What to look for in the body. */
export const wantedOf = (series: LoadSeries): WantedSeries => ({
  names: [...series.running, ...series.waiting, ...series.kvUse],
  engineLabels: series.engineLabels,
})

/**
 * From what was found to a load: requests are added up over the engines, the use of their caches is averaged.
 * `undefined` unless both counts are there: a queue that is merely unknown must not look empty.
 */
export function loadOf(
  found: ReadonlyMap<string, readonly number[]>,
  series: LoadSeries,
  at: number,
): ServerLoad | undefined {
  const running = requestsIn(found, series.running)
  const waiting = requestsIn(found, series.waiting)
  if (running === undefined || waiting === undefined) return undefined
  const kvUse = shareOf(meanOf(valuesOf(found, series.kvUse) ?? []))
  return kvUse === undefined ? { running, waiting, at } : { running, waiting, kvUse, at }
}

const valuesOf = (
  found: ReadonlyMap<string, readonly number[]>,
  names: readonly string[],
): readonly number[] | undefined => {
  const name = names.find((name) => found.has(name))
  return name === undefined ? undefined : found.get(name)
}

function requestsIn(
  found: ReadonlyMap<string, readonly number[]>,
  names: readonly string[],
): number | undefined {
  const values = valuesOf(found, names)
  return values && requestsOf(sumOf(values))
}
