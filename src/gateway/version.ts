import type { AuditLog } from '../audit/record.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config/load.ts'
import type { Lives } from '../exchange/life.ts'
import type { Gateway } from '../exchange/parts.ts'
import type { Identity } from '../identity/identity.ts'
import { jsonBounds } from '../openai/strict-json.ts'
import { createPolicy } from '../policy/engine.ts'
import type { Quota } from '../quota/quota.ts'
import type { Events } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Pools } from './pools.ts'
import { redactionRules } from './redaction-rules.ts'

/** What lives as long as the process, whatever configuration runs. */
export interface Foundation {
  readonly clock: Clock
  readonly lives: Lives
  readonly quota: Quota
  readonly audit: AuditLog
  readonly metrics: Metrics
  readonly events: Events
  readonly pools: Pools
  readonly startedAtSeconds: number
}

/** 0 in the configuration means never; a timer has no such value. */
const NEVER_MS = 2_147_483_647

/** Configuration -> one immutable version of the gateway. Throws before anything of the old version has changed. */
export function buildVersion(config: Config, identity: Identity, foundation: Foundation): Gateway {
  const { traffic, audit } = config.gateway
  const { policies, models, redaction, hash } = config
  return Object.freeze({
    ...foundation,
    identity,
    policy: createPolicy({ policies, models, redaction, hash }),
    redaction: redactionRules(redaction.profiles),
    upstreams: foundation.pools.build(config),
    auditRequired: audit.onWriteFailure === 'refuse',
    bounds: { ...traffic.bounds, json: { ...jsonBounds, ...traffic.bounds.json } },
    stream: { ...traffic.stream, keepAliveCommentMs: traffic.stream.keepAliveCommentMs || NEVER_MS },
  })
}
