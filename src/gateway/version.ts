import type { AuditLog } from '../audit/record.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config/load.ts'
import type { BodyBudget } from '../exchange/body-budget.ts'
import type { EventLoopLoad } from '../exchange/event-loop-load.ts'
import type { Lives } from '../exchange/life.ts'
import type { Gateway } from '../exchange/parts.ts'
import type { RefusalRecords } from '../exchange/settle/refusal-records.ts'
import type { Identity } from '../identity/identity.ts'
import { jsonBounds } from '../openai/strict-json.ts'
import { createPolicy } from '../policy/engine.ts'
import type { Pace } from '../quota/pace.ts'
import type { Quota } from '../quota/quota.ts'
import type { Throttled } from '../quota/throttled.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Limits } from './limits.ts'
import { readPseudonymKey } from './pseudonym-key.ts'
import { redactionRules } from './redaction-rules.ts'

/** What lives as long as the process, whatever configuration runs. */
export interface Foundation {
  readonly clock: Clock
  readonly lives: Lives
  readonly refusalRecords: RefusalRecords
  readonly bodies: BodyBudget
  readonly limits: Limits
  readonly quota: Quota
  readonly throttled: Throttled
  readonly decisionPace: Pace
  readonly overload: EventLoopLoad
  readonly audit: AuditLog
  readonly metrics: Metrics
  readonly events: Events
  readonly startedAtSeconds: number
}

/** 0 in the configuration means never; a timer has no such value. */
const NEVER_MS = 2_147_483_647

type Prepared = Pick<Gateway, 'upstreams' | 'analyzer'> & { readonly identity: Identity }

/** Configuration -> one immutable version of the gateway. Changes nothing of the version that runs. */
export function buildVersion(config: Config, prepared: Prepared, foundation: Foundation): Gateway {
  const { traffic, audit } = config.gateway
  const { policies, models, redaction, hash } = config
  const keyFile = redaction.pseudonyms?.keyFile
  return Object.freeze({
    ...foundation,
    ...prepared,
    policy: createPolicy({ policies, models, redaction, hash }),
    redaction: redactionRules(redaction, keyFile === undefined ? undefined : readPseudonymKey(keyFile)),
    auditRequired: audit.onWriteFailure === 'refuse',
    bounds: { ...traffic.bounds, json: { ...jsonBounds, ...traffic.bounds.json } },
    stream: { ...traffic.stream, keepAliveCommentMs: traffic.stream.keepAliveCommentMs || NEVER_MS },
  })
}
