import { Refusal } from '../refusal.ts'
import { CallFailure } from './call-failure.ts'

export interface RetryPolicy {
  /** Most servers that one call is sent to. */
  readonly attemptsMax: number
  /** `closed`: also when a server closed the connection without a byte of its answer; it may have begun to work. */
  readonly afterSend: 'never' | 'closed'
}

/**
 * Whether a call that failed may be sent to another server. It may when no server can have begun to work on it: nothing
 * was sent, or the server said that it is full (429, 503). A silent server is never left for another (it is working on
 * the call), nor is one that answered with an error of its own.
 */
export function mayTryAgain(error: unknown, { afterSend }: RetryPolicy): boolean {
  if (!(error instanceof Refusal)) return false
  if (error instanceof CallFailure) {
    if (error.reach === 'unsent') return true
    return afterSend === 'closed' && error.reach === 'unanswered' && error.code === 'upstream_truncated'
  }
  return error.code === 'upstream_overloaded'
}
