import type { Admission, Reservation } from '../../quota/quota.ts'
import type { Trail } from '../trail.ts'

/**
 * An admission that settles what was reserved with it when it is left, on every ending: what was really used is charged,
 * the rest returned. It is left after the ending is known: a caller who hung up before the first byte owes the prompt.
 */
export function settling(admission: Admission, trail: Trail): Admission {
  let reservation: Reservation | undefined
  return {
    reserve: async (asked) => {
      reservation = await admission.reserve(asked)
      return reservation
    },
    count: () => admission.count(),
    [Symbol.asyncDispose]: async () => {
      try {
        const reported = trail.relayed?.usageReported === true
        await reservation?.settle({ ...trail.charged, reported })
      } finally {
        await admission[Symbol.asyncDispose]()
      }
    },
  }
}
