// Two gateways on one Redis: what one of them does the other sees.
import t, { type Test } from 'tap'
import { type Clock, systemClock } from '../../../src/clock.ts'
import { StoreAway } from '../../../src/quota/shared/cause.ts'
import { holds } from '../../support/holds.ts'
import { startRedis } from '../../support/redis-server.ts'
import { command } from '../../support/redis-setups.ts'
import { limitOf } from '../simulated-limit.ts'
import { ask, correct, usedOf } from '../store-subject.ts'
import { daily, hourly, observed, quick, slot } from './observed.ts'

const server = await startRedis()
t.teardown(() => server.stop())
let prefixes = 0

async function pair(t: Test) {
  prefixes += 1
  const options = { keyPrefix: `h${prefixes}:`, deadlineMs: 5_000 }
  const [one, other] = [await observed(server, options), await observed(server, options)]
  t.teardown(() => Promise.all([one.store.close(), other.store.close()]))
  return { one: one.store, other: other.store }
}

t.test('limits, members, documents and decisions are shared', async (t) => {
  const { one, other } = await pair(t)
  await holds(() => one.health.replicas === 2 && other.health.replicas === 2)
  await one.admit('e', [ask(hourly, 7), ask(slot)])
  t.notOk((await other.admit('f', [ask(hourly)])).allowed)
  t.equal(other.foresee([ask(hourly)])?.state.limit.name, 'hourly')
  t.equal(one.foresee([ask(hourly)]), undefined, 'who has not heard asks')
  t.equal(
    other.foresee([ask({ ...hourly, amount: 20, burst: 20 })]),
    undefined,
    'another amount, another answer',
  )
  await one.settle('e', [correct(hourly, 7, 2), correct(slot, 1, 0)])
  t.equal(await usedOf(other, hourly), 2)
  let told = 0
  const watch = other.documents.watch('quota/', () => {
    told += 1
  })
  await one.documents.put('quota/a', '{"x":1}', 0)
  await holds(() => told === 1)
  t.same(await other.documents.get('quota/a'), { version: 1, text: '{"x":1}' })
  watch[Symbol.dispose]()
  one.decisions.keep('refused', 'because')
  await holds(async () => (await other.decisions.find('refused')) === 'because')
  t.equal(await other.decisions.find('another'), undefined)
})

t.test('an operator who empties a bucket is felt at once', async (t) => {
  const { one, other } = await pair(t)
  await one.admit('e', [ask(hourly, 7)])
  await one.admit('f', [ask(hourly)])
  t.ok(one.foresee([ask(hourly)]))
  await one.reset(hourly)
  t.equal(one.foresee([ask(hourly)]), undefined)
  t.ok((await other.admit('g', [ask(hourly)])).allowed)
})

t.test('a clock of this machine that is wrong, or jumps, changes no budget', async (t) => {
  let jumpMs = 0
  const clock: Clock = { ...systemClock, now: () => Date.now() + jumpMs }
  const made = await observed(server, { clock, keyPrefix: 'jump:', deadlineMs: 5_000 })
  t.teardown(() => made.store.close())
  const monthly = limitOf({ name: 'monthly', counts: 'cost', per: 'month', amount: 1_000 })
  for (const days of [0, 40, -400, 3]) {
    jumpMs = days * 86_400_000
    t.match(await made.store.admit(`e${days}`, [ask(daily, 10), ask(monthly, 10)]), {
      allowed: true,
      by: 'store',
    })
    await made.store.settle(`e${days}`, [correct(daily, 10, 5), correct(monthly, 10, 5)])
  }
  jumpMs = -86_400_000
  const [day, month] = await made.store.peek([daily, monthly])
  t.match([day, month], [{ used: 20 }, { used: 20 }])
  t.ok(Number(day?.resetMs) <= 86_400_000)
  t.same(made.told.away, [])
})

t.test('a day that ended: its settlement goes to it, and the new one is whole', async (t) => {
  const { one } = await pair(t)
  await one.admit('e', [ask(daily, 80)])
  // The counter as it stands when the day has turned since: the present period is the one before.
  const key = `h${prefixes}:{acme}:b:${daily.key}`
  const today = String(await command(server.port, ['HGET', key, 'p']))
  await command(server.port, ['HSET', key, 'p', '2999-01-01', 'u', '0', 'q', today, 'v', '80'])
  await one.settle('e', [correct(daily, 80, 10)])
  t.same(await command(server.port, ['HMGET', key, 'u', 'v']), ['0', '10'])
  await command(server.port, ['HSET', key, 'p', '1999-01-01', 'u', '77', 'q', '1998-12-31', 'v', '5'])
  t.equal(await usedOf(one, daily), 0)
  t.ok((await one.admit('f', [ask(daily, 1_000)])).allowed)
  t.same(await command(server.port, ['HMGET', key, 'p', 'u', 'q', 'v']), [today, '1000', '1999-01-01', '77'])
})

t.test('a store that was closed asks nobody and throws nothing', async (t) => {
  const { store } = await observed(server, { keyPrefix: 'shut:', timing: { ...quick } })
  await store.close()
  t.match(await store.admit('e', [ask(hourly)]), { allowed: false, by: 'closed' })
  await store.settle('e', [correct(hourly, 1, 1)])
  await t.rejects(store.reset(hourly))
  t.equal(new StoreAway().message, 'the quota store is away')
})
