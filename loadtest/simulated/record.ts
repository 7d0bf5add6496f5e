import type { IncomingHttpHeaders } from 'node:http'

/** A request as it came in, for tests to look at. */
export interface RecordedRequest {
  readonly method: string
  /** Path and query, byte for byte. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[]
  readonly body: string
  /** Common name of the client certificate, when one was shown. */
  readonly clientName: string | undefined
}

export const phases = ['queued', 'prefill', 'decode'] as const
/** Where a request was: waiting for a slot, before its first token, or after it. */
export type Phase = (typeof phases)[number]

/** Live counts. */
export interface Stats {
  connections: number
  requests: number
  running: number
  waiting: number
  completed: number
  /** Callers who left before the end, by phase. */
  readonly aborted: Record<Phase, number>
  failuresInjected: number
  promptTokens: number
  generationTokens: number
  readonly finished: Record<string, number>
  /** Administrative paths that were called. A gateway never lets one through. */
  readonly adminHits: Record<string, number>
  unknownPaths: number
}

export const newStats = (): Stats => ({
  connections: 0,
  requests: 0,
  running: 0,
  waiting: 0,
  completed: 0,
  aborted: { queued: 0, prefill: 0, decode: 0 },
  failuresInjected: 0,
  promptTokens: 0,
  generationTokens: 0,
  finished: {},
  adminHits: {},
  unknownPaths: 0,
})

/** The statistics as vLLM's own metrics, under the names that a load balancer reads. */
export function renderMetrics(stats: Stats, model: string, maxNumSeqs: number): string {
  const labels = `engine="0",model_name="${model.replace(/["\\\n]/g, '_')}"`
  const lines: string[] = []
  const family = (name: string, type: string, help: string, samples: [string, number][]): void => {
    lines.push(`# HELP vllm:${name} ${help}`, `# TYPE vllm:${name} ${type}`)
    for (const [extra, value] of samples) lines.push(`vllm:${name}{${labels}${extra}} ${value}`)
  }
  family('num_requests_running', 'gauge', 'Requests in the running batch.', [['', stats.running]])
  family('num_requests_waiting', 'gauge', 'Requests that wait.', [['', stats.waiting]])
  family('kv_cache_usage_perc', 'gauge', 'Share of the KV cache in use.', [
    ['', stats.running / Math.max(1, maxNumSeqs)],
  ])
  family('prompt_tokens_total', 'counter', 'Prefill tokens.', [['', stats.promptTokens]])
  family('generation_tokens_total', 'counter', 'Generated tokens.', [['', stats.generationTokens]])
  const aborted = Object.values(stats.aborted).reduce((sum, count) => sum + count, 0)
  const finished = Object.entries({ ...stats.finished, abort: aborted })
  family(
    'request_success_total',
    'counter',
    'Finished requests.',
    finished.map(([reason, count]) => [`,finished_reason="${reason.replace(/[^a-z_]/g, '_')}"`, count]),
  )
  return `${lines.join('\n')}\n`
}
