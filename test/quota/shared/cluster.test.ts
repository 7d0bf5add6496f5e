// Three masters: the same contract, with all keys of an exchange on one node; and a node that goes away.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { holds } from '../../support/holds.ts'
import { command, startCluster } from '../../support/redis-setups.ts'
import { limitOf } from '../simulated-limit.ts'
import { storeContract } from '../store-contract.ts'
import { ask, correct, crowd, passed, usedOf } from '../store-subject.ts'
import { isBack, observed, settledIn } from './observed.ts'
import { openRedis } from './open-redis.ts'

const cluster = await startCluster()
t.teardown(() => cluster.stop())
const shared = { mode: 'cluster', addresses: cluster.addresses } as const
const first = { address: cluster.addresses[0] as string }
let subjects = 0

storeContract('cluster', async () => {
  subjects += 1
  const store = await openRedis(first, { ...shared, keyPrefix: `s${subjects}:` })
  return { store, exactTime: false, elapse: (ms) => delay(ms), close: () => store.close() }
})

const ofTenant = (tenant: string) =>
  limitOf({
    name: 'it',
    per: 'hour',
    amount: 10,
    burst: 4,
    shard: tenant,
    key: `it|requests/hour|tenant=${tenant}`,
  })
const tenants = Array.from({ length: 24 }, (_, n) => `t${n}}{`)

t.test('tenants are spread over all masters, each with everything of its own', async (t) => {
  const { store } = await observed(first, { ...shared, keyPrefix: 'spread:' })
  t.teardown(() => store.close())
  const limits = tenants.map(ofTenant)
  const all = await Promise.all(
    limits.map((limit, n) =>
      crowd(store, 10, [ask(limit), ask({ ...limit, key: `${limit.key}/2` })], `t${n}`),
    ),
  )
  t.same(
    all.map(passed),
    tenants.map(() => 4),
  )
  for (const { port } of cluster.servers) t.ok(Number(await command(port, ['DBSIZE'])) > 10)
  const keys = new Set<string>()
  let [cursor, pages] = ['', 0]
  do {
    const page = await store.keys('it|', cursor, 7)
    t.ok(page.keys.length <= 7)
    for (const key of page.keys) keys.add(key)
    cursor = page.cursor
    pages += 1
  } while (cursor !== '')
  t.equal(keys.size, 48)
  t.ok(pages >= 7)
  t.equal((await store.peek(limits)).length, 24)
  await t.rejects(store.admit('mixed', [ask(limits[0] as never), ask(limits[1] as never)]), {
    name: 'TypeError',
  })
})

t.test('a master that is killed: its part goes by shares, and comes back with it', async (t) => {
  const made = await observed(first, { ...shared, keyPrefix: 'node:', deadlineMs: 500 })
  const { store, told } = made
  t.teardown(() => store.close())
  await settledIn()
  await cluster.servers[1]?.kill()
  const limits = tenants.map(ofTenant)
  const decisions = await Promise.all(limits.map((limit, n) => store.admit(`e${n}`, [ask(limit)])))
  t.equal(passed(decisions), 24, 'everybody is served')
  t.equal(told.away.length, 1)
  t.ok(decisions.some(({ by }) => by === 'lease'))
  await cluster.servers[1]?.restart()
  const slots = (await command(cluster.servers[0]?.port as number, ['CLUSTER', 'SLOTS'])) as unknown[]
  t.ok(slots.length >= 2)
  const { port } = cluster.servers[1] as { port: number }
  await rejoin(port)
  await isBack(made)
  await Promise.all(limits.map((limit, n) => store.settle(`e${n}`, [correct(limit, 1, 1)])))
  const used = await Promise.all(limits.map((limit) => usedOf(store, limit)))
  t.same(
    used,
    tenants.map(() => 1),
    'each is charged once, whoever let it pass',
  )
})

/** A node that lost its memory has lost its slots with it, unless it kept `nodes.conf`. */
async function rejoin(port: number): Promise<void> {
  await holds(async () => String(await command(port, ['CLUSTER', 'INFO'])).includes('cluster_state:ok'))
}
