import { Refusal, type RefusalCode } from '../refusal.ts'
import { CallFailure } from './call-failure.ts'
import type { CallEnd } from './health/call-end.ts'

/** Refusals that say that the server, or the way to it, is not as it should be. */
const faults: ReadonlySet<RefusalCode> = new Set([
  'upstream_unavailable',
  'upstream_error',
  'upstream_protocol',
  'upstream_truncated',
  'upstream_timeout',
])

/**
 * What a reply that broke off says about its server: only that its connection did. What is wrong in the reply itself may be
 * what the caller had the model say, and nobody may have a server left out by that.
 */
export const blameOfReply = (error: unknown): CallEnd =>
  error instanceof CallFailure ? blameOf(error) : 'answered'

/** What a call that ended with `error` before its reply says about its server: nothing, when it was not the server's end. */
export function blameOf(error: unknown): CallEnd {
  if (!(error instanceof Refusal)) return 'abandoned'
  if (error.code === 'upstream_overloaded') return 'overloaded'
  return faults.has(error.code) ? 'failed' : 'abandoned'
}
