import { parseBucketKey } from '../policy/bucket-key.ts'
import type { Limit } from '../policy/limit.ts'
import type { LimitRule } from '../policy/limit-rule.ts'
import type { Demand, LimitState } from '../quota/store.ts'
import { isoTime, type StoredOverride } from './documents.ts'
import { shown } from './usage.ts'
import type { OpsView } from './view.ts'
import { waitFor } from './wait.ts'

/** What each limit says to what is asked of it. `states` and `demands` are of the same limits, in the same order. */
export const explainedLimits = (
  states: readonly LimitState[],
  demands: readonly Demand[],
  view: Pick<OpsView, 'all' | 'overrides'>,
) => states.map((state, index) => explainedLimit(state, demands[index]?.amount ?? 0, view))

function explainedLimit(state: LimitState, asked: number, view: Pick<OpsView, 'all' | 'overrides'>) {
  const { limit, used, remaining, resetMs } = state
  const waitMs = waitFor(state, asked)
  const refusal = limit.mode === 'shadow' ? ('shadow' as const) : ('refuse' as const)
  return {
    name: limit.name,
    key: limit.key,
    source: limit.source,
    amount: shown(limit, limit.amount),
    burst: shown(limit, limit.burst),
    mode: limit.mode,
    overlay: overlayOf(limit, view),
    asked: shown(limit, asked),
    used: shown(limit, used),
    remaining: shown(limit, remaining),
    reset_ms: Math.ceil(resetMs),
    verdict: waitMs === 0 ? ('pass' as const) : refusal,
    wait_ms: Number.isFinite(waitMs) ? waitMs : null,
  }
}

/** What each layer says; the last that says something is the one that counts. */
function overlayOf({ name, key, source }: Limit, { all, overrides }: Pick<OpsView, 'all' | 'overrides'>) {
  const named = all.get(name)
  const override = source === 'override' ? overrideAt(key, name, overrides) : undefined
  return {
    config: layerOf(named?.configured),
    operator: layerOf(named?.quota?.rule),
    override: override === undefined ? null : { ...layerOf(override), until: isoTime(override.expiresAt) },
  }
}

const layerOf = (rule: Pick<LimitRule, 'amount' | 'burst'> | undefined) =>
  rule === undefined ? null : { amount: rule.amount, burst: rule.burst ?? null, until: null }

/** The first one wins, as in the book. */
function overrideAt(
  key: string,
  name: string,
  overrides: ReadonlyMap<string, StoredOverride>,
): StoredOverride | undefined {
  const values = parseBucketKey(key)?.values ?? {}
  return [...overrides.values()].find(
    ({ limit, match }) =>
      limit === name &&
      Object.entries(match).every(([dimension, value]) => values[dimension as keyof typeof values] === value),
  )
}
