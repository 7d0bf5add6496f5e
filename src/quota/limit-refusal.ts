import { Refusal, type RefusalCode } from '../refusal.ts'
import type { LimitState } from './quota.ts'

/**
 * A refusal by a limit, with the state of every limit that was asked, so that the answer can carry its
 * headers.
 */
export class LimitRefusal extends Refusal {
  readonly states: readonly LimitState[]

  constructor(code: RefusalCode, detail: string, retryAfterMs: number, states: readonly LimitState[]) {
    super(code, detail, { retryAfterMs })
    this.states = states
  }
}
