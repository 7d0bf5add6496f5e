import type { Principal } from '../../identity/principal.ts'
import type { Limit } from '../../policy/limit.ts'
import type { Admission, Quota } from '../../quota/quota.ts'
import { Refusal } from '../../refusal.ts'

interface Rules {
  readonly limits: { limitsFor(principal: Principal): readonly Limit[] }
  readonly quota: Quota
  readonly audit: { readonly healthy: boolean }
  readonly auditRequired: boolean
}

/**
 * Leave to enter, before the path is looked at and one byte of the body is read: a slot of this process, and no limit
 * that is known to refuse. Whatever the request turns out to be, it will be counted.
 */
export function admit(exchangeId: string, principal: Principal, rules: Rules): Admission {
  if (rules.auditRequired && !rules.audit.healthy) throw new Refusal('audit_unavailable', 'log unhealthy')
  const limits = rules.limits.limitsFor(principal)
  // Every role has limits: a caller without any has no role that this policy knows.
  if (limits.length === 0) throw new Refusal('insufficient_scope', 'no known role')
  return rules.quota.enter(exchangeId, limits)
}
