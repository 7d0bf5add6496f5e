import type { RedisObserver, RedisStoreOptions, RedisTiming } from '../../../src/quota/shared/options.ts'
import type { RedisStore } from '../../../src/quota/shared/store.ts'
import { holds } from '../../support/holds.ts'
import { limitOf } from '../simulated-limit.ts'
import { openRedis } from './open-redis.ts'

export interface Observed {
  readonly store: RedisStore
  readonly told: {
    readonly away: string[]
    readonly back: number[]
    readonly settled: number[]
    readonly repaired: string[]
  }
}

/** A member of some standing within a tenth of a second; probes and leases are as quick. */
export const quick: Partial<RedisTiming> = { heartbeatMs: 30, memberMs: 2_000, probeMsMax: 200 }

/** A store with a deadline that a busy machine keeps, and what it told. Waits until it has a part of its own. */
export async function observed(
  server: { readonly address: string },
  options: Partial<RedisStoreOptions> = {},
): Promise<Observed> {
  const told: Observed['told'] = { away: [], back: [], settled: [], repaired: [] }
  const observer: RedisObserver = {
    answered: () => {},
    away: (cause) => void told.away.push(cause),
    back: (awayMs, settled) => {
      told.back.push(awayMs)
      told.settled.push(settled)
    },
    repaired: (key) => void told.repaired.push(key),
  }
  const store = await openRedis(server, { deadlineMs: 250, observer, timing: quick, ...options })
  return { store, told }
}

/** Until this replica has a part: two heartbeats after the one that made it a member. */
export const settledIn = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 150))

export const isBack = ({ store }: Observed): Promise<void> => holds(() => store.health.available)

export const hourly = limitOf({ name: 'hourly', per: 'hour', amount: 10, burst: 7 })
export const closed = limitOf({ name: 'closed', per: 'hour', amount: 10, burst: 7, onStoreFailure: 'closed' })
export const open = limitOf({ name: 'open', per: 'hour', amount: 10, burst: 7, onStoreFailure: 'open' })
export const daily = limitOf({ name: 'daily', counts: 'total_tokens', per: 'day', amount: 1_000 })
export const slot = limitOf({ name: 'slots', counts: 'in_flight', amount: 3 })
