import type { Quota, Reservation } from '../../quota/quota.ts'
import type { Trail } from '../trail.ts'

/**
 * A reservation that settles itself when it is left, on every ending: what was really used is charged, the rest
 * returned. A caller who hung up pays for what was metered until then.
 */
export function settling(reservation: Reservation, trail: Trail, quota: Quota): AsyncDisposable {
  trail.reserved(reservation)
  return {
    async [Symbol.asyncDispose]() {
      const usage = trail.relayed?.usage
      const used = { inputTokens: usage?.inputTokens ?? 0, outputTokens: usage?.outputTokens ?? 0 }
      await quota.settle(trail.id, used)
      await reservation[Symbol.asyncDispose]()
    },
  }
}
