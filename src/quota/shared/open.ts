import type { RedisStoreOptions } from './options.ts'
import { RedisStore } from './store.ts'

/** Opens the store that gateways share. Resolves also when Redis is away: `health` and the observer say so. */
export async function openRedisStore(options: RedisStoreOptions): Promise<RedisStore> {
  const store = new RedisStore(options)
  await store.start()
  return store
}
