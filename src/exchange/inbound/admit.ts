import type { Principal } from '../../identity/principal.ts'
import type { Limit } from '../../policy/limit.ts'
import type { Priority } from '../../policy/priority.ts'
import type { Admission, Quota } from '../../quota/quota.ts'
import { Refusal } from '../../refusal.ts'
import type { EventLoopLoad } from '../event-loop-load.ts'

interface Rules {
  readonly limits: { limitsFor(principal: Principal): readonly Limit[] }
  readonly quota: Quota
  readonly audit: { readonly healthy: boolean }
  readonly auditRequired: boolean
  readonly policy: { priorityOf(principal: Principal): Priority }
  readonly overload: Pick<EventLoopLoad, 'shed' | 'retryAfterMs'>
  readonly metrics: { shed(priority: Priority): void }
}

/**
 * Leave to enter, before the path is looked at and one byte of the body is read: an event loop that is not behind, a slot
 * of this process, and no limit that is known to refuse. Whatever the request turns out to be, it will be counted.
 */
export function admit(exchangeId: string, principal: Principal, rules: Rules): Admission {
  if (rules.auditRequired && !rules.audit.healthy) throw new Refusal('audit_unavailable', 'log unhealthy')
  shedOverload(principal, rules)
  const limits = rules.limits.limitsFor(principal)
  // Every role has limits: a caller without any has no role that this policy knows.
  if (limits.length === 0) throw new Refusal('insufficient_scope', 'no known role')
  return rules.quota.enter(exchangeId, limits)
}

function shedOverload(principal: Principal, { policy, overload, metrics }: Rules): void {
  const priority = policy.priorityOf(principal)
  if (!overload.shed(priority)) return
  metrics.shed(priority)
  throw new Refusal('gateway_overloaded', `event loop behind, ${priority} shed`, {
    retryAfterMs: overload.retryAfterMs(priority),
  })
}
