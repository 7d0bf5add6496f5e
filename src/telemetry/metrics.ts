/**
 * What the gateway counts. Every method is cheap, takes plain values and throws on nothing that a caller can cause.
 *
 * Invariants
 * 1. An exchange counts once: a second `ended` of the same exchange changes nothing.
 * 2. `sallyport_requests_in_flight` is the number of exchanges started and not ended, `sallyport_active_streams` the
 *    number of those whose stream has begun; neither is ever negative.
 * 3. The number of series is bounded by the table and the configured names, whatever callers send.
 */
import { performance } from 'node:perf_hooks'
import type { AuditEvent } from '../audit/record.ts'
import type { ExchangeSummary } from './exchange-summary.ts'
import { type GaugeSources, readGauges } from './gauge-sources.ts'
import { Instruments } from './instruments.ts'
import type { KnownNames } from './known-names.ts'
import type {
  authStages,
  certificateRoles,
  limitCounts,
  limitDecisions,
  limitModes,
  opsOperations,
  priorities,
} from './label-values.ts'
import { streamEndOf } from './outcome.ts'
import { parserReason } from './parser-reason.ts'
import { PoolMetrics } from './pool-metrics.ts'
import type { RecognizerFault } from './recognizer-fault.ts'
import { seconds } from './seconds.ts'
import type { Snapshot } from './snapshot.ts'
import type { StoreFault } from './store-fault.ts'
import { tlsReason } from './tls-reason.ts'
import type { workerEnds } from './worker-metric-table.ts'

export type AuthStage = (typeof authStages)[number]
export type CertificateRole = (typeof certificateRoles)[number]

/** An exchange that is being counted. */
export interface OpenExchange {
  /** The reply is a stream and its head has been sent. */
  streamBegan(): void
  /** Counts the exchange, once. */
  ended(summary: ExchangeSummary): void
}

export interface Build {
  readonly version: string
  readonly node: string
}

export class Metrics {
  readonly contentType: string
  readonly #instruments: Instruments
  readonly #sources: GaugeSources[] = []
  #inFlight = 0
  #streams = 0
  #utilization = performance.eventLoopUtilization()
  #rendering: Promise<string> | undefined

  constructor(names: KnownNames, build: Build) {
    this.#instruments = new Instruments(names)
    this.contentType = this.#instruments.registry.contentType
    this.#instruments.set('sallyport_build_info', build, 1)
  }

  /** Has the gauges of these parts read at each scrape. */
  watch(sources: GaugeSources): void {
    this.#sources.push(sources)
  }

  exchangeStarted(): OpenExchange {
    let open = true
    let streaming = false
    this.#inFlight++
    return {
      streamBegan: () => {
        if (!open || streaming) return
        streaming = true
        this.#streams++
      },
      ended: (summary) => {
        if (!open) return
        open = false
        this.#inFlight--
        if (streaming) this.#streamEnded(summary)
        this.#exchangeEnded(summary)
      },
    }
  }

  /** `reason` is a machine code of ours (a `TokenReason`, a `PeerFault` ...), never a text of the caller. */
  authFailed(stage: AuthStage, reason: string): void {
    this.#instruments.inc('sallyport_auth_failures_total', { stage, reason })
  }

  keysRefreshed(issuer: string, result: 'changed' | 'unchanged' | 'failed'): void {
    this.#instruments.inc('sallyport_jwks_refresh_total', { issuer, result })
  }

  /** A handshake failed; `code` is the `code` of Node's error, whatever it is. */
  tlsClientError(code: unknown): void {
    this.#instruments.inc('sallyport_tls_client_errors_total', { reason: tlsReason(code) })
  }

  /** The HTTP parser refused what a caller sent; `code` is the `code` of Node's error, whatever it is. */
  malformedRequest(code: unknown): void {
    this.#instruments.inc('sallyport_malformed_requests_total', { reason: parserReason(code) })
  }

  limitDecided(limit: (typeof limitCounts)[number], decision: (typeof limitDecisions)[number]): void {
    this.#instruments.inc('sallyport_ratelimit_decisions_total', { limit, decision })
  }

  /** A limit has refused an exchange, or would have in shadow mode. */
  limitRefused(name: string, mode: (typeof limitModes)[number]): void {
    this.#instruments.inc('sallyport_limit_refusals_total', { name, mode })
  }

  /** What was set aside for one exchange, and what it was charged in the end. */
  tokensSettled(model: string | undefined, reserved: number, used: number): void {
    const labels = { gen_ai_request_model: model }
    this.#instruments.inc('sallyport_tokens_reserved_total', labels, reserved)
    this.#instruments.inc('sallyport_tokens_settled_total', labels, used)
  }

  /** An operator was answered. */
  opsAnswered(operation: (typeof opsOperations)[number], status: number): void {
    this.#instruments.inc('sallyport_ops_requests_total', { operation, code: status })
  }

  /** What happens at one pool of model servers. */
  ofPool(pool: string): PoolMetrics {
    return new PoolMetrics(this.#instruments, pool)
  }

  /** An exchange was refused before its body was read, because the event loop is behind. */
  shed(priority: (typeof priorities)[number]): void {
    this.#instruments.inc('sallyport_overload_shed_total', { priority })
  }

  quotaStoreAnswered(ms: number): void {
    this.#instruments.observe('sallyport_quota_store_command_seconds', {}, seconds(ms))
  }

  quotaStoreAway(cause: StoreFault): void {
    this.#instruments.inc('sallyport_quota_store_outages_total', { cause })
  }

  recognizerAnswered(ms: number): void {
    this.#instruments.observe('sallyport_recognizer_seconds', {}, seconds(ms))
  }

  recognizerFailed(reason: RecognizerFault): void {
    this.#instruments.inc('sallyport_recognizer_failures_total', { reason })
  }

  auditWritten(event: AuditEvent['event']): void {
    this.#instruments.inc('sallyport_audit_records_total', { event })
  }

  auditWriteFailed(): void {
    this.#instruments.inc('sallyport_audit_write_failures_total', {})
  }

  /** A configuration was taken into service: `hash` names the policy that runs now. */
  configRuns(hash: string): void {
    this.#instruments.clear('sallyport_config_info')
    this.#instruments.set('sallyport_config_info', { hash }, 1)
  }

  configReloaded(result: 'applied' | 'rejected'): void {
    this.#instruments.inc('sallyport_config_reloads_total', { result })
  }

  logLinesDropped(lines: number): void {
    this.#instruments.inc('sallyport_log_lines_dropped_total', {}, lines)
  }

  /** Everything as it is now: what the primary process makes one of. */
  async snapshot(): Promise<Snapshot> {
    this.#readGauges()
    return (await this.#instruments.registry.getMetricsAsJSON()) as unknown as Snapshot
  }

  /** Worker processes as their primary sees them now. */
  workersNow(serving: number, down: number): void {
    this.#instruments.set('sallyport_workers', { state: 'serving' }, serving)
    this.#instruments.set('sallyport_workers', { state: 'down' }, down)
  }

  workerEnded(how: (typeof workerEnds)[number]): void {
    this.#instruments.inc('sallyport_worker_ends_total', { how })
  }

  workerScrapeMissed(): void {
    this.#instruments.inc('sallyport_worker_scrapes_missed_total', {})
  }

  /** The text of `/metrics`. Scrapes that come while one is being rendered share it, so that they cost nothing. */
  render(): Promise<string> {
    this.#rendering ??= this.#render().finally(() => {
      this.#rendering = undefined
    })
    return this.#rendering
  }

  #render(): Promise<string> {
    this.#readGauges()
    return this.#instruments.registry.metrics()
  }

  #readGauges(): void {
    this.#instruments.set('sallyport_requests_in_flight', {}, this.#inFlight)
    this.#instruments.set('sallyport_active_streams', {}, this.#streams)
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization)
    this.#utilization = now
    this.#instruments.set('nodejs_eventloop_utilization_ratio', {}, utilization)
    this.#instruments.clear('sallyport_tls_certificate_not_after_seconds')
    this.#instruments.clear('sallyport_jwks_age_seconds')
    for (const sources of this.#sources) readGauges(sources, this.#instruments)
  }

  #streamEnded(summary: ExchangeSummary): void {
    this.#streams--
    this.#instruments.inc('sallyport_stream_end_total', { reason: streamEndOf(summary.outcome) })
  }

  #exchangeEnded(summary: ExchangeSummary): void {
    const { endpoint, method, status: code, outcome, refusal } = summary
    const to = this.#instruments
    to.inc('sallyport_requests_total', { endpoint, method, code, outcome })
    if (refusal !== undefined) to.inc('sallyport_refusals_total', { refusal })
    to.observe('sallyport_request_duration_seconds', { endpoint, outcome }, seconds(summary.durationMs))
    to.observe('sallyport_gateway_overhead_seconds', { endpoint }, seconds(summary.overheadMs))
    for (const { count, ...labels } of summary.findings ?? [])
      to.inc('sallyport_redactions_total', labels, count)
    for (const { kind, count } of summary.injection ?? [])
      to.inc('sallyport_injection_signals_total', { kind }, count)
    to.inc('sallyport_pseudonyms_total', { result: 'restored' }, summary.pseudonyms?.restored ?? 0)
    to.inc('sallyport_pseudonyms_total', { result: 'unknown' }, summary.pseudonyms?.unknown ?? 0)
    to.observe('sallyport_redaction_seconds', { direction: 'prompt' }, seconds(summary.scanPromptMs))
    to.observe('sallyport_redaction_seconds', { direction: 'reply' }, seconds(summary.scanReplyMs))
    to.observe('sallyport_redaction_held_chars', {}, summary.heldCharsMax)
    if (summary.model !== undefined) this.#inferenceEnded(summary)
  }

  #inferenceEnded(summary: ExchangeSummary): void {
    const to = this.#instruments
    const genAi = {
      gen_ai_operation_name: operations[summary.endpoint],
      gen_ai_provider_name: 'openai',
      gen_ai_request_model: summary.model,
    }
    const error_type = summary.outcome === 'completed' ? '' : summary.outcome
    to.observe(
      'gen_ai_server_request_duration_seconds',
      { ...genAi, error_type },
      seconds(summary.durationMs),
    )
    to.observe('gen_ai_server_time_to_first_token_seconds', genAi, seconds(summary.firstTokenMs))
    to.observe('gen_ai_server_time_per_output_token_seconds', genAi, secondsPerToken(summary))
    to.merge('sallyport_inter_token_gap_seconds', { gen_ai_request_model: summary.model }, summary.gaps)
    for (const [gen_ai_token_type, tokens] of tokenTypes(summary)) {
      to.observe('gen_ai_client_token_usage', { ...genAi, gen_ai_token_type }, tokens)
    }
  }
}

const operations: Readonly<Record<string, string>> = {
  'chat.completions': 'chat',
  completions: 'text_completion',
  embeddings: 'embeddings',
}

/** The convention's formula: what follows the first token, over the tokens that follow it. */
function secondsPerToken({ usage, firstTokenMs, durationMs }: ExchangeSummary): number | undefined {
  if (usage === undefined || firstTokenMs === undefined || usage.outputTokens < 2) return undefined
  return (durationMs - firstTokenMs) / 1000 / (usage.outputTokens - 1)
}

function tokenTypes({ usage }: ExchangeSummary): (readonly [string, number | undefined])[] {
  if (usage === undefined) return []
  return [
    ['input', usage.inputTokens],
    ['output', usage.outputTokens],
    ['cached_input', usage.cachedInputTokens],
    ['reasoning', usage.reasoningTokens],
  ]
}
