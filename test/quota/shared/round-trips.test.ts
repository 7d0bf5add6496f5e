// What one exchange costs Redis, by its own statistics of commands.
import t from 'tap'
import type { Limit } from '../../../src/policy/limit.ts'
import { startRedis } from '../../support/redis-server.ts'
import { command } from '../../support/redis-setups.ts'
import { limitOf } from '../simulated-limit.ts'
import { ask, correct } from '../store-subject.ts'
import { openRedis } from './open-redis.ts'

const server = await startRedis()
t.teardown(() => server.stop())

const six: readonly Limit[] = [
  limitOf({ name: 'rpm', amount: 10_000 }),
  limitOf({ name: 'tpm', counts: 'total_tokens', amount: 10_000_000 }),
  limitOf({ name: 'output', counts: 'output_tokens', per: 'hour', amount: 10_000_000 }),
  limitOf({ name: 'budget', counts: 'cost', per: 'month', amount: 10_000_000_000 }),
  limitOf({ name: 'daily', counts: 'total_tokens', per: 'day', amount: 10_000_000 }),
  limitOf({ name: 'slots', counts: 'in_flight', amount: 1_000 }),
]

async function calls(): Promise<ReadonlyMap<string, number>> {
  const text = String(await command(server.port, ['INFO', 'commandstats']))
  const found = text.matchAll(/^cmdstat_([a-z|]+):calls=(\d+)/gm)
  return new Map([...found].map(([, name, count]) => [name as string, Number(count)]))
}

t.test('one call for an admission, one for a settlement, whatever the number of limits', async (t) => {
  const timing = { heartbeatMs: 60_000, leaseMs: 600_000 }
  const store = await openRedis(server, { timing })
  t.teardown(() => store.close())
  await store.admit(
    'first',
    six.map((limit) => ask(limit)),
  )
  await store.settle(
    'first',
    six.map((limit) => correct(limit, 1, 1)),
  )
  await command(server.port, ['CONFIG', 'RESETSTAT'])
  for (let n = 0; n < 50; n += 1) {
    const { by } = await store.admit(
      `e${n}`,
      six.map((limit) => ask(limit, limit.counts === 'in_flight' ? 1 : 3)),
    )
    t.equal(by, 'store')
    await store.settle(
      `e${n}`,
      six.map((limit) => correct(limit, 3, 2)),
    )
  }
  const stats = await calls()
  t.equal(stats.get('evalsha'), 100)
  t.notOk(stats.has('eval') || stats.has('script|load'))
})

t.test('everything that is kept is bounded or ends by itself', async (t) => {
  const names = (await command(server.port, ['KEYS', 'test:*'])) as readonly string[]
  t.ok(names.length > 50)
  for (const name of names) {
    const ttl = Number(await command(server.port, ['PTTL', name]))
    t.ok(ttl > 0 || /\{gateways\}:(?:documents|changes)$/.test(name), `${name} ${ttl}`)
  }
})
