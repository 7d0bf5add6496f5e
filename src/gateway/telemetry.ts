import type { AuditNotice } from '../audit/log.ts'
import type { Config } from '../config/load.ts'
import { peerFaults } from '../identity/peer-rules.ts'
import { tokenReasons } from '../identity/token-refusal.ts'
import { lookAlike } from '../redaction/replacement/look-alike.ts'
import { entities } from '../redaction/rule-set.ts'
import { refusals } from '../refusal.ts'
import { createEvents, type Events } from '../telemetry/events.ts'
import { KnownNames } from '../telemetry/known-names.ts'
import { createLog, type LogLevel, type LogOptions } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { otherEntity } from '../upstream/recognizer/analyzer-reply.ts'

/** Log, metrics, and the names that both may show. */
export interface Telemetry {
  readonly names: KnownNames
  readonly metrics: Metrics
  readonly events: Events
  setLevel(level: LogLevel): void
  auditNotice(notice: AuditNotice): void
  /** Writes out what is still buffered. */
  close(): Promise<void>
}

export function createTelemetry(
  version: string,
  options: Pick<LogOptions, 'level' | 'format' | 'stream' | 'worker'>,
): Telemetry {
  const names = new KnownNames()
  names.learn('entity', [...entities, lookAlike.entity])
  names.learn('reason', [...tokenReasons, ...peerFaults, ...otherReasons])
  const metrics = new Metrics(names, { version, node: process.versions.node })
  const log = createLog({ ...options, onDrop: (lines) => metrics.logLinesDropped(lines) })
  const events = createEvents(log, names)
  return {
    names,
    metrics,
    events,
    setLevel: (level) => log.setLevel(level),
    auditNotice: (notice) => tellOfAudit(notice, events, metrics),
    close: () => log.close(),
  }
}

function tellOfAudit(notice: AuditNotice, events: Events, metrics: Metrics): void {
  if (notice.kind === 'write_failed') {
    metrics.auditWriteFailed()
    events.auditUnhealthy(notice.cause)
  } else if (notice.kind === 'write_recovered') events.auditRecovered(notice.seq)
}

/** Reasons that stand beside those of tokens and certificates. */
const otherReasons = [
  'no_authorization',
  'no_keys',
  'binding_required',
  'revoked_token',
  'revoked_subject',
  'revoked_certificate',
  ...Object.keys(refusals),
]

/** Names that configuration made known may become labels and stand in log lines. */
export function learnNames({ names }: Telemetry, { models, gateway, redaction }: Config): void {
  names.learn('model', Object.keys(models.models))
  names.learn('pool', Object.keys(models.pools))
  names.learn(
    'issuer',
    gateway.identity.issuers.map(({ name }) => name),
  )
  names.learn('entity', namedEntities(redaction))
}

/** Labels that are not of the catalog: those of custom recognizers, of deny lists and of a recognizer service. */
const namedEntities = ({ profiles, recognizers = {}, recognizerService }: Config['redaction']): string[] => [
  ...(recognizerService === undefined ? [] : [...recognizerService.entities, otherEntity]),
  ...Object.values(recognizers).map(({ entity }) => entity),
  ...Object.values(profiles).flatMap(({ denied = [] }) => denied.map(({ label }) => label)),
]
