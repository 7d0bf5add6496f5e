/** The closed sets of values that labels have (docs/reference/metrics.md). */
import type { AuditEvent } from '../audit/record.ts'
import type { Endpoint } from '../openai/call.ts'
import type { OperationId } from '../ops/operations.ts'
import type { Counted, LimitMode } from '../policy/limit.ts'
import type { Priority } from '../policy/priority.ts'
import type { Action, Direction } from '../redaction/finding.ts'
import type { InjectionKind } from '../redaction/injection/signal.ts'
import { refusals } from '../refusal.ts'

export const endpointLabels = [
  'chat.completions',
  'completions',
  'embeddings',
  'models',
  'unmatched',
] as const satisfies readonly (Endpoint | 'unmatched')[]
export const methods = ['GET', 'POST'] as const
export const ownStatuses = [...new Set(Object.values(refusals).map((row) => String(row.status))), '200']
export const upstreamStatuses = [
  '200',
  '400',
  '401',
  '403',
  '404',
  '408',
  '413',
  '422',
  '424',
  '429',
  '500',
  '501',
  '502',
  '503',
  '504',
]
export const refusalCodes = Object.keys(refusals)

export const authStages = ['mtls', 'jwt', 'binding', 'scope'] as const
export const tlsReasons = [
  'no_certificate',
  'untrusted',
  'expired',
  'revoked',
  'not_yet_valid',
  'purpose',
  'protocol',
  'timeout',
  'reset',
] as const
/** Why bytes on a connection were not an HTTP request that can be answered by the path. */
export const parserReasons = ['too_large', 'timeout', 'reset', 'framing', 'syntax'] as const
export const certificateRoles = [
  'traffic',
  'traffic_ca',
  'traffic_crl',
  'ops',
  'ops_ca',
  'upstream',
  'upstream_ca',
] as const

/** What a limit counts (`counted` of src/policy/limit.ts). */
export const limitCounts = [
  'requests',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cost',
  'in_flight',
] as const satisfies readonly Counted[]
/** `shadow`: a limit in shadow mode would have refused. */
export const limitDecisions = ['allow', 'deny', 'shadow'] as const
export const limitModes = ['enforce', 'shadow'] as const satisfies readonly LimitMode[]

/** Why an exchange did not get its turn at a full pool (`QueueRefusal` of src/upstream/queue/fair-queue.ts). */
export const queueRefusals = ['queue_full', 'tenant_queue_full', 'displaced', 'hopeless', 'deadline'] as const
/** Why a call was sent again. */
export const retryReasons = ['reused_connection', 'next_attempt', 'hedge'] as const
/** States of a server (`HealthState` of src/upstream/health). */
export const endpointStates = ['healthy', 'ejected', 'probation'] as const
/** Why a server was left out (those of `HealthReason` that end so). */
export const healthReasons = ['calls_failed', 'probes_failed', 'probation_failed'] as const
export const probeVerdicts = ['alive', 'down', 'undecided'] as const
export const loadReports = ['ok', 'failed', 'absent'] as const
/** How the lookup of a pool's servers went (`Reading` of src/upstream/discovery). */
export const lookups = ['ok', 'partial', 'empty', 'failed'] as const
export const priorities = ['interactive', 'batch'] as const satisfies readonly Priority[]

export const directions = ['prompt', 'reply'] as const satisfies readonly Direction[]
export const actions = [
  'mask',
  'partial',
  'pseudonymize',
  'hash',
  'block',
  'shadow',
  'allow',
] as const satisfies readonly Action[]
export const injectionKinds = [
  'invisible_text',
  'template_tokens',
  'exfiltration_link',
  'known_phrasing',
  'encoded_payload',
] as const satisfies readonly InjectionKind[]
/** Operations of the admin API; `unmatched`: what was refused before one was found. */
export const opsOperations = [
  'listQuotas',
  'listPools',
  'getQuota',
  'putQuota',
  'patchQuota',
  'deleteQuota',
  'listOverrides',
  'createOverride',
  'deleteOverride',
  'getUsage',
  'resetBucket',
  'explain',
  'getDecision',
  'getOpenApi',
  'unmatched',
] as const satisfies readonly (OperationId | 'unmatched')[]
export const auditEvents = [
  'exchange.admitted',
  'exchange.ended',
  'gateway.started',
  'gateway.stopped',
  'config.reloaded',
  'log.recovered',
  'caller.refused_often',
  'quota.changed',
  'quota.deleted',
  'override.created',
  'override.deleted',
  'bucket.reset',
] as const satisfies readonly AuditEvent['event'][]
