import type { Limit } from './policy.ts'
import type { LimitRules } from './rules.ts'

/** A role's name and limits. */
export interface RoleLimits {
  readonly name: string
  readonly limits: LimitRules
}

/** Requests at once when a role does not say: ten seconds' worth. */
export const burstFor = ({ requestsPerMinute, burst }: LimitRules): number =>
  burst ?? Math.max(1, Math.ceil(requestsPerMinute / 6))

/**
 * The limits of a caller: for each dimension the most generous of its roles. The bucket belongs to the role that gives
 * the amount, so callers of one tenant share it whatever other roles they have; of equals the first by name gives it.
 */
export function mergeLimits(tenant: string, roles: readonly RoleLimits[]): readonly Limit[] {
  if (roles.length === 0) return []
  const requests = mostGenerous(roles, ({ limits }) => limits.requestsPerMinute)
  const inFlight = mostGenerous(roles, ({ limits }) => limits.inFlight)
  return [
    {
      key: `tenant:${tenant}/role:${requests.name}`,
      name: 'requests',
      amount: requests.limits.requestsPerMinute,
      burst: Math.max(...roles.map(({ limits }) => burstFor(limits))),
    },
    {
      key: `tenant:${tenant}/role:${inFlight.name}`,
      name: 'in_flight',
      amount: inFlight.limits.inFlight,
      burst: inFlight.limits.inFlight,
    },
  ]
}

const mostGenerous = (roles: readonly RoleLimits[], amount: (role: RoleLimits) => number): RoleLimits =>
  roles.reduce((best, role) => {
    const difference = amount(role) - amount(best)
    return difference > 0 || (difference === 0 && role.name < best.name) ? role : best
  })
