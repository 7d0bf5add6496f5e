import type { Principal } from '../identity/principal.ts'
import type { Call, Endpoint } from '../openai/call.ts'
import type { Permit } from './permit.ts'
import type { Priority } from './priority.ts'

/** One version of the rules, immutable. Built from config/policies.yaml, config/models.yaml and config/redaction.yaml. */
export interface Policy {
  /** First 16 hex digits of the SHA-256 of the canonical configuration; in metrics, audit and `x-sallyport-policy`. */
  readonly hash: string
  readonly unknownFields: 'refuse' | 'drop'
  /** A role of the principal demands a certificate-bound token (RFC 8705). */
  requiresBinding(principal: Principal): boolean
  /** Public model names that the principal may see, sorted. */
  modelsFor(principal: Principal): readonly string[]
  /** The best class of all roles: which of them grants a call is not known before its body is read. */
  priorityOf(principal: Principal): Priority
  /** Throws a Refusal when the endpoint is out of scope, whatever the model (checked before the body is read). */
  checkEndpoint(principal: Principal, endpoint: Endpoint): void
  /** Throws a Refusal, or returns the proof that this call may go on. */
  permit(principal: Principal, call: Call): Permit
}
