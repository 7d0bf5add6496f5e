import * as buckets from './buckets.ts'
import * as values from './label-values.ts'
import { counter, gauge, histogram, type MetricRow } from './metric-row.ts'
import { outcomes, streamEnds } from './outcome.ts'
import { poolMetricTable } from './pool-metric-table.ts'
import { recognizerFaults } from './recognizer-fault.ts'
import { storeFaults } from './store-fault.ts'
import { workerMetricTable } from './worker-metric-table.ts'

const operation = { gen_ai_operation_name: ['chat', 'text_completion', 'embeddings'] } as const
const genAi = { ...operation, gen_ai_provider_name: ['openai'], gen_ai_request_model: 'model' } as const

/** Every metric of Sallyport, once. Labels are closed sets; what is outside folds to `_other`. Nothing names a person. */
export const metricTable = {
  // OpenTelemetry GenAI semantic conventions (status: development; a rename happens here and nowhere else)
  gen_ai_server_time_to_first_token_seconds: histogram(
    'Time from the arrival of a request to its first streamed token.',
    buckets.firstTokenSeconds,
    genAi,
  ),
  gen_ai_server_time_per_output_token_seconds: histogram(
    'Mean time per output token after the first, one value per stream.',
    buckets.tokenSeconds,
    genAi,
  ),
  gen_ai_server_request_duration_seconds: histogram(
    'Time from the arrival of an inference request to its last byte. error_type is empty when it went well.',
    buckets.durationSeconds,
    { ...genAi, error_type: ['', ...outcomes.filter((outcome) => outcome !== 'completed')] },
  ),
  gen_ai_client_token_usage: histogram(
    'Tokens per request, as billed. Absent when unknown.',
    buckets.tokenCounts,
    {
      ...genAi,
      gen_ai_token_type: ['input', 'output', 'cached_input', 'reasoning'],
    },
  ),

  // Exchanges
  sallyport_requests_total: counter('Requests that ended, by endpoint, status sent and outcome.', {
    endpoint: values.endpointLabels,
    method: values.methods,
    code: values.ownStatuses,
    outcome: outcomes,
  }),
  sallyport_refusals_total: counter(
    'Requests refused or ended by an error, by the code in docs/reference/errors.md.',
    {
      refusal: values.refusalCodes,
    },
  ),
  sallyport_request_duration_seconds: histogram(
    'Time from the arrival of any request to its last byte, refused ones included.',
    buckets.durationSeconds,
    { endpoint: values.endpointLabels, outcome: outcomes },
  ),
  sallyport_gateway_overhead_seconds: histogram(
    'Time of an exchange that was not spent waiting for the model server or the caller.',
    buckets.overheadSeconds,
    { endpoint: values.endpointLabels },
  ),
  sallyport_inter_token_gap_seconds: histogram(
    'Gap between two streamed token events, one value per gap.',
    buckets.gapSeconds,
    { gen_ai_request_model: 'model' },
  ),
  sallyport_requests_in_flight: gauge('Exchanges that have begun and not ended.', {}),
  sallyport_active_streams: gauge('Streams that have begun and not ended.', {}),
  sallyport_stream_end_total: counter('Streams that ended, by how. Only done is complete.', {
    reason: streamEnds,
  }),

  ...poolMetricTable,

  // Identity, limits, redaction
  sallyport_auth_failures_total: counter('Requests that failed authentication or authorization.', {
    stage: values.authStages,
    reason: 'reason',
  }),
  sallyport_tls_client_errors_total: counter('TLS handshakes that failed.', { reason: values.tlsReasons }),
  sallyport_malformed_requests_total: counter(
    'Requests that the HTTP parser refused, in the head or in the body.',
    { reason: values.parserReasons },
  ),
  sallyport_ratelimit_decisions_total: counter(
    'Decisions of limits, by what they count; shadow: one in shadow mode would have refused.',
    { limit: values.limitCounts, decision: values.limitDecisions },
  ),
  sallyport_limit_refusals_total: counter(
    'Exchanges that a limit refused, or would have refused in shadow mode, by its name.',
    { name: 'limit', mode: values.limitModes },
  ),
  sallyport_tokens_reserved_total: counter(
    'Tokens set aside for exchanges before they were sent to a model server.',
    { gen_ai_request_model: 'model' },
  ),
  sallyport_tokens_settled_total: counter(
    'Tokens that were really charged for these exchanges at their end.',
    { gen_ai_request_model: 'model' },
  ),
  sallyport_ops_requests_total: counter("Requests to the operators' listener.", {
    operation: values.opsOperations,
    code: values.ownStatuses,
  }),
  sallyport_quota_buckets: gauge('Limit buckets held in memory.', {}),
  sallyport_quota_leases: gauge('Exchanges that hold a slot of a limit in flight.', {}),
  sallyport_quota_store_available: gauge(
    '1 while the store of limits answers; 0: this replica uses its share.',
    {},
  ),
  sallyport_quota_replicas: gauge('Gateways that share the limits, this one included.', {}),
  sallyport_quota_settlements_waiting: gauge('Settlements that wait for the store to come back.', {}),
  sallyport_quota_store_command_seconds: histogram(
    'Time of one command to the shared store of limits.',
    buckets.overheadSeconds,
    {},
  ),
  sallyport_quota_store_outages_total: counter('Times that the shared store went away.', {
    cause: storeFaults,
  }),
  sallyport_redactions_total: counter('Sensitive values found, by entity and what was done.', {
    entity: 'entity',
    direction: values.directions,
    action: values.actions,
  }),
  sallyport_pseudonyms_total: counter(
    'Pseudonyms in replies: turned back, or unknown (no value of the prompt had them).',
    { result: ['restored', 'unknown'] },
  ),
  sallyport_injection_signals_total: counter(
    'Hints at prompt injection in prompts, by kind; at most 16 of a kind in one call.',
    { kind: values.injectionKinds },
  ),
  sallyport_redaction_seconds: histogram(
    'Time spent scanning the texts of one exchange.',
    buckets.overheadSeconds,
    {
      direction: values.directions,
    },
  ),
  sallyport_redaction_held_chars: histogram(
    'Most text, in UTF-16 code units, that a streamed reply had held back at one time.',
    buckets.heldChars,
    {},
  ),
  sallyport_recognizer_seconds: histogram(
    'Time in which a recognizer service answered, one value per request.',
    buckets.firstTokenSeconds,
    {},
  ),
  sallyport_recognizer_failures_total: counter(
    'Requests to a recognizer service without an answer, by why.',
    {
      reason: recognizerFaults,
    },
  ),

  // Audit
  sallyport_audit_records_total: counter('Audit records made durable.', {
    event: values.auditEvents,
  }),
  sallyport_audit_write_failures_total: counter('Audit records that could not be made durable.', {}),
  sallyport_audit_queue_depth: gauge('Audit records waiting for their sync.', {}),
  sallyport_audit_healthy: gauge('1 while the audit log can be written.', {}),
  sallyport_audit_last_seq: gauge('Sequence number of the last durable audit record.', {}),

  // The gateway itself
  sallyport_overload_shed_total: counter(
    'Requests refused before their body was read, because the event loop is behind.',
    { priority: values.priorities },
  ),
  sallyport_config_info: gauge('Always 1; hash names the running policy.', { hash: 'single' }),
  sallyport_config_reloads_total: counter('Configuration reloads.', { result: ['applied', 'rejected'] }),
  sallyport_tls_certificate_not_after_seconds: gauge(
    'Expiry of a certificate or revocation list in use, seconds since the epoch.',
    {
      role: values.certificateRoles,
    },
  ),
  sallyport_jwks_refresh_total: counter('Attempts to have newer token verification keys.', {
    issuer: 'issuer',
    result: ['changed', 'unchanged', 'failed'],
  }),
  sallyport_jwks_age_seconds: gauge('Age of the token verification keys of an issuer.', { issuer: 'issuer' }),
  sallyport_log_lines_dropped_total: counter(
    'Log lines dropped because the log could not be written fast enough.',
    {},
  ),
  sallyport_build_info: gauge('Always 1; names the release and the Node.js version.', {
    version: 'single',
    node: 'single',
  }),
  nodejs_eventloop_utilization_ratio: gauge(
    'Share of time since the last scrape in which the event loop was busy.',
    {},
  ),

  ...workerMetricTable,
} satisfies Record<string, MetricRow>

export type MetricName = keyof typeof metricTable

/**
 * The metrics of prom-client itself that are shown. An allow-list: three of its gauges end in `_total`, which
 * `promtool check metrics` rejects, and per-handle-type gauges have open label sets.
 */
export const processMetrics = [
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_seconds_total',
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  'process_open_fds',
  'process_max_fds',
  'nodejs_eventloop_lag_seconds',
  'nodejs_eventloop_lag_max_seconds',
  'nodejs_eventloop_lag_p50_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
  'nodejs_gc_duration_seconds',
] as const
