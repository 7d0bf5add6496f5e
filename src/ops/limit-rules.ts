/**
 * Every limit by name as operators see it: what the configuration says, what an operator's quota says instead, and
 * which of them counts. Limits of roles are rules like all others here.
 */
import type { LimitRule } from '../policy/limit-rule.ts'
import { ruleFault } from '../policy/limit-rule.ts'
import { burstFor, type RoleLimitRules, roleCounted, roleLimitName } from '../policy/role-limits.ts'
import type { StoredOverride, StoredQuota } from './documents.ts'

/** The limits of a configuration; the configuration's own type fits. */
export interface ConfiguredLimits {
  readonly roles: Readonly<Record<string, { readonly limits: RoleLimitRules }>>
  readonly limits?: Readonly<Record<string, LimitRule>> | undefined
}

/** As policies.yaml names limits, with room for those of roles: `role.<role>.total_tokens`. */
export const limitNamePattern = /^[a-z0-9](?:[a-z0-9._-]{0,126}[a-z0-9])?$/

export interface NamedLimit {
  readonly name: string
  /** What counts. */
  readonly rule: LimitRule
  /** Who says so: a limit that stands at a role, one of policies.yaml, or an operator's quota. */
  readonly source: 'config' | 'role' | 'operator'
  /** What the configuration says; absent when only an operator knows the limit. */
  readonly configured?: LimitRule | undefined
  readonly quota?: StoredQuota | undefined
}

/** A quota or an override that cannot be: the path of the field, and why. */
export interface LimitFault {
  readonly field: string
  readonly message: string
}

/** Configured limits by name, those of roles included. */
export function configuredRules({ roles, limits = {} }: ConfiguredLimits): ReadonlyMap<string, NamedLimit> {
  const named = new Map<string, NamedLimit>()
  for (const [role, { limits: own }] of Object.entries(roles))
    for (const counts of roleCounted) {
      const rule = roleRule(role, own, counts)
      const name = roleLimitName(role, counts)
      if (rule !== undefined) named.set(name, { name, rule, source: 'role', configured: rule })
    }
  for (const [name, rule] of Object.entries(limits))
    named.set(name, { name, rule, source: 'config', configured: rule })
  return named
}

/** Every limit by name, operators' quotas over the configuration, in the order of names. */
export function limitsByName(
  configured: ReadonlyMap<string, NamedLimit>,
  quotas: ReadonlyMap<string, StoredQuota>,
): ReadonlyMap<string, NamedLimit> {
  const all = new Map(configured)
  for (const [name, quota] of quotas)
    all.set(name, {
      name,
      rule: quota.rule,
      source: 'operator',
      configured: configured.get(name)?.rule,
      quota,
    })
  return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Why a rule cannot be an operator's quota of that name. */
export function quotaFault(
  name: string,
  rule: LimitRule,
  { roles }: Pick<ConfiguredLimits, 'roles'>,
): LimitFault | undefined {
  if (!limitNamePattern.test(name)) return { field: 'name', message: 'is no name of a limit' }
  const fault = ruleFault(rule)
  if (fault !== undefined) return fault
  const of = Object.keys(roles).flatMap((role) => roleCounted.map((counts) => ({ role, counts })))
  const known = of.find(({ role, counts }) => roleLimitName(role, counts) === name)
  return known === undefined ? foreignName(name, Object.keys(roles)) : roleQuotaFault(known, rule)
}

/** Why an override cannot be: the limit that it names is known, or it does nothing. */
export function overrideFault(
  rule: LimitRule,
  { match, amount, burst }: Pick<StoredOverride, 'match' | 'amount' | 'burst'>,
): LimitFault | undefined {
  const named = Object.keys(match)
  /** What tells the buckets apart, and an override may name. */
  const known: readonly string[] = rule.by
  const other = named.find((dimension) => !known.includes(dimension))
  if (other !== undefined)
    return { field: `match.${other}`, message: `does not tell the buckets of this limit apart: ${known}` }
  if (named.length === 0 && known.length > 0)
    return { field: 'match', message: `names no bucket: give at least one of ${known}` }
  return ruleFault({ ...rule, amount, burst })
}

interface OfRole {
  readonly role: string
  readonly counts: (typeof roleCounted)[number]
}

/** Names that look like those of a role's limits would mislead whoever reads them. */
function foreignName(name: string, roles: readonly string[]): LimitFault | undefined {
  const role = roles.find((each) => name.startsWith(`role.${each}.`))
  if (role === undefined) return undefined
  return { field: 'name', message: `belongs to role ${role}, which has ${roleCounted.join(', ')}` }
}

/** The amounts of a role's limit can be changed, not what it is. */
function roleQuotaFault({ role, counts }: OfRole, rule: LimitRule): LimitFault | undefined {
  const shape = shapeOf(role, counts)
  const differing = (['counts', 'per', 'by', 'where', 'timeZone'] as const).find(
    (field) => JSON.stringify(rule[field]) !== JSON.stringify(shape[field]),
  )
  if (differing !== undefined)
    return {
      field: differing,
      message: `of a role's limit is ${JSON.stringify(shape[differing]) ?? 'left out'}; amount, burst, mode and onStoreFailure can be changed`,
    }
  return counts !== 'requests' && rule.burst !== undefined
    ? { field: 'burst', message: 'cannot be set for this limit of a role' }
    : undefined
}

function roleRule(
  role: string,
  own: RoleLimitRules,
  counts: (typeof roleCounted)[number],
): LimitRule | undefined {
  const { requestsPerMinute, inFlight, tokensPerMinute } = own
  const amount = { requests: requestsPerMinute, in_flight: inFlight, total_tokens: tokensPerMinute }[counts]
  if (amount === undefined) return undefined
  return { ...shapeOf(role, counts), amount, ...(counts === 'requests' ? { burst: burstFor(own) } : {}) }
}

const shapeOf = (role: string, counts: (typeof roleCounted)[number]): Omit<LimitRule, 'amount'> => ({
  counts,
  ...(counts === 'in_flight' ? {} : { per: 'minute' as const }),
  by: ['tenant'],
  where: { roles: [role] },
  mode: 'enforce',
  onStoreFailure: 'lease',
  timeZone: 'UTC',
})
