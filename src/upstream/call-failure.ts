import { Refusal, type RefusalCode, type RefusalOptions } from '../refusal.ts'

/**
 * How far a call came before it failed: nothing of it was sent; it was sent and not one byte of an answer came; the
 * answer had begun.
 */
export type Reach = 'unsent' | 'unanswered' | 'answered'

/** A call that failed on the way to a model server or back. */
export class CallFailure extends Refusal {
  readonly reach: Reach

  constructor(code: RefusalCode, detail: string, options: RefusalOptions & { readonly reach: Reach }) {
    super(code, detail, options)
    this.reach = options.reach
  }
}
