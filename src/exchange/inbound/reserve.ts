import type { Principal } from '../../identity/principal.ts'
import { estimateCall } from '../../openai/token-estimate.ts'
import type { Limit } from '../../policy/limit.ts'
import type { Permit } from '../../policy/permit.ts'
import type { Admission, Reservation } from '../../quota/quota.ts'
import type { ScreenedCall } from './screen-prompt.ts'

interface Limits {
  readonly limits: { limitsFor(principal: Principal, model?: string): readonly Limit[] }
}

/**
 * The one decision of all limits: takes the request, and sets aside what the call can cost at most, the estimated prompt
 * and the capped output of every choice.
 */
export function reserve(
  admission: Admission,
  permit: Permit,
  { call }: ScreenedCall,
  { limits }: Limits,
): Promise<Reservation> {
  return admission.reserve({
    limits: limits.limitsFor(permit.principal, permit.model),
    model: permit.model,
    inputTokens: estimateCall(call),
    choices: call.choices * call.prompts,
    outputTokensMax: permit.outputTokensMax,
    bound: call.outputTokensMax === undefined ? 'default' : 'named',
    price: permit.price,
  })
}

/** The same for a request that asks no model. */
export const reserveRequest = (
  admission: Admission,
  principal: Principal,
  { limits }: Limits,
): Promise<Reservation> =>
  admission.reserve({
    limits: limits.limitsFor(principal),
    model: '',
    inputTokens: 0,
    choices: 1,
    outputTokensMax: 0,
    bound: 'named',
  })
