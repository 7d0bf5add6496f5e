import type { AuditEvent, AuditLog } from '../../audit/record.ts'
import { Refusal } from '../../refusal.ts'
import type { Trail } from '../trail.ts'
import { recordFindings, recordPlaces } from './count-findings.ts'

interface AuditRules {
  readonly audit: AuditLog
  /** `false`: exchanges go on while the log cannot be written (an operator's explicit choice). */
  readonly auditRequired: boolean
  readonly policy: { readonly hash: string }
}

/**
 * The record without which no model server is called. Waits no longer than the exchange lives: a caller who left or a
 * time that is up frees what the exchange holds, however long the disk takes.
 */
export async function recordAdmission(trail: Trail, rules: AuditRules, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise: ended, reject } = Promise.withResolvers<never>()
  const end = (): void => reject(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  try {
    await Promise.race([rules.audit.append(admissionRecord(trail, rules.policy.hash)), ended])
    trail.recorded()
  } catch (error) {
    signal.throwIfAborted()
    if (rules.auditRequired) throw new Refusal('audit_unavailable', 'append failed', { cause: error })
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** The record of the ending, on every ending but those that refusal-records.ts sums. */
export async function recordEnding(trail: Trail, rules: AuditRules): Promise<void> {
  if (trail.summed) return
  await rules.audit.append(endingRecord(trail, rules.policy.hash))
}

const admissionRecord = (trail: Trail, policyHash: string): AuditEvent => ({
  event: 'exchange.admitted',
  request_id: trail.id,
  time: trail.isoNow,
  policy: policyHash,
  ...caller(trail),
  ...asked(trail),
})

const endingRecord = (trail: Trail, policyHash: string): AuditEvent => ({
  event: 'exchange.ended',
  request_id: trail.id,
  time: trail.isoNow,
  policy: policyHash,
  // An admitted exchange named its caller and its call in the admission record already.
  ...(trail.admissionRecorded ? {} : { ...caller(trail), ...asked(trail) }),
  ...ended(trail),
})

function caller({ principal, certificate }: Trail): Partial<AuditEvent> {
  if (!principal) return certificate === undefined ? {} : { certificate }
  return {
    principal: principal.id,
    tenant: principal.tenant,
    roles: [...principal.roles],
    token_id: principal.tokenId ?? null,
    certificate: principal.certificate.fingerprint,
    spiffe_id: principal.certificate.spiffeId ?? null,
    token_bound: principal.bound,
  }
}

function asked({
  endpoint,
  call,
  permit,
  pool,
  injection,
  promptFound,
  reservation,
}: Trail): Partial<AuditEvent> {
  return {
    endpoint,
    // A name that no permit confirmed is the caller's own text: it stays out of the record.
    ...(permit
      ? { model: permit.model, profile: permit.redactionProfile, granted_by: [...permit.roles] }
      : {}),
    ...(call ? { stream: call.stream, choices: call.choices, dropped_fields: call.dropped.length } : {}),
    ...(reservation
      ? { reserved_input: reservation.inputTokens, reserved_output: reservation.outputTokens }
      : {}),
    ...(pool === undefined ? {} : { pool }),
    prompt_findings: recordFindings('prompt', promptFound),
    ...(promptFound.places.length > 0 ? { prompt_places: recordPlaces(promptFound) } : {}),
    ...(injection.length > 0 ? { injection_signals: [...injection] } : {}),
  }
}

function ended(trail: Trail): Partial<AuditEvent> {
  const { refusal, relayed } = trail
  return {
    outcome: trail.outcome,
    status: trail.status,
    duration_ms: Math.round(trail.elapsedMs),
    ...(refusal ? { code: refusal.code, reason: refusal.detail } : {}),
    // The name of an unknown field is the caller's own text.
    ...(refusal?.param && refusal.code !== 'unknown_parameter' ? { param: refusal.param } : {}),
    ...(trail.target && trail.attempts > 0
      ? { upstream: trail.target.endpoint.origin, attempts: trail.attempts }
      : {}),
    ...(trail.failedAttempts.length > 0
      ? { failed_attempts: trail.failedAttempts.map((failed) => ({ ...failed })) }
      : {}),
    ...(trail.reservation
      ? { input_tokens: trail.charged.inputTokens, output_tokens: trail.charged.outputTokens }
      : {}),
    ...(relayed
      ? {
          usage_reported: relayed.usageReported,
          ...(relayed.outputCut ? { output_cut: true } : {}),
          reply_findings: recordFindings('reply', relayed.found),
          ...(relayed.found.places.length > 0 ? { reply_places: recordPlaces(relayed.found) } : {}),
        }
      : {}),
  }
}
