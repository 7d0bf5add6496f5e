import type { Limit } from '../../src/policy/policy.ts'
import type { Admission, Quota } from '../../src/quota/quota.ts'

/** A store of its own for one test, with nothing in it. */
export interface Subject {
  readonly quota: Quota
  /** Lets time pass for the store. */
  elapse(ms: number): Promise<void>
  close(): Promise<void>
}

export const requests = (key: string, amount: number, burst: number): Limit => ({
  key,
  name: 'requests',
  amount,
  burst,
})
export const inFlight = (key: string, amount: number): Limit => ({
  key,
  name: 'in_flight',
  amount,
  burst: amount,
})

/** Ends an admission. */
export const release = async (admission: Admission): Promise<void> => admission[Symbol.asyncDispose]()
