import { openAuditLog } from '../audit/open.ts'
import type { Clock } from '../clock.ts'
import type { GatewayConfig } from '../config/schema/gateway.ts'
import { BodyBudget } from '../exchange/body-budget.ts'
import { EventLoopLoad } from '../exchange/event-loop-load.ts'
import { openEventLoopMeter } from '../exchange/event-loop-meter.ts'
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
import type { WorkerPlace } from './worker-part.ts'

/** Recorded refusals of one tenant: those of one that floods the gateway must not push out all others. */
const decisionPace = { perSecond: 10, burst: 1_000 }

interface Surroundings {
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** This process is one of several that serve together. */
  readonly worker?: WorkerPlace | undefined
}

/** Opens what lives as long as the process: the audit log, the store of limits, and all that is counted in memory. */
export async function openFoundation(
  { audit: { directory, segmentBytesMax }, quota, overload }: GatewayConfig,
  { clock, telemetry, worker }: Surroundings,
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
  const store = await openQuotaStore(quota, { clock, telemetry, audit, worker }).catch(async (error) => {
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
    overload: eventLoopLoad(overload, clock),
    audit,
    metrics,
    events,
    startedAtSeconds: Math.floor(clock.now() / 1000),
  }
}

/** A process that is told to bear any delay turns nobody away for being busy either. */
const eventLoopLoad = (
  { delayMsMax, busyPercentMax }: GatewayConfig['overload'],
  clock: Clock,
): EventLoopLoad =>
  new EventLoopLoad({
    ...{ meter: openEventLoopMeter(), clock, random: Math.random },
    bounds:
      delayMsMax === 0
        ? { delayMsMax: Number.POSITIVE_INFINITY, utilizationMax: Number.POSITIVE_INFINITY }
        : { delayMsMax, utilizationMax: busyPercentMax / 100 },
  })
