/** How one metric of several processes becomes one. Counters and histograms are summed; of a gauge its meaning says. */
import type { MetricName, metricTable, processMetrics } from './metric-table.ts'

export type Aggregation = 'sum' | 'min' | 'max'

type GaugeName = {
  [Name in MetricName]: (typeof metricTable)[Name]['type'] extends 'gauge' ? Name : never
}[MetricName]
type ProcessMetric = (typeof processMetrics)[number]
type ProcessGauge = Exclude<ProcessMetric, `${string}_total` | 'nodejs_gc_duration_seconds'>

const ofGauges = {
  sallyport_requests_in_flight: 'sum',
  sallyport_active_streams: 'sum',
  // Each worker has its own view of a server, and its own places there.
  sallyport_upstream_endpoints: 'max',
  sallyport_upstream_places: 'sum',
  sallyport_upstream_panic: 'max',
  sallyport_upstream_turns: 'sum',
  sallyport_upstream_waiting: 'sum',
  // One store, that all of them see.
  sallyport_quota_buckets: 'max',
  sallyport_quota_leases: 'max',
  sallyport_quota_store_available: 'min',
  sallyport_quota_replicas: 'max',
  sallyport_quota_settlements_waiting: 'sum',
  sallyport_audit_queue_depth: 'sum',
  sallyport_audit_healthy: 'min',
  // Records of all chains together.
  sallyport_audit_last_seq: 'sum',
  sallyport_config_info: 'max',
  sallyport_build_info: 'max',
  sallyport_tls_certificate_not_after_seconds: 'min',
  sallyport_jwks_age_seconds: 'max',
  sallyport_workers: 'sum',
  // Of the worst process: what one of them lacks, the others cannot lend it.
  nodejs_eventloop_utilization_ratio: 'max',
  process_start_time_seconds: 'min',
  process_resident_memory_bytes: 'sum',
  process_open_fds: 'max',
  process_max_fds: 'min',
  nodejs_eventloop_lag_seconds: 'max',
  nodejs_eventloop_lag_max_seconds: 'max',
  nodejs_eventloop_lag_p50_seconds: 'max',
  nodejs_eventloop_lag_p99_seconds: 'max',
  nodejs_heap_size_total_bytes: 'sum',
  nodejs_heap_size_used_bytes: 'sum',
  nodejs_external_memory_bytes: 'sum',
} as const satisfies Record<GaugeName | ProcessGauge, Aggregation>

export function aggregationOf(name: string): Aggregation {
  return Object.hasOwn(ofGauges, name) ? ofGauges[name as keyof typeof ofGauges] : 'sum'
}
