import * as buckets from './buckets.ts'
import * as values from './label-values.ts'
import { counter, gauge, histogram, type MetricRow } from './metric-row.ts'

/** The part of the table of metrics that is about pools of model servers. */
export const poolMetricTable = {
  sallyport_upstream_connect_seconds: histogram(
    'Time to open a connection to a model server.',
    buckets.connectSeconds,
    {
      pool: 'pool',
    },
  ),
  sallyport_upstream_first_byte_seconds: histogram(
    'Time from sending a request to the response head of the model server.',
    buckets.firstTokenSeconds,
    { pool: 'pool' },
  ),
  sallyport_upstream_requests_total: counter(
    'Requests sent to model servers; code none means no response came.',
    {
      pool: 'pool',
      code: [...values.upstreamStatuses, 'none'],
    },
  ),
  sallyport_upstream_retries_total: counter(
    'Requests sent again: a reused connection had died, the server before failed, or was silent (hedge).',
    { pool: 'pool', reason: values.retryReasons },
  ),
  sallyport_upstream_endpoints: gauge('Servers of a pool, by state.', {
    pool: 'pool',
    state: values.endpointStates,
  }),
  sallyport_upstream_places: gauge('Calls that the servers of a pool may have at a time, all together.', {
    pool: 'pool',
  }),
  sallyport_upstream_panic: gauge('1 while so few servers are healthy that failed ones are called, too.', {
    pool: 'pool',
  }),
  sallyport_upstream_ejections_total: counter('Times that a server was left out, by why.', {
    pool: 'pool',
    reason: values.healthReasons,
  }),
  sallyport_upstream_probes_total: counter('Probes of model servers, by what they said.', {
    pool: 'pool',
    result: values.probeVerdicts,
  }),
  sallyport_upstream_load_reports_total: counter('Requests to model servers for their own load.', {
    pool: 'pool',
    result: values.loadReports,
  }),
  sallyport_upstream_lookups_total: counter('Lookups of the servers of a pool in the name service.', {
    pool: 'pool',
    result: values.lookups,
  }),
  sallyport_upstream_turns: gauge('Exchanges that hold a place at a pool.', { pool: 'pool' }),
  sallyport_upstream_waiting: gauge('Exchanges that wait because all places of a pool are taken.', {
    pool: 'pool',
  }),
  sallyport_upstream_wait_seconds: histogram(
    'Time that an exchange waited for a place, one value per exchange that had to wait, however the wait ended.',
    buckets.durationSeconds,
    { pool: 'pool', priority: values.priorities },
  ),
  sallyport_upstream_wait_refusals_total: counter('Exchanges that got no place at a full pool, by why.', {
    pool: 'pool',
    reason: values.queueRefusals,
  }),
} satisfies Record<string, MetricRow>
