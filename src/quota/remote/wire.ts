/** What passes between a worker and the process that keeps the store, as JSON: short, and with no number that JSON lacks. */
import type { Limit } from '../../policy/limit.ts'
import type { Correction, Decision, Demand, LimitState, Verdict } from '../store.ts'

/** Calls that a store answers. */
export const methods = [
  'admit',
  'settle',
  'peek',
  'reset',
  'keys',
  'get',
  'list',
  'put',
  'delete',
  'find',
] as const
export type Method = (typeof methods)[number]

const fields = [
  'name',
  'key',
  'shard',
  'counts',
  'per',
  'amount',
  'burst',
  'mode',
  'onStoreFailure',
  'timeZone',
  'source',
] as const satisfies readonly (keyof Limit)[]

export const encodeLimit = (limit: Limit): readonly unknown[] => fields.map((field) => limit[field] ?? null)

/** The other side is the same program: what it says is not checked again. */
export function decodeLimit(values: unknown): Limit {
  const list = values as readonly unknown[]
  return Object.fromEntries(
    fields.map((field, index) => [field, list[index] ?? undefined]),
  ) as unknown as Limit
}

export const encodeDemand = ({ limit, amount }: Demand) => [encodeLimit(limit), amount] as const
export function decodeDemand(pair: unknown): Demand {
  const [limit, amount] = pair as ReturnType<typeof encodeDemand>
  return { limit: decodeLimit(limit), amount }
}

export const encodeCorrection = ({ limit, reserved, used }: Correction) =>
  [encodeLimit(limit), reserved, used] as const
export function decodeCorrection(triple: unknown): Correction {
  const [limit, reserved, used] = triple as ReturnType<typeof encodeCorrection>
  return { limit: decodeLimit(limit), reserved, used }
}

/** Of a state everything but the limit, which whoever asked knows. */
export const encodeState = ({ used, remaining, resetMs }: LimitState) => [used, remaining, resetMs] as const
export function decodeState(limit: Limit, numbers: unknown): LimitState {
  const [used, remaining, resetMs] = numbers as ReturnType<typeof encodeState>
  return { limit, used, remaining, resetMs }
}

/** The place of its demand, its state, what was asked and the wait; -1 for one without an end. */
type Judged = readonly [index: number, state: ReturnType<typeof encodeState>, asked: number, waitMs: number]

export interface EncodedDecision {
  readonly allowed: boolean
  readonly by: Decision['by']
  readonly states: readonly ReturnType<typeof encodeState>[]
  readonly shadowed: readonly Judged[]
  readonly deciding?: Judged
}

export function encodeDecision(decision: Decision, demands: readonly Demand[]): EncodedDecision {
  const { allowed, by, states, shadowed, deciding } = decision
  const judged = ({ state, asked, waitMs }: Verdict): Judged => {
    const index = demands.findIndex(({ limit }) => limit.key === state.limit.key)
    return [index, encodeState(state), asked, Number.isFinite(waitMs) ? waitMs : -1]
  }
  return {
    allowed,
    by,
    states: states.map(encodeState),
    shadowed: shadowed.map(judged),
    ...(deciding === undefined ? {} : { deciding: judged(deciding) }),
  }
}

export function decodeDecision(reply: unknown, demands: readonly Demand[]): Decision {
  const { allowed, by, states, shadowed, deciding } = reply as EncodedDecision
  const limitAt = (index: number): Limit => (demands[index] as Demand).limit
  const verdict = ([index, state, asked, waitMs]: Judged): Verdict => ({
    state: decodeState(limitAt(index), state),
    asked,
    waitMs: waitMs < 0 ? Number.POSITIVE_INFINITY : waitMs,
  })
  return {
    allowed,
    by,
    states: states.map((state, index) => decodeState(limitAt(index), state)),
    shadowed: shadowed.map(verdict),
    ...(deciding === undefined ? {} : { deciding: verdict(deciding) }),
  }
}
