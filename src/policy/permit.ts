import type { Principal } from '../identity/principal.ts'
import type { Call } from '../openai/call.ts'
import type { Priority } from './priority.ts'
import type { Price } from './rules.ts'

declare const evidence: unique symbol

/** What the rules allow for one call. */
export interface Grant {
  readonly principal: Principal
  readonly call: Call
  readonly model: string
  /** Output bound per choice that is sent upstream: the caller's own, or the cap of the roles. */
  readonly outputTokensMax: number
  /** What tokens of the model cost; absent when the configuration does not say. */
  readonly price: Price | undefined
  /** Class in which the call waits for a model server, and the share of its tenant there. */
  readonly priority: Priority
  readonly weight: number
  /** Name of the redaction profile, a key of config/redaction.yaml. */
  readonly redactionProfile: string
  /** Roles that granted the call, for the audit record. */
  readonly roles: readonly string[]
}

/** Proof that the policy allowed this call. Only `grantPermit` makes one, and only `Policy.permit` calls it. */
export interface Permit extends Grant {
  readonly [evidence]: true
}

export const grantPermit = (grant: Grant): Permit => grant as Permit
