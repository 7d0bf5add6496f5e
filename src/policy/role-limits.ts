import { bucketKey } from './bucket-key.ts'
import type { Limit } from './limit.ts'
import { burstOf } from './limit-rule.ts'

/** Limits that stand at a role, each shared by all callers of one tenant with this role. */
export interface RoleLimitRules {
  readonly requestsPerMinute: number
  /** Requests that may come at once; `burstOf` without it. */
  readonly burst?: number | undefined
  readonly inFlight: number
  /** Input and output tokens together. */
  readonly tokensPerMinute?: number | undefined
}

/** What the limits of a role count, in the order of its fields. */
export const roleCounted = ['requests', 'in_flight', 'total_tokens'] as const

/** `role.app.requests`: by this name operators see and change it. */
export const roleLimitName = (role: string, counts: Limit['counts']): string => `role.${role}.${counts}`

/** A role's name and limits. */
export interface RoleLimits {
  readonly name: string
  readonly limits: RoleLimitRules
}

/** Requests at once when a role does not say: ten seconds' worth. */
export const burstFor = ({ requestsPerMinute, burst }: RoleLimitRules): number =>
  burstOf({ counts: 'requests', per: 'minute', amount: requestsPerMinute, burst })

/**
 * The limits of a caller: for each dimension the most generous of its roles. The bucket belongs to the role that gives
 * the amount, so callers of one tenant share it whatever other roles they have; of equals the first by name gives it.
 * A role without `tokensPerMinute` sets no bound on tokens: beside it, no other role's counts.
 */
export function mergeLimits(tenant: string, roles: readonly RoleLimits[], shard: string): readonly Limit[] {
  if (roles.length === 0) return []
  const requests = mostGenerous(roles, ({ limits }) => limits.requestsPerMinute)
  const inFlight = mostGenerous(roles, ({ limits }) => limits.inFlight)
  const tokens = mostGenerous(roles, ({ limits }) => limits.tokensPerMinute ?? Number.POSITIVE_INFINITY)
  const bucket = (role: string, counts: Limit['counts'], per: Limit['per']) =>
    bucketOf(role, counts, per, { tenant, shard })
  return [
    {
      ...bucket(requests.name, 'requests', 'minute'),
      amount: requests.limits.requestsPerMinute,
      burst: Math.max(...roles.map(({ limits }) => burstFor(limits))),
    },
    {
      ...bucket(inFlight.name, 'in_flight', undefined),
      amount: inFlight.limits.inFlight,
      burst: inFlight.limits.inFlight,
    },
    ...(tokens.limits.tokensPerMinute === undefined
      ? []
      : [
          {
            ...bucket(tokens.name, 'total_tokens', 'minute'),
            amount: tokens.limits.tokensPerMinute,
            burst: tokens.limits.tokensPerMinute,
          },
        ]),
  ]
}

const bucketOf = (
  role: string,
  counts: Limit['counts'],
  per: Limit['per'],
  { tenant, shard }: { readonly tenant: string; readonly shard: string },
): Omit<Limit, 'amount' | 'burst'> => ({
  name: roleLimitName(role, counts),
  key: bucketKey({ name: roleLimitName(role, counts), counts, per }, [['tenant', tenant]]),
  shard,
  counts,
  per,
  mode: 'enforce',
  onStoreFailure: 'lease',
  timeZone: 'UTC',
  source: 'config',
})

const mostGenerous = (roles: readonly RoleLimits[], amount: (role: RoleLimits) => number): RoleLimits =>
  roles.reduce((best, role) => {
    const [mine, theirs] = [amount(role), amount(best)]
    return mine > theirs || (mine === theirs && role.name < best.name) ? role : best
  })
