/** What is told about the health of one server: to the pool, to metrics, to operators. */

export type HealthState = 'healthy' | 'ejected' | 'probation'

/** Why a state changed: a label of a metric. */
export type HealthReason =
  | 'calls_failed'
  | 'probes_failed'
  | 'probation_failed'
  | 'wait_over'
  | 'probe_answered'
  | 'call_answered'

export interface HealthChange {
  readonly from: HealthState
  readonly to: HealthState
  readonly reason: HealthReason
  /** Until a call may try again; 0 unless `to` is `ejected`. */
  readonly waitMs: number
}

/** What operators see. Times are monotonic milliseconds. */
export interface HealthSnapshot {
  readonly state: HealthState
  readonly since: number
  readonly share: number
  readonly failures: number
  readonly probeFailures: number
  /** Since it was added. */
  readonly ejections: number
  /** Since it was last healthy for `healthyMs`. */
  readonly ejectionsInRow: number
  readonly ejectedUntil: number | undefined
}
