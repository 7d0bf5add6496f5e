import type { Limit } from '../../policy/limit.ts'
import { LimitRefusal } from '../../quota/limit-refusal.ts'
import type { Pace } from '../../quota/pace.ts'
import type { DecisionStore, LimitState, Verdict } from '../../quota/store.ts'
import type { Throttled } from '../../quota/throttled.ts'
import type { Refusal } from '../../refusal.ts'
import type { Trail } from '../trail.ts'

interface DecisionRules {
  readonly quota: { readonly store: { readonly decisions: DecisionStore } }
  readonly throttled: Throttled
  /** Bounds what one tenant can push out of the store of decisions, which everybody shares. */
  readonly decisionPace: Pace
  readonly policy: { readonly hash: string }
}

/** Keeps why an exchange was refused, for the operator who is asked about it, and who meets limits. Never waits. */
export function recordDecision(trail: Trail, rules: DecisionRules): void {
  countThrottled(trail, rules.throttled)
  const { refusal } = trail
  if (refusal === undefined || !isKept(trail, refusal)) return
  if (rules.decisionPace.take(trail.principal?.tenant ?? '') > 0) return
  const decision = decisionOf(trail, refusal, rules.policy.hash)
  rules.quota.store.decisions.keep(trail.id, JSON.stringify(decision))
}

/** Not what anybody can cause in any number without a token. */
const isKept = ({ summed, principal }: Trail, { row }: Refusal): boolean =>
  !summed && (principal !== undefined || row.status === 401 || row.status === 403)

function countThrottled({ refusal, principal, decision }: Trail, throttled: Throttled): void {
  if (principal === undefined) return
  if (refusal instanceof LimitRefusal) throttled.refused(refusal.verdict.state.limit.name, principal.tenant)
  for (const { state } of decision?.shadowed ?? []) throttled.shadowed(state.limit.name, principal.tenant)
}

function decisionOf(trail: Trail, refusal: Refusal, policy: string) {
  const { principal, permit, endpoint } = trail
  return {
    request_id: trail.id,
    time: trail.isoNow,
    tenant: principal?.tenant ?? null,
    principal: principal?.id ?? null,
    roles: principal?.roles ?? [],
    endpoint,
    // A name that no permit confirmed is the caller's own text.
    model: permit?.model ?? null,
    code: refusal.code,
    detail: refusal.detail,
    limits: refusal instanceof LimitRefusal ? limitsOf(refusal) : [],
    policy,
  }
}

/** The one that decided comes first. */
function limitsOf({ verdict, states }: LimitRefusal) {
  const others = states.filter(({ limit }) => limit.key !== verdict.state.limit.key)
  return [limitText(verdict.state, verdict), ...others.map((state) => limitText(state))]
}

const limitText = ({ limit, used, remaining }: LimitState, verdict?: Verdict) => ({
  name: limit.name,
  key: limit.key,
  source: limit.source,
  amount: shown(limit, limit.amount),
  used: shown(limit, used),
  remaining: shown(limit, remaining),
  asked: verdict === undefined ? null : shown(limit, verdict.asked),
  // JSON has no infinity: null is a wait that never ends.
  wait_ms: verdict === undefined ? 0 : Number.isFinite(verdict.waitMs) ? verdict.waitMs : null,
})

/** Cost in units of the currency, as operators write it. */
const shown = ({ counts }: Limit, units: number): number => (counts === 'cost' ? units / 1e9 : units)
