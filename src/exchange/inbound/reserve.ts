import { estimateCall } from '../../openai/token-estimate.ts'
import type { Permit } from '../../policy/permit.ts'
import type { Policy } from '../../policy/policy.ts'
import type { Quota, Reservation } from '../../quota/quota.ts'
import type { ScreenedCall } from './screen-prompt.ts'

interface Limits {
  readonly policy: Policy
  readonly quota: Quota
}

/** Sets aside what the call can cost at most: the estimated prompt, and the capped output of every choice. */
export function reserve(
  exchangeId: string,
  permit: Permit,
  screened: ScreenedCall,
  { policy, quota }: Limits,
): Promise<Reservation> {
  const { call } = screened
  const outputTokens =
    call.endpoint === 'embeddings' ? 0 : permit.outputTokensMax * call.choices * call.prompts
  const tokens = { inputTokens: estimateCall(call), outputTokens }
  return quota.reserve(exchangeId, policy.limitsFor(permit.principal), tokens)
}
