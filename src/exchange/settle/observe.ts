import { LimitRefusal } from '../../quota/limit-refusal.ts'
import type { RefusalCode } from '../../refusal.ts'
import type { Events, ExchangeIdentity } from '../../telemetry/events.ts'
import type { ExchangeSummary } from '../../telemetry/exchange-summary.ts'
import type { AuthStage, Metrics } from '../../telemetry/metrics.ts'
import type { Trail } from '../trail.ts'
import { countFindings } from './count-findings.ts'

interface Observers {
  readonly metrics: Metrics
  readonly events: Events
  readonly policy: { readonly hash: string }
}

/** Trail -> metrics and one log line. */
export function observe(trail: Trail, { metrics, events, policy }: Observers): void {
  const summary = summarize(trail)
  trail.metered.ended(summary)
  countDecisions(trail, metrics)
  countTokens(trail, metrics)
  countAuthFailure(trail, metrics)
  if (!trail.summed) events.exchangeEnded(summary, identify(trail, policy.hash))
  if (trail.failure !== undefined) events.failure(trail.failure, trail.id)
}

const authStageByCode: Partial<Record<RefusalCode, AuthStage>> = {
  invalid_certificate: 'mtls',
  certificate_expired: 'mtls',
  missing_token: 'jwt',
  invalid_token: 'jwt',
  token_revoked: 'jwt',
  keys_unavailable: 'jwt',
  insufficient_scope: 'scope',
  model_not_found: 'scope',
}

/** Details that are a reason on their own; the others are a sentence for the log. */
const machineCode = /^[a-z0-9_]+$/

const bindingReasons = new Set(['binding_required', 'wrong_certificate', 'not_bound'])

function countDecisions({ refusal, decision }: Trail, metrics: Metrics): void {
  const shadowed = new Set(decision?.shadowed.map(({ state }) => state.limit.key))
  for (const { limit } of decision?.states ?? []) {
    metrics.limitDecided(limit.counts, shadowed.has(limit.key) ? 'shadow' : 'allow')
    if (shadowed.has(limit.key)) metrics.limitRefused(limit.name, 'shadow')
  }
  if (!(refusal instanceof LimitRefusal)) return
  const { limit } = refusal.verdict.state
  metrics.limitDecided(limit.counts, 'deny')
  metrics.limitRefused(limit.name, 'enforce')
}

function countTokens(trail: Trail, metrics: Metrics): void {
  const { reservation, permit } = trail
  if (reservation === undefined || permit === undefined) return
  const used = trail.charged
  metrics.tokensSettled(
    permit.model,
    reservation.inputTokens + reservation.outputTokens,
    used.inputTokens + used.outputTokens,
  )
}

function countAuthFailure({ refusal }: Trail, metrics: Metrics): void {
  if (refusal === undefined) return
  const stage = bindingReasons.has(refusal.detail) ? 'binding' : authStageByCode[refusal.code]
  if (stage) metrics.authFailed(stage, machineCode.test(refusal.detail) ? refusal.detail : refusal.code)
}

const identify = (trail: Trail, policy: string): ExchangeIdentity => ({
  requestId: trail.id,
  principal: trail.principal?.id,
  tenant: trail.principal?.tenant,
  remoteAddress: trail.remoteAddress,
  upstream: trail.target?.endpoint.origin,
  attempts: trail.attempts > 0 ? trail.attempts : undefined,
  policy,
  detail: trail.refusal?.detail,
})

/** What metrics and the log line are told. No text of the caller or the model is in it. */
function summarize(trail: Trail): ExchangeSummary {
  const { relayed, phases } = trail
  return {
    endpoint: trail.endpoint,
    method: trail.method,
    model: trail.permit?.model,
    status: trail.status,
    outcome: trail.outcome,
    refusal: trail.refusal?.code,
    durationMs: trail.elapsedMs,
    overheadMs: overheadMs(trail),
    firstTokenMs: trail.firstTokenMs,
    usage: relayed?.usage,
    gaps: relayed?.gaps,
    findings: [...countFindings('prompt', trail.promptFound), ...countFindings('reply', relayed?.found)],
    injection: trail.injection,
    pseudonyms: relayed?.pseudonyms,
    scanPromptMs: phases.screen,
    scanReplyMs: relayed?.scanMs,
    heldCharsMax: relayed?.heldCharsMax,
  }
}

/** What the gateway itself added before the first byte of the reply: neither the body's arrival nor the model server's wait. */
function overheadMs({ phases, firstByteMs }: Trail): number | undefined {
  if (firstByteMs === undefined || phases.upstream === undefined) return undefined
  return Math.max(0, firstByteMs - phases.upstream - (phases.queue ?? 0) - (phases.read ?? 0))
}
