import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { startRedis } from '../../support/redis-server.ts'
import { storeContract } from '../store-contract.ts'
import { openRedis } from './open-redis.ts'

const server = await startRedis()
t.teardown(() => server.stop())
let subjects = 0

storeContract('redis', async () => {
  subjects += 1
  const store = await openRedis(server, { keyPrefix: `s${subjects}:` })
  return { store, exactTime: false, elapse: (ms) => delay(ms), close: () => store.close() }
})
