import type { Principal } from '../../identity/principal.ts'
import type { Policy } from '../../policy/policy.ts'
import type { Admission, Quota } from '../../quota/quota.ts'
import { Refusal } from '../../refusal.ts'

interface Rules {
  readonly policy: Policy
  readonly quota: Quota
  readonly audit: { readonly healthy: boolean }
  readonly auditRequired: boolean
}

/**
 * Leave to enter, before the path is looked at and one byte of the body is read: request rate and exchanges in flight.
 * Whatever the request turns out to be, it has been counted.
 */
export async function admit(exchangeId: string, principal: Principal, rules: Rules): Promise<Admission> {
  if (rules.auditRequired && !rules.audit.healthy) throw new Refusal('audit_unavailable', 'log unhealthy')
  const limits = rules.policy.limitsFor(principal)
  // Every role has limits: a caller without any has no role that this policy knows.
  if (limits.length === 0) throw new Refusal('insufficient_scope', 'no known role')
  return await rules.quota.admit(exchangeId, limits)
}
