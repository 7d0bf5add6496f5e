import { systemClock } from '../../../src/clock.ts'
import { openRedisStore } from '../../../src/quota/shared/open.ts'
import type { RedisStoreOptions } from '../../../src/quota/shared/options.ts'
import type { RedisStore } from '../../../src/quota/shared/store.ts'

let replicas = 0

/** A store of one more gateway. Waits as long as a busy machine needs, unless the test is about waiting. */
export function openRedis(
  server: { readonly address: string },
  options: Partial<RedisStoreOptions> = {},
): Promise<RedisStore> {
  replicas += 1
  return openRedisStore({
    mode: 'standalone',
    addresses: [server.address],
    keyPrefix: 'test:',
    deadlineMs: 10_000,
    replicaId: `replica-${replicas}`,
    clock: systemClock,
    observer: { answered() {}, away() {}, back() {}, repaired() {} },
    ...options,
  })
}
