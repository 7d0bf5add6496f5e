import { Refusal, type RefusalCode } from '../refusal.ts'

/**
 * A refusal that tells an operator more than the table of refusals does: which field, and what is wrong with it. What
 * it says may repeat names that the operator sent, to that operator alone; `detail`, for the log, does not.
 */
export class OpsFault extends Refusal {
  readonly says: string

  constructor(code: RefusalCode, param: string, says: string, options: { readonly cause?: unknown } = {}) {
    super(code, `field ${/^[\w.[\]-]{0,100}$/.test(param) ? param : 'with an odd name'}`, {
      ...(param === '' ? {} : { param }),
      ...options,
    })
    this.says = says
  }
}
