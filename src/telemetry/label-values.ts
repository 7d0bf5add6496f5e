/** The closed sets of values that labels have (docs/reference/metrics.md). */
import type { AuditEvent } from '../audit/record.ts'
import type { Endpoint } from '../openai/call.ts'
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
export const auditEvents = [
  'exchange.admitted',
  'exchange.ended',
  'gateway.started',
  'gateway.stopped',
  'config.reloaded',
  'log.recovered',
  'caller.refused_often',
] as const satisfies readonly AuditEvent['event'][]
