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

function countDecisions({ refusal, limits }: Trail, metrics: Metrics): void {
  for (const { limit } of limits) metrics.limitDecided(limit.name, 'allow')
  if (refusal === undefined) return
  if (refusal.code === 'rate_limit_exceeded') metrics.limitDecided('requests', 'deny')
  if (refusal.code === 'concurrency_limit_exceeded') metrics.limitDecided('in_flight', 'deny')
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
  return Math.max(0, firstByteMs - phases.upstream - (phases.read ?? 0))
}
