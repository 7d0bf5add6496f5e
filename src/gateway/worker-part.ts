import { chainFolder } from '../audit/chain-folders.ts'
import type { Config } from '../config/load.ts'
import type { GatewayConfig } from '../config/schema/gateway.ts'
import type { PrimaryProcess } from '../workers/cluster.ts'
import { asStarted } from './restart.ts'

/** What the primary process read, which all its workers go by. */
export interface WorkerSettings {
  readonly gateway: GatewayConfig
}

/** The place of this process among the workers of one gateway. */
export type WorkerPlace = PrimaryProcess<WorkerSettings>

/**
 * A configuration as one worker has it: what is read once is as the primary read it, the audit log is in a folder of its
 * own, and bounds on what all workers share are divided, in whole numbers of at least 1. Without a place: as it is.
 */
export function workerPart(config: Config, place: WorkerPlace | undefined): Config {
  if (place === undefined) return config
  const { index, count, settings } = place
  const { gateway, ...rest } = asStarted(settings, config)
  const { audit, traffic } = gateway
  const { connectionsMax, bodiesBytesMax } = traffic.bounds
  const bounds = {
    ...traffic.bounds,
    connectionsMax: partOf(connectionsMax, count),
    bodiesBytesMax: partOf(bodiesBytesMax, count),
  }
  return {
    ...rest,
    models: modelsPart(rest.models, count),
    gateway: {
      ...gateway,
      audit: { ...audit, directory: chainFolder(audit.directory, index) },
      traffic: { ...traffic, bounds },
    },
  }
}

/** The model servers are those of all workers. Nobody waits where nobody was to wait. */
function modelsPart(models: Config['models'], count: number): Config['models'] {
  const pools = Object.entries(models.pools).map(([name, pool]) => {
    const { waitingMax, waitingPerTenantMax } = pool.queue
    const queue = {
      ...pool.queue,
      waitingMax: waitingMax === 0 ? 0 : partOf(waitingMax, count),
      waitingPerTenantMax: partOf(waitingPerTenantMax, count),
    }
    return [name, { ...pool, connectionsMax: partOf(pool.connectionsMax, count), queue }] as const
  })
  return { ...models, pools: Object.fromEntries(pools) }
}

const partOf = (whole: number, count: number): number => Math.max(1, Math.floor(whole / count))
