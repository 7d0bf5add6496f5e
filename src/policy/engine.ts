import type { Principal } from '../identity/principal.ts'
import type { Call, Endpoint } from '../openai/call.ts'
import { Refusal } from '../refusal.ts'
import { checkParameters, mergeParameters } from './parameter-rules.ts'
import { grantPermit, type Permit } from './permit.ts'
import type { Policy } from './policy.ts'
import { bestPriority, type Priority } from './priority.ts'
import { Profiles } from './profiles.ts'
import type { ModelRules, PolicyRules } from './rules.ts'
import { narrowedScopes, type Role, resolveScope, type Scope } from './scope.ts'

/**
 * Makes one version of the rules. The merge rule for callers with several roles (docs/reference/policy.md): roles widen
 * what a caller may do, never what is done to its data. Throws on references that the configuration check refuses.
 */
export const createPolicy = (rules: PolicyRules): Policy => new RolePolicy(rules)

/** What the roles of a principal are worth here. */
interface Standing {
  readonly roles: readonly Role[]
  readonly scopes: readonly Scope[]
}

class RolePolicy implements Policy {
  readonly hash: string
  readonly unknownFields: 'refuse' | 'drop'
  readonly #roles: ReadonlyMap<string, Role>
  readonly #models: ReadonlyMap<string, ModelRules>
  readonly #profiles: Profiles
  readonly #weights: ReadonlyMap<string, number>
  readonly #weightDefault: number
  readonly #standings = new WeakMap<Principal, Standing>()

  constructor({ policies, models, redaction, hash }: PolicyRules) {
    this.hash = hash
    this.unknownFields = policies.unknownFields
    this.#profiles = new Profiles(redaction.profiles)
    this.#weights = new Map(Object.entries(policies.fairness?.weights ?? {}))
    this.#weightDefault = policies.fairness?.weightDefault ?? 1
    this.#models = new Map(Object.entries(models.models))
    this.#roles = rolesOf(policies, Object.keys(models.models))
    for (const { rules } of this.#roles.values()) this.#profiles.named(rules.redaction)
  }

  requiresBinding(principal: Principal): boolean {
    return this.#rolesOf(principal).some(({ rules }) => rules.binding === 'required')
  }

  modelsFor(principal: Principal): readonly string[] {
    const scopes = this.#scopesOf(principal).filter(({ endpoints }) => endpoints.has('models'))
    return [...new Set(scopes.flatMap(({ models }) => [...models]))].sort()
  }

  priorityOf(principal: Principal): Priority {
    return bestPriority(this.#rolesOf(principal).map(({ rules }) => rules.priority ?? 'interactive'))
  }

  checkEndpoint(principal: Principal, endpoint: Endpoint): void {
    if (this.#scopesOf(principal).some(({ endpoints }) => endpoints.has(endpoint))) return
    throw new Refusal('insufficient_scope', `no role grants ${endpoint}`)
  }

  permit(principal: Principal, call: Call): Permit {
    this.checkEndpoint(principal, call.endpoint)
    const granting = this.#rolesOf(principal).filter((role) =>
      narrowedScopes(role, principal.tokenScopes).some(
        ({ endpoints, models }) => endpoints.has(call.endpoint) && models.has(call.model),
      ),
    )
    const model = this.#models.get(call.model)
    if (granting.length === 0 || model === undefined) {
      // One answer for both: whoever may not use a model learns nothing about whether it exists.
      const detail = model === undefined ? 'unknown model' : 'no role grants the model'
      throw new Refusal('model_not_found', detail, { param: 'model' })
    }
    return this.#grant(principal, call, granting, model)
  }

  #grant(principal: Principal, call: Call, granting: readonly Role[], model: ModelRules): Permit {
    const merged = mergeParameters(granting.map(({ rules }) => rules.parameters))
    const outputTokensMax = Math.min(merged.outputTokensMax, model.outputTokensMax)
    checkParameters(call, { ...merged, outputTokensMax })
    const profile = this.#profiles.mergedName(granting.map(({ rules }) => rules.redaction))
    if (call.logprobs !== undefined && !this.#profiles.named(profile).passesReplies) {
      throw new Refusal('logprobs_refused', 'a granting role screens replies', { param: 'logprobs' })
    }
    return grantPermit({
      principal,
      call,
      model: call.model,
      outputTokensMax: call.endpoint === 'embeddings' ? 0 : (call.outputTokensMax ?? outputTokensMax),
      price: model.price,
      priority: bestPriority(granting.map(({ rules }) => rules.priority ?? 'interactive')),
      weight: this.#weights.get(principal.tenant) ?? this.#weightDefault,
      redactionProfile: profile,
      roles: granting.map(({ name }) => name).sort(),
    })
  }

  #rolesOf(principal: Principal): readonly Role[] {
    return this.#standingOf(principal).roles
  }

  #scopesOf(principal: Principal): readonly Scope[] {
    return this.#standingOf(principal).scopes
  }

  /** Asked several times for each request. */
  #standingOf(principal: Principal): Standing {
    const known = this.#standings.get(principal)
    if (known !== undefined) return known
    // Roles of a token that this policy does not know count for nothing: an issuer serves other services too.
    const roles = [...new Set(principal.roles)].flatMap((name) => this.#roles.get(name) ?? [])
    const scopes = roles.flatMap((role) => narrowedScopes(role, principal.tokenScopes))
    const standing = { roles, scopes }
    this.#standings.set(principal, standing)
    return standing
  }
}

function rolesOf(
  { scopes, roles }: PolicyRules['policies'],
  models: readonly string[],
): ReadonlyMap<string, Role> {
  const resolved = new Map(
    Object.entries(scopes).map(([name, rules]) => [name, resolveScope(name, rules, models)] as const),
  )
  return new Map(
    Object.entries(roles).map(([name, rules]) => [
      name,
      { name, rules, scopes: scopesNamed(rules.scopes, resolved) },
    ]),
  )
}

const scopesNamed = (names: readonly string[], scopes: ReadonlyMap<string, Scope>): readonly Scope[] =>
  names.map((name) => {
    const scope = scopes.get(name)
    if (scope === undefined) throw new Error(`no scope named ${name}`)
    return scope
  })
