import { openAuditLog } from '../audit/open.ts'
import type { Clock } from '../clock.ts'
import type { GatewayConfig } from '../config/schema/gateway.ts'
import { BodyBudget } from '../exchange/body-budget.ts'
import { Lives } from '../exchange/life.ts'
import { RefusalRecords } from '../exchange/settle/refusal-records.ts'
import { Pace } from '../quota/pace.ts'
import { Quota } from '../quota/quota.ts'
import { Throttled } from '../quota/throttled.ts'
import { AuditTrail } from './audit-trail.ts'
import { Limits } from './limits.ts'
import { openQuotaStore } from './quota-store.ts'
import type { Telemetry } from './telemetry.ts'
import type { Foundation } from './version.ts'

/** Recorded refusals of one tenant: those of one that floods the gateway must not push out all others. */
const decisionPace = { perSecond: 10, burst: 1_000 }

/** Opens what lives as long as the process: the audit log, the store of limits, and all that is counted in memory. */
export async function openFoundation(
  { audit: { directory, segmentBytesMax }, quota }: GatewayConfig,
  { clock, telemetry }: { readonly clock: Clock; readonly telemetry: Telemetry },
): Promise<Foundation> {
  const { metrics, events } = telemetry
  const log = await openAuditLog({
    directory,
    segmentBytesMax,
    clock,
    onNotice: (notice) => telemetry.auditNotice(notice),
  })
  const audit = new AuditTrail(log, clock, metrics)
  // A folder that stays locked would keep the next start from it.
  const store = await openQuotaStore(quota, { clock, telemetry, audit }).catch(async (error) => {
    await log.close()
    throw error
  })
  return {
    clock,
    lives: new Lives(),
    refusalRecords: new RefusalRecords({ clock, audit }),
    bodies: new BodyBudget(),
    limits: new Limits({ store, clock, events, learn: (names) => telemetry.names.learn('limit', names) }),
    quota: new Quota({ store }),
    throttled: new Throttled({ clock }),
    decisionPace: new Pace({ clock, ...decisionPace }),
    audit,
    metrics,
    events,
    startedAtSeconds: Math.floor(clock.now() / 1000),
  }
}
