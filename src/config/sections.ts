import type { GatewayConfig } from './schema/gateway.ts'
import type { ModelsConfig } from './schema/models.ts'
import type { PoliciesConfig } from './schema/policies.ts'
import type { RedactionConfig } from './schema/redaction.ts'

/** The four files, each of its own shape. */
export interface Sections {
  readonly gateway: GatewayConfig
  readonly models: ModelsConfig
  readonly policies: PoliciesConfig
  readonly redaction: RedactionConfig
}

/** What this folder has to be told about the rest of the gateway. */
export interface Knowledge {
  /** Every entity that a recognizer finds. */
  readonly entities: readonly string[]
  /** Whether a glob of a scope covers a model: the matcher that the policy itself uses. */
  matches(glob: string, model: string): boolean
}
