import { Refusal, type RefusalCode } from '../refusal.ts'

/** How an exchange ended, for metrics and the log: few enough to be a label. */
export const outcomes = [
  'completed',
  'refused',
  'client_abort',
  'upstream_error',
  'timeout',
  'drain',
  'policy',
  'failed',
] as const
export type Outcome = (typeof outcomes)[number]

/** How a stream that had begun ended. `done` is the only good one. */
export const streamEnds = [
  'done',
  'client_abort',
  'upstream_error',
  'timeout',
  'drain',
  'policy',
  'failed',
] as const
export type StreamEnd = (typeof streamEnds)[number]

const outcomeByRefusal: Partial<Record<RefusalCode, Outcome>> = {
  caller_gone: 'client_abort',
  upstream_unavailable: 'upstream_error',
  upstream_overloaded: 'upstream_error',
  upstream_error: 'upstream_error',
  upstream_protocol: 'upstream_error',
  upstream_truncated: 'upstream_error',
  upstream_reply_too_large: 'upstream_error',
  upstream_timeout: 'timeout',
  stream_timeout: 'timeout',
  slow_reader: 'timeout',
  request_timeout: 'timeout',
  draining: 'drain',
  content_blocked: 'policy',
  keys_unavailable: 'failed',
  redaction_unavailable: 'failed',
  audit_unavailable: 'failed',
  internal_error: 'failed',
}

/** The outcome of an exchange that ended with `error`; `undefined` means that it went well. */
export function outcomeOf(error: unknown): Outcome {
  if (error === undefined) return 'completed'
  if (!(error instanceof Refusal)) return 'failed'
  return outcomeByRefusal[error.code] ?? 'refused'
}

/** The end of a begun stream that goes with an outcome. A refusal in mid-stream is the policy's doing. */
export function streamEndOf(outcome: Outcome): StreamEnd {
  if (outcome === 'completed') return 'done'
  return outcome === 'refused' ? 'policy' : outcome
}
