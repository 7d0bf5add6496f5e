import type { Principal } from '../identity/principal.ts'
import type { Call, Endpoint } from '../openai/call.ts'
import type { Permit } from './permit.ts'

/** A limit that applies to a principal before its body is read. `key` is the bucket: everyone with the same key shares it. */
export interface Limit {
  /** `tenant:acme/role:app`, safe for logs. */
  readonly key: string
  readonly name: 'requests' | 'in_flight'
  /** Requests per minute, or exchanges in flight. */
  readonly amount: number
  /** Requests that may come at once (GCRA burst tolerance); equals `amount` for `in_flight`. */
  readonly burst: number
}

/** One version of the rules, immutable. Built from config/policies.yaml, config/models.yaml and config/redaction.yaml. */
export interface Policy {
  /** First 16 hex digits of the SHA-256 of the canonical configuration; in metrics, audit and `x-sallyport-policy`. */
  readonly hash: string
  readonly unknownFields: 'refuse' | 'drop'
  /** Limits of a principal, most specific first. Every one must agree. */
  limitsFor(principal: Principal): readonly Limit[]
  /** A role of the principal demands a certificate-bound token (RFC 8705). */
  requiresBinding(principal: Principal): boolean
  /** Public model names that the principal may see, sorted. */
  modelsFor(principal: Principal): readonly string[]
  /** Throws a Refusal when the endpoint is out of scope, whatever the model (checked before the body is read). */
  checkEndpoint(principal: Principal, endpoint: Endpoint): void
  /** Throws a Refusal, or returns the proof that this call may go on. */
  permit(principal: Principal, call: Call): Permit
}
