/**
 * Every limit, and which of them apply to whom. Immutable: a change of the configuration, of an operator's quota or of
 * an override makes a new book.
 *
 * 1. All limits that apply must agree: a hierarchy (organization > tenant > principal) is several limits.
 * 2. Of the roles of a caller, the most generous limit counts (docs/reference/policy.md); of every other limit, all.
 * 3. An override wins over an operator's quota, which wins over the configuration, bucket by bucket.
 * 4. The buckets that one exchange asks have one shard.
 * 5. Names of tenants, principals and models are encoded in keys: no choice of names makes two buckets one.
 */
import type { Principal } from '../identity/principal.ts'
import { bucketKey, encode, parseBucketKey } from './bucket-key.ts'
import { globMatches } from './glob.ts'
import type { Dimension, Limit, LimitSource } from './limit.ts'
import { burstOf, type LimitOverride, type LimitRule, type LimitScope, unitsOf } from './limit-rule.ts'
import { mergeLimits, type RoleLimitRules, roleCounted, roleLimitName } from './role-limits.ts'

export interface LimitRules {
  readonly roles: Readonly<Record<string, RoleLimitRules>>
  readonly limits: Readonly<Record<string, LimitRule>>
  /** Operators' quotas, by the name of the limit: a new limit, or another version of a configured one. */
  readonly quotas?: Readonly<Record<string, LimitRule>>
  readonly overrides?: readonly LimitOverride[]
  /** Tenant -> organization. A tenant that is not in it is an organization of its own. */
  readonly organizations?: Readonly<Record<string, string>>
}

type Caller = Pick<Principal, 'id' | 'tenant' | 'roles'>
type Values = Readonly<Record<Dimension, string | undefined>>

const noValues: Values = {
  organization: undefined,
  tenant: undefined,
  principal: undefined,
  role: undefined,
  model: undefined,
}

/** Callers x models whose limits are remembered; then all are forgotten. */
const rememberedMax = 10_000

interface NamedRule {
  readonly name: string
  readonly rule: LimitRule
  readonly source: LimitSource
}

export class LimitBook {
  readonly #roles: Readonly<Record<string, RoleLimitRules>>
  readonly #quotas: Readonly<Record<string, LimitRule>>
  readonly #rules: readonly NamedRule[]
  readonly #overrides: readonly LimitOverride[]
  readonly #organizations: Readonly<Record<string, string>>
  readonly #shardBy: 'organization' | 'tenant' | 'all'
  readonly #remembered = new Map<string, readonly Limit[]>()

  constructor({ roles, limits, quotas = {}, overrides = [], organizations = {} }: LimitRules) {
    this.#roles = Object.fromEntries(
      Object.entries(roles).map(([role, own]) => [role, withQuotas(role, own, quotas)]),
    )
    this.#quotas = quotas
    const ofRoles = new Set(roleLimitNames(Object.keys(roles)))
    this.#rules = Object.entries({ ...limits, ...quotas })
      .filter(([name]) => !ofRoles.has(name))
      .map(([name, rule]) => ({ name, rule, source: Object.hasOwn(quotas, name) ? 'operator' : 'config' }))
    this.#overrides = overrides
    this.#organizations = organizations
    this.#shardBy = shardOf(this.#rules)
  }

  /** Names of all limits, for metrics. */
  get names(): readonly string[] {
    return [...roleLimitNames(Object.keys(this.#roles)), ...this.#rules.map(({ name }) => name)]
  }

  /**
   * The limits of a caller. Without a model: those that can be asked before the body is read, requests and exchanges in
   * flight whatever the model. With one: every limit. Empty when the caller has no role that this policy knows.
   */
  limitsFor(caller: Caller, model?: string): readonly Limit[] {
    const key = JSON.stringify([caller.tenant, caller.id, model ?? null, ...caller.roles])
    const known = this.#remembered.get(key)
    if (known !== undefined) return known
    const limits = this.#limitsFor(caller, model)
    if (this.#remembered.size >= rememberedMax) this.#remembered.clear()
    this.#remembered.set(key, limits)
    return limits
  }

  /** The limit that a bucket belongs to, as it applies there; undefined when no limit has a bucket of this key. */
  limitAt(key: string): Limit | undefined {
    const { name, values: named } = parseBucketKey(key) ?? { name: '', values: {} }
    const { tenant } = named
    const organization =
      named.organization ?? (tenant === undefined ? undefined : this.#organizationOf(tenant))
    const values = { ...noValues, ...named, organization }
    const shard = shardName(this.#shardBy, values)
    const rule = this.#rules.find((each) => each.name === name)
    const role = Object.keys(this.#roles).find((each) => roleLimitNames([each]).includes(name))
    const candidates =
      rule !== undefined
        ? [this.#limit(rule, values, shard)]
        : role !== undefined && tenant !== undefined
          ? this.#limitsOfRoles(tenant, [role], values, shard)
          : []
    return candidates.find((limit) => limit.key === key)
  }

  #limitsFor(caller: Caller, model: string | undefined): readonly Limit[] {
    const roles = [...new Set(caller.roles)].filter((role) => Object.hasOwn(this.#roles, role)).sort()
    if (roles.length === 0) return []
    const values = {
      organization: this.#organizationOf(caller.tenant),
      tenant: caller.tenant,
      principal: caller.id,
      role: undefined,
      model,
    }
    const shard = shardName(this.#shardBy, values)
    return [
      ...this.#limitsOfRoles(caller.tenant, roles, values, shard).filter(
        ({ counts }) => model !== undefined || counts !== 'total_tokens',
      ),
      ...this.#rules
        .filter(({ rule }) => model !== undefined || isEarly(rule))
        .flatMap((named) => this.#limitOf(named, { values, roles, shard })),
    ]
  }

  #limitsOfRoles(tenant: string, roles: readonly string[], values: Values, shard: string): readonly Limit[] {
    const named = roles.map((name) => ({ name, limits: this.#roles[name] as RoleLimitRules }))
    return mergeLimits(tenant, named, shard).map((limit) =>
      this.#overridden(asQuotaSays(limit, this.#quotas), values),
    )
  }

  #limitOf(
    { name, rule, source }: NamedRule,
    {
      values,
      roles,
      shard,
    }: { readonly values: Values; readonly roles: readonly string[]; readonly shard: string },
  ): readonly Limit[] {
    const role = roles.find((candidate) => anyMatches(rule.where?.roles, candidate))
    if (role === undefined || !applies(rule.where, values)) return []
    return [this.#limit({ name, rule, source }, { ...values, role }, shard)]
  }

  #limit({ name, rule, source }: NamedRule, values: Values, shard: string): Limit {
    const limit: Limit = {
      name,
      key: bucketKey(
        { name, counts: rule.counts, per: rule.per },
        dimensionsOf(rule.by).map((dimension) => [dimension, values[dimension]]),
      ),
      shard,
      counts: rule.counts,
      per: rule.per,
      amount: unitsOf(rule.counts, rule.amount),
      burst: burstOf(rule),
      mode: rule.mode,
      onStoreFailure: rule.onStoreFailure,
      timeZone: rule.timeZone,
      source,
    }
    return this.#overridden(limit, values, rule.by)
  }

  #overridden(limit: Limit, values: Values, by: readonly Dimension[] = ['tenant', 'role']): Limit {
    const override = this.#overrides.find(
      ({ limit: name, match }) =>
        name === limit.name &&
        Object.entries(match).every(([dimension, value]) => values[dimension as Dimension] === value) &&
        Object.keys(match).every((dimension) => by.includes(dimension as Dimension)),
    )
    if (override === undefined) return limit
    const { counts, per } = limit
    const amount = unitsOf(counts, override.amount)
    const burst = burstOf({ counts, per, amount: override.amount, burst: override.burst })
    return { ...limit, amount, burst, source: 'override' }
  }

  /** A tenant of no organization is one of its own, under a name that no organization can have. */
  #organizationOf(tenant: string): string {
    const named = Object.hasOwn(this.#organizations, tenant) ? this.#organizations[tenant] : undefined
    return named ?? `tenant:${tenant}`
  }
}

const roleLimitNames = (roles: readonly string[]): readonly string[] =>
  roles.flatMap((role) => roleCounted.map((counts) => roleLimitName(role, counts)))

/** An operator's quota of the name of a role's limit changes its amount, burst and mode; what it counts stays. */
function withQuotas(role: string, own: RoleLimitRules, quotas: LimitRules['quotas'] = {}): RoleLimitRules {
  const [requests, inFlight, tokens] = roleCounted.map((counts) => quotas[roleLimitName(role, counts)])
  return {
    ...own,
    ...(requests && { requestsPerMinute: requests.amount, burst: requests.burst }),
    ...(inFlight && { inFlight: inFlight.amount }),
    ...(tokens && { tokensPerMinute: tokens.amount }),
  }
}

function asQuotaSays(limit: Limit, quotas: Readonly<Record<string, LimitRule>>): Limit {
  const quota = quotas[limit.name]
  if (quota === undefined) return limit
  return { ...limit, mode: quota.mode, onStoreFailure: quota.onStoreFailure, source: 'operator' }
}

/** Whether a limit can be asked before it is known what the caller wants. */
const isEarly = ({ counts, by, where }: LimitRule): boolean =>
  (counts === 'requests' || counts === 'in_flight') && !by.includes('model') && where?.models === undefined

const anyMatches = (globs: readonly string[] | undefined, value: string): boolean =>
  globs === undefined || globs.some((glob) => globMatches(glob, value))

const applies = (where: LimitScope | undefined, values: Values): boolean =>
  where === undefined ||
  (anyMatches(where.organizations, values.organization ?? '') &&
    anyMatches(where.tenants, values.tenant ?? '') &&
    anyMatches(where.principals, values.principal ?? '') &&
    anyMatches(where.models, values.model ?? ''))

/** A principal belongs to its tenant: two tenants never share its bucket. */
const dimensionsOf = (by: readonly Dimension[]): readonly Dimension[] =>
  by.includes('principal') && !by.includes('tenant') ? [...by, 'tenant'] : by

/** The smallest group that no bucket crosses: then every exchange asks one shard. */
function shardOf(rules: readonly NamedRule[]): 'organization' | 'tenant' | 'all' {
  const sets = rules.map(({ rule }) => new Set(dimensionsOf(rule.by)))
  if (sets.every((by) => by.has('tenant'))) return 'tenant'
  return sets.every((by) => by.has('tenant') || by.has('organization')) ? 'organization' : 'all'
}

const shardName = (by: 'organization' | 'tenant' | 'all', values: Values): string =>
  by === 'all' ? 'all' : encode(values[by] ?? '')
