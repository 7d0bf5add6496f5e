import { isBudget, type Limit } from '../../policy/limit.ts'
import type { BudgetCalendar, BudgetWindow } from '../budget-window.ts'
import { unitOf } from '../rate.ts'
import type { Correction, Decision, Demand, LimitState, Verdict } from '../store.ts'

/** What the scripts call kinds of buckets. */
const kinds = { rate: 1, budget: 2, slots: 3 } as const

/** What a script must know of a bucket besides its name. */
type Described = readonly [kind: number, a: number, b: number, c: string]

export function describe(limit: Limit, window: BudgetWindow | undefined): Described {
  if (limit.counts === 'in_flight') return [kinds.slots, 0, 0, '']
  if (window === undefined) return [kinds.rate, unitOf(limit), 0, '']
  return [kinds.budget, window.startMs, window.endMs, window.id]
}

/** The calendar period of a budget; undefined for the others. */
export const windowOf = (limit: Limit, calendar: BudgetCalendar, nowMs: number): BudgetWindow | undefined =>
  isBudget(limit) ? calendar.windowOf(limit, nowMs) : undefined

export function encodeDemand({ limit, amount }: Demand, window: BudgetWindow | undefined) {
  const [kind, ...rest] = describe(limit, window)
  return [kind, amount, limit.amount, limit.burst, limit.mode === 'enforce' ? 1 : 0, ...rest]
}

export function encodeCorrection({ limit, reserved, used }: Correction, window: BudgetWindow | undefined) {
  const [kind, ...rest] = describe(limit, window)
  return [kind, reserved, used, limit.amount, ...rest]
}

export function encodeCharge(limit: Limit, units: number, window: BudgetWindow | undefined) {
  const [kind, ...rest] = describe(limit, window)
  return [kind, units, limit.amount, ...rest]
}

/** The head of every reply about buckets. */
export interface Head {
  readonly outcome: number
  readonly redisMs: number
  /** A key that held something else and was deleted; '' for none. */
  readonly repaired: string
}

/** `perBucket`: numbers that follow the head for each bucket. Throws for anything that no script of ours answers. */
export function readReply(reply: unknown, buckets: number, perBucket: number): Head & { numbers: number[] } {
  if (!Array.isArray(reply)) throw unreadable()
  const [outcome, redisMs, repaired, ...numbers] = reply
  if (typeof repaired !== 'string' || ![outcome, redisMs, ...numbers].every(Number.isSafeInteger))
    throw unreadable()
  if (outcome !== stale && numbers.length !== buckets * perBucket) throw unreadable()
  return { outcome, redisMs, repaired, numbers }
}

/** Outcome of a script that was asked about a calendar period that is not the present one. */
export const stale = 2

const unreadable = (): Error => new Error('the server answered what no script of ours says')

export function stateOf(limit: Limit, numbers: readonly number[], at: number): LimitState {
  const [used = 0, remaining = 0, resetMs = 0] = numbers.slice(at, at + 3)
  return { limit, used, remaining, resetMs }
}

export function decisionOf(
  outcome: number,
  demands: readonly Demand[],
  numbers: readonly number[],
): Decision {
  const verdicts = demands.map(({ limit, amount }, index): Verdict => {
    const wait = numbers[index * 4 + 3] ?? 0
    const waitMs = wait < 0 ? Number.POSITIVE_INFINITY : wait
    return { state: stateOf(limit, numbers, index * 4), asked: amount, waitMs }
  })
  return decided(verdicts, outcome === 1, 'store')
}

/** What verdicts come to: the refusal with the longest wait is the deciding one. */
export function decided(verdicts: readonly Verdict[], allowed: boolean, by: Decision['by']): Decision {
  const states = verdicts.map(({ state }) => state)
  const refusing = verdicts.filter(({ waitMs }) => waitMs > 0)
  const shadowed = refusing.filter(({ state }) => state.limit.mode === 'shadow')
  if (allowed) return { allowed, states, shadowed, by }
  const enforced = refusing.filter(({ state }) => state.limit.mode === 'enforce')
  const deciding = enforced.reduce((worst, verdict) => (verdict.waitMs > worst.waitMs ? verdict : worst))
  return { allowed, states, deciding, shadowed, by }
}
