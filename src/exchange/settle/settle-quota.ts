import type { Quota } from '../../quota/quota.ts'
import type { Trail } from '../trail.ts'

/** Reservation -> what was really used. A caller who hung up pays for what was metered. */
export async function settleQuota(trail: Trail, quota: Quota): Promise<void> {
  const usage = trail.relayed?.usage
  await quota.settle(trail.id, {
    inputTokens: usage?.inputTokens ?? 0,
    outputTokens: usage?.outputTokens ?? 0,
  })
}
