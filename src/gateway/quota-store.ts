import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { lockDirectory } from '../audit/lock.ts'
import type { AuditLog } from '../audit/record.ts'
import type { Clock } from '../clock.ts'
import type { QuotaConfig } from '../config/schema/quota.ts'
import { openEmbeddedStore } from '../quota/embedded/open.ts'
import { RemoteStore } from '../quota/remote/store.ts'
import type { RedisObserver } from '../quota/shared/options.ts'
import type { QuotaStore } from '../quota/store.ts'
import type { Telemetry } from './telemetry.ts'
import { readApiKey, readUpstreamTls } from './upstream-files.ts'
import type { WorkerPlace } from './worker-part.ts'

interface Surroundings {
  readonly clock: Clock
  readonly telemetry: Pick<Telemetry, 'metrics' | 'events'>
  readonly audit: Pick<AuditLog, 'append'>
  /** This process is one of several that serve together. */
  readonly worker?: WorkerPlace | undefined
}

/** The store that the configuration names: Redis, a folder of this gateway, or the memory of the process or its primary. */
export async function openQuotaStore(quota: QuotaConfig, surroundings: Surroundings): Promise<QuotaStore> {
  const { worker } = surroundings
  if (quota.redis !== undefined) return openShared(quota.redis, surroundings)
  return worker === undefined ? openOwnStore(quota, surroundings) : openRemote(worker, surroundings)
}

/** The store of one process. */
export async function openOwnStore(
  { directory }: Pick<QuotaConfig, 'directory'>,
  { clock }: Pick<Surroundings, 'clock'>,
): Promise<QuotaStore> {
  if (directory === undefined) return openEmbeddedStore({ clock })
  const { release } = await lockDirectory(directory, 'quota')
  try {
    return await openEmbeddedStore({ clock, directory, release })
  } catch (error) {
    await release()
    throw error
  }
}

/** The store of the primary process. */
function openRemote({ peer }: WorkerPlace, { clock, telemetry }: Surroundings): QuotaStore {
  const { metrics, events } = telemetry
  return new RemoteStore({
    line: peer,
    clock,
    observer: {
      away: () => {
        metrics.quotaStoreAway('timeout')
        events.quotaStoreAway('timeout', new Error('the primary process does not answer'))
      },
      back: (awayMs) => events.quotaStoreBack(awayMs),
    },
  })
}

async function openShared(
  { tls, passwordFile, masterName, username, ...redis }: NonNullable<QuotaConfig['redis']>,
  surroundings: Surroundings,
): Promise<QuotaStore> {
  // The client of Redis is loaded where there is one: a tenth of a second of the start.
  const { openRedisStore } = await import('../quota/shared/open.ts')
  const { clock } = surroundings
  const files = readUpstreamTls(tls, clock.now())
  const password = passwordFile === undefined ? undefined : readApiKey(passwordFile)
  return openRedisStore({
    ...redis,
    ...(files === undefined ? {} : { tls: files }),
    ...(masterName === undefined ? {} : { masterName }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: () => password.reveal() }),
    replicaId: `${hostname()}/${randomUUID()}`,
    clock,
    observer: observerOf(surroundings),
  })
}

/** What the store tells goes into metrics, the log, and the audit log: from then until then limits were kept in shares. */
function observerOf({ telemetry: { metrics, events }, audit, clock }: Surroundings): RedisObserver {
  const record = (
    event: 'quota.store_away' | 'quota.store_back',
    fields: Readonly<Record<string, number>> = {},
  ): void =>
    // A log that cannot be written says so itself.
    void audit.append({ event, time: new Date(clock.now()).toISOString(), ...fields }).catch(() => {})
  return {
    answered: (ms) => metrics.quotaStoreAnswered(ms),
    away: (cause, error) => {
      metrics.quotaStoreAway(cause)
      events.quotaStoreAway(cause, error)
      record('quota.store_away')
    },
    back: (awayMs) => {
      events.quotaStoreBack(awayMs)
      record('quota.store_back', { away_ms: Math.round(awayMs) })
    },
    repaired: (key) => events.quotaKeyRepaired(key),
  }
}
