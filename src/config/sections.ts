import type { LimitRule } from '../policy/limit-rule.ts'
import type { Kind, Profile } from '../policy/profile.ts'
import type { CustomFault } from '../redaction/custom.ts'
import type { GatewayConfig } from './schema/gateway.ts'
import type { ModelsConfig } from './schema/models.ts'
import type { PoliciesConfig } from './schema/policies.ts'
import type { ProfileConfig, RecognizerConfig, RedactionConfig } from './schema/redaction.ts'

/** The four files, each of its own shape. */
export interface Sections {
  readonly gateway: GatewayConfig
  readonly models: ModelsConfig
  readonly policies: PoliciesConfig
  readonly redaction: RedactionConfig
}

/** What this folder has to be told about the rest of the gateway. */
export interface Knowledge {
  /** Every kind of data that a recognizer of the catalog finds. */
  readonly kinds: readonly Kind[]
  /** What a profile does, as the policy itself reads it. */
  openProfile(name: string, rules: ProfileConfig): Profile
  /** What is wrong with the patterns and examples of recognizers; paths begin with the name of one. */
  recognizerFaults(recognizers: Readonly<Record<string, RecognizerConfig>>): readonly CustomFault[]
  /** What is wrong with deny lists; paths begin with the index of one. */
  denyListFaults(lists: readonly (readonly string[])[]): readonly CustomFault[]
  /** The kind that an entity of a recognizer service counts as, beside the kinds that the rules find. */
  recognizedKind(entity: string, kinds: readonly Kind[]): Kind
  /** Why texts may not be sent to an address of a recognizer service. */
  analyzerUrlFault(url: string): string | undefined
  /** What is wrong with a limit, as the policy itself reads it. */
  limitFault(rule: LimitRule): { readonly field: string; readonly message: string } | undefined
  /** Whether a glob of a scope covers a model: the matcher that the policy itself uses. */
  matches(glob: string, model: string): boolean
}
