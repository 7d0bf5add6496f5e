import type { Endpoint } from '../openai/call.ts'
import type { Priority } from './priority.ts'
import type { ProfileRules } from './profile.ts'
import type { RoleLimitRules } from './role-limits.ts'

/** One set of endpoints x models. Models are names or globs. */
export interface ScopeRules {
  readonly endpoints: readonly Endpoint[]
  readonly models: readonly string[]
}

/** What a request may ask for. */
export interface ParameterRules {
  readonly outputTokensMax: number
  readonly choicesMax: number
  /** Prompts of one completions call; each gets `choicesMax` choices. */
  readonly promptsMax: number
  /** Inputs of one embeddings call. */
  readonly inputsMax: number
  /** Most alternatives; 0 allows plain `logprobs`; without it, none of the two. */
  readonly logprobsMax?: number | undefined
  readonly tools: 'none' | readonly string[]
  readonly responseFormats: readonly string[]
}

export interface RoleRules {
  readonly scopes: readonly string[]
  readonly parameters: ParameterRules
  readonly limits: RoleLimitRules
  /** Name of a profile. */
  readonly redaction: string
  readonly binding: 'none' | 'required'
  /** `interactive` without it. */
  readonly priority?: Priority | undefined
}

/** Units of the operator's currency per million tokens, with up to three decimals. */
export interface Price {
  readonly input: number
  readonly output: number
}

export interface ModelRules {
  readonly outputTokensMax: number
  readonly price?: Price | undefined
}

/** Shares of the tenants that wait for a model server. */
export interface FairnessRules {
  readonly weightDefault: number
  readonly weights: Readonly<Record<string, number>>
}

/** Everything that a policy is made of. The configuration's own types fit. */
export interface PolicyRules {
  readonly policies: {
    readonly unknownFields: 'refuse' | 'drop'
    readonly scopes: Readonly<Record<string, ScopeRules>>
    readonly roles: Readonly<Record<string, RoleRules>>
    readonly fairness?: FairnessRules | undefined
  }
  readonly models: { readonly models: Readonly<Record<string, ModelRules>> }
  readonly redaction: { readonly profiles: Readonly<Record<string, ProfileRules>> }
  readonly hash: string
}
