import type { Endpoint } from '../openai/call.ts'
import type { ProfileRules } from './profile.ts'

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

export interface LimitRules {
  readonly requestsPerMinute: number
  /** Requests that may come at once; `burstFor` without it. */
  readonly burst?: number | undefined
  readonly inFlight: number
}

export interface RoleRules {
  readonly scopes: readonly string[]
  readonly parameters: ParameterRules
  readonly limits: LimitRules
  /** Name of a profile. */
  readonly redaction: string
  readonly binding: 'none' | 'required'
}

/** Everything that a policy is made of. The configuration's own types fit. */
export interface PolicyRules {
  readonly policies: {
    readonly unknownFields: 'refuse' | 'drop'
    readonly scopes: Readonly<Record<string, ScopeRules>>
    readonly roles: Readonly<Record<string, RoleRules>>
  }
  readonly models: { readonly models: Readonly<Record<string, { readonly outputTokensMax: number }>> }
  readonly redaction: { readonly profiles: Readonly<Record<string, ProfileRules>> }
  readonly hash: string
}
