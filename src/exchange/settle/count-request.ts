import type { Admission } from '../../quota/quota.ts'
import type { Trail } from '../trail.ts'

/**
 * A request that ended before its limits were asked is counted all the same: nobody probes the gateway for free. Its
 * refusal says where the limits stand.
 */
export async function countRequest(admission: Admission, trail: Trail): Promise<void> {
  const states = await admission.count()
  if (states.length > 0) trail.limits = states
}
