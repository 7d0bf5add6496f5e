// How limits that several replicas share slip in other gateways, by their own issue trackers. Real stores on a real Redis.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import type { Limit } from '../../src/policy/limit.ts'
import { heartbeatMs } from '../../src/quota/shared/members.ts'
import { openRedisStore } from '../../src/quota/shared/open.ts'
import type { QuotaStore } from '../../src/quota/store.ts'
import { limitOf } from '../quota/simulated-limit.ts'
import { ask, correct, crowd, passed, usedOf } from '../quota/store-subject.ts'
import { startMetered } from '../support/metered.ts'
import { startRedis } from '../support/redis-server.ts'
import { until } from '../support/stack.ts'

const redis = await startRedis()
t.teardown(() => redis.stop())
const prefix = `peers:${randomUUID()}:`
const silent = { answered: () => {}, away: () => {}, back: () => {}, repaired: () => {} }
const open = new Set<QuotaStore>()
t.teardown(() => Promise.all([...open].map((store) => store.close())))

/** A machine that is busy with other tests is no outage: the deadline is short only where a test is about it. */
async function replica(deadlineMs = 5_000): Promise<QuotaStore> {
  const store = await openRedisStore({
    mode: 'standalone',
    addresses: [redis.address],
    keyPrefix: prefix,
    deadlineMs,
    replicaId: randomUUID(),
    clock: systemClock,
    observer: silent,
  })
  open.add(store)
  return store
}
async function end(store: QuotaStore): Promise<void> {
  open.delete(store)
  await store.close()
}

/** Does not move while a test runs. */
const budget = (name: string, amount: number): Limit =>
  limitOf({ name, counts: 'total_tokens', per: 'month', amount })

t.test('three replicas let pass three times the budget (LiteLLM 24682, 26672, 34732)', async (t) => {
  const stores = await Promise.all([replica(), replica(), replica()])
  const limit = budget('thrice', 60)
  const decisions = await Promise.all(
    stores.map((store, number) => crowd(store, 40, [ask(limit)], `replica-${number}`)),
  )
  t.equal(passed(decisions.flat()), 60, 'as many as of one')
  for (const store of stores) t.equal(await usedOf(store, limit), 60, 'and all know it')
  t.ok(decisions.flat().every(({ by }) => by === 'store'))
  await Promise.all(stores.map(end))
})

t.test('a settlement that is sent again counts again (LiteLLM 33325)', async (t) => {
  const [one, other] = [await replica(), await replica()]
  const limit = budget('again', 1_000)
  await one.admit('x1', [ask(limit, 400)])
  const truth = [correct(limit, 400, 150)]
  await Promise.all([one.settle('x1', truth), one.settle('x1', truth), other.settle('x1', truth)])
  await one.settle('x1', truth)
  t.equal(await usedOf(other, limit), 150)
  await Promise.all([one, other].map(end))
})

t.test('a replica that starts anew counts what was used once more (LiteLLM 28247, 30460)', async (t) => {
  const limit = budget('anew', 100)
  for (let generation = 0; generation < 4; generation++) {
    const store = await replica()
    t.equal(await usedOf(store, limit), generation * 10)
    await store.admit(`g${generation}`, [ask(limit, 30)])
    await store.settle(`g${generation}`, [correct(limit, 30, 10)])
    await end(store)
  }
  const last = await replica()
  t.equal((await last.admit('rest', [ask(limit, 60)])).allowed, true, 'no false refusal')
  t.equal((await last.admit('more', [ask(limit, 1)])).allowed, false)
  await end(last)
})

t.test('a Redis that is paused hangs every request (LiteLLM 35273, 40620)', async (t) => {
  const [one, other] = [await replica(50), await replica(50)]
  // A gateway has a share when all others have heard of it: after its third heartbeat.
  await systemClock.sleep(3 * heartbeatMs)
  const limit = budget('paused', 4_000)
  await one.admit('before', [ask(limit, 100)])
  redis.pause()
  // All of these are answered while Redis is still paused: nothing here waits for `resume`.
  const ids = Array.from({ length: 50 }, (_, number) => `paused-${number}`)
  const decisions = await Promise.all(ids.map((id) => one.admit(id, [ask(limit)])))
  t.ok(
    decisions.some(({ allowed }) => allowed),
    'callers are served',
  )
  t.equal(decisions.at(-1)?.by, 'lease', 'by this gateway alone, and it says so')
  t.equal(one.health.available, false, 'the degraded state shows')
  t.ok(one.health.awaySince !== undefined)
  const served = ids.filter((_, number) => decisions[number]?.allowed)
  await Promise.all(served.map((id) => one.settle(id, [correct(limit, 1, 1)])))
  t.ok(one.health.backlog > 0)
  redis.resume()
  const isBack = ({ health }: QuotaStore): boolean => health.available && health.backlog === 0
  await until(() => isBack(one) && isBack(other), 15_000)
  t.equal(await usedOf(other, limit), 100 + passed(decisions), 'what passed meanwhile is charged, once')
  t.equal((await one.admit('after', [ask(limit)])).by, 'store')
  await Promise.all([one, other].map(end))
})

t.test('without its scripts each replica silently counts alone (LiteLLM 32232)', async (t) => {
  const [one, other] = [await replica(), await replica()]
  const limit = budget('scripts', 20)
  t.equal(passed(await crowd(one, 5, [ask(limit)], 'first')), 5)
  await flushScripts(redis.port)
  const decisions = await Promise.all([
    crowd(one, 20, [ask(limit)], 'second'),
    crowd(other, 20, [ask(limit)], 'third'),
  ])
  t.equal(passed(decisions.flat()), 15, 'the sum over both is exact')
  t.ok(decisions.flat().every(({ by }) => by === 'store'))
  await Promise.all([one, other].map(end))
})

async function flushScripts(port: number): Promise<void> {
  const { connect } = await import('node:net')
  const socket = connect(port, '127.0.0.1')
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.once('data', () => resolve())
  socket.end('SCRIPT FLUSH SYNC\r\n')
  await promise
}

/** Gateways with these limits on the one Redis. */
const gatewayOn = (limits: Readonly<Record<string, object>>, deadlineMs: number) =>
  startMetered(limits, {
    gateway: {
      quota: { redis: { addresses: [redis.address], keyPrefix: `${prefix}gateways:`, deadlineMs } },
    },
  })

t.test('each gateway of several lets the whole limit pass (LiteLLM 24682)', async (t) => {
  const limits = { shared: { counts: 'requests', per: 'month', amount: 25 } }
  const gateways = await Promise.all([gatewayOn(limits, 5_000), gatewayOn(limits, 5_000)])
  const replies = await Promise.all(
    gateways.flatMap(({ caller, as }) => Array.from({ length: 20 }, () => caller.chat({}, as('shared')))),
  )
  await Promise.all(replies.map((reply) => reply.text()))
  const statuses = replies.map(({ status }) => status)
  t.equal(statuses.filter((status) => status === 200).length, 25)
  t.equal(statuses.filter((status) => status === 429).length, 15)
  await Promise.all(gateways.map(({ stop }) => stop()))
})

t.test('callers hang or get a 500 while Redis is away (LiteLLM 40620)', async (t) => {
  const gateway = await gatewayOn(
    {
      closed: { counts: 'requests', per: 'month', amount: 1_000, onStoreFailure: 'closed' },
    },
    50,
  )
  const { caller, as, stop } = gateway
  redis.pause()
  const refused = await caller.chat({}, as('closed'))
  t.equal(refused.status, 503)
  t.match(await refused.json(), { error: { code: 'quota_unavailable', type: 'server_error' } })
  t.match(refused.headers.get('retry-after'), /^(?:[1-9]|[1-5]\d|60)$/)
  t.notOk(refused.headers.has('x-should-retry'), 'SDKs may try again')
  t.equal(await gateway.sample('sallyport_quota_store_available'), 0)
  redis.resume()
  await until(async () => (await caller.chat({}, as('closed'))).status === 200, 15_000)
  t.equal(await gateway.sample('sallyport_quota_store_available'), 1)
  await stop()
})
