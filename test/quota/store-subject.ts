import type { Test } from 'tap'
import type { Limit } from '../../src/policy/limit.ts'
import type { Correction, Decision, Demand, LimitState, QuotaStore } from '../../src/quota/store.ts'

/** A store of its own for one test, with nothing in it. */
export interface StoreSubject {
  readonly store: QuotaStore
  /** Time stands still but for `elapse`: waits can be checked to the millisecond. */
  readonly exactTime: boolean
  /** Lets time pass for the store: moves a fake clock, or really waits. */
  elapse(ms: number): Promise<void>
  /** Moves the wall clock past the next midnight UTC; absent where it cannot be moved. */
  turnDay?(): Promise<void>
  /** A store of another process that shares the state; the suite closes it. Absent where nothing is shared. */
  another?(): Promise<QuotaStore>
  /**
   * The process of `store` dies without a word. Resolves to a store on what it left, once the leases that it held must
   * have ended; the suite closes it. Absent where nothing survives.
   */
  abandon?(): Promise<QuotaStore>
  close(): Promise<void>
}

/** Registers one test with a store of its own. */
export type Case = (title: string, body: (t: Test, subject: StoreSubject) => Promise<void>) => void

export type MakeSubject = () => Promise<StoreSubject>

export const ask = (limit: Limit, amount = 1): Demand => ({ limit, amount })
export const correct = (limit: Limit, reserved: number, used: number): Correction => ({
  limit,
  reserved,
  used,
})

export async function stateOf(store: QuotaStore, limit: Limit): Promise<LimitState> {
  const [state] = await store.peek([limit])
  if (state === undefined) throw new Error(`no state of ${limit.key}`)
  return state
}
export const usedOf = async (store: QuotaStore, limit: Limit): Promise<number> =>
  (await stateOf(store, limit)).used

export const passed = (decisions: readonly Decision[]): number =>
  decisions.filter(({ allowed }) => allowed).length

/** Admits `count` exchanges at once. */
export const crowd = (
  store: QuotaStore,
  count: number,
  demands: readonly Demand[],
  label = 'crowd',
): Promise<readonly Decision[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => store.admit(`${label}-${n}`, demands)))
