import type { Principal } from '../../identity/principal.ts'
import type { Call } from '../../openai/call.ts'
import type { Permit } from '../../policy/permit.ts'
import type { Policy } from '../../policy/policy.ts'

/** Principal and Call -> Permit: endpoint x model, parameter rules, redaction profile. */
export const authorize = (
  principal: Principal,
  call: Call,
  { policy }: { readonly policy: Policy },
): Permit => policy.permit(principal, call)
