import type { Principal } from '../../identity/principal.ts'
import type { Endpoint } from '../../openai/call.ts'
import type { Policy } from '../../policy/policy.ts'
import type { Admission, Quota } from '../../quota/quota.ts'
import { Refusal } from '../../refusal.ts'

interface Rules {
  readonly policy: Policy
  readonly quota: Quota
  readonly audit: { readonly healthy: boolean }
  readonly auditRequired: boolean
}

/** Leave to enter, before one byte of the body is read: scope of the endpoint, request rate, exchanges in flight. */
export async function admit(
  exchangeId: string,
  principal: Principal,
  endpoint: Endpoint,
  rules: Rules,
): Promise<Admission> {
  if (rules.auditRequired && !rules.audit.healthy) throw new Refusal('audit_unavailable', 'log unhealthy')
  rules.policy.checkEndpoint(principal, endpoint)
  return await rules.quota.admit(exchangeId, rules.policy.limitsFor(principal))
}
