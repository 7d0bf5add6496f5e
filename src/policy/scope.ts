import type { Endpoint } from '../openai/call.ts'
import { globMatches } from './glob.ts'
import type { RoleRules, ScopeRules } from './rules.ts'

/** A scope with its globs resolved: the models of this policy version that it covers. */
export interface Scope {
  readonly name: string
  readonly endpoints: ReadonlySet<Endpoint>
  readonly models: ReadonlySet<string>
}

/** A role with its scopes at hand. */
export interface Role {
  readonly name: string
  readonly rules: RoleRules
  readonly scopes: readonly Scope[]
}

/** Globs are matched once, when the policy is made: a call costs look-ups only, whatever model name it carries. */
export const resolveScope = (name: string, rules: ScopeRules, models: readonly string[]): Scope => ({
  name,
  endpoints: new Set(rules.endpoints),
  models: new Set(models.filter((model) => rules.models.some((glob) => globMatches(glob, model)))),
})

/** The scopes of a role that a token leaves: scopes in a token narrow what its roles grant, they never add to it. */
export const narrowedScopes = (role: Role, tokenScopes: readonly string[] | undefined): readonly Scope[] =>
  tokenScopes === undefined ? role.scopes : role.scopes.filter(({ name }) => tokenScopes.includes(name))
