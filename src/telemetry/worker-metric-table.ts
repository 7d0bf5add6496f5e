import { counter, gauge, type MetricRow } from './metric-row.ts'

/** How a worker ended without being asked to. */
export const workerEnds = ['exit', 'signal', 'start_failed'] as const

/** The part of the table of metrics that a primary process shows of its workers. */
export const workerMetricTable = {
  sallyport_workers: gauge('Worker processes, by state; absent where one process serves.', {
    state: ['serving', 'down'],
  }),
  sallyport_worker_ends_total: counter('Workers that ended without being asked to, by how.', {
    how: workerEnds,
  }),
  sallyport_worker_scrapes_missed_total: counter(
    'Times that a worker did not answer a scrape in time: its gauges are missing there, its counters are its last ones.',
    {},
  ),
} satisfies Record<string, MetricRow>
