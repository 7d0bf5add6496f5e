// Redis comes back: every exchange that ended meanwhile is charged once, outages that follow each other do not add up,
// and a bucket that holds something else takes nobody along.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { holds } from '../../support/holds.ts'
import { startRedis } from '../../support/redis-server.ts'
import { command } from '../../support/redis-setups.ts'
import { limitOf } from '../simulated-limit.ts'
import { ask, correct, crowd, passed, usedOf } from '../store-subject.ts'
import { daily, hourly, isBack, observed, settledIn, slot } from './observed.ts'

const server = await startRedis()
t.teardown(() => server.stop())

t.test('exchanges that end at every moment of a recovery are all settled', async (t) => {
  const made = await observed(server, { keyPrefix: 'storm:' })
  const { store } = made
  t.teardown(() => store.close())
  await settledIn()
  const budget = limitOf({ name: 'budget', counts: 'total_tokens', per: 'day', amount: 1_000_000 })
  // Many limits in flight: renewing them takes the recovery many round trips.
  const slots = Array.from({ length: 40 }, (_, n) =>
    limitOf({ counts: 'in_flight', amount: 50, key: `slots-${n}` }),
  )
  const own = (n: number) => slots[n % slots.length] ?? slot
  const ids = Array.from({ length: 400 }, (_, n) => n)
  await Promise.all(ids.map((n) => store.admit(`e${n}`, [ask(budget, 10), ask(own(n))])))
  server.pause()
  await store.admit('first-to-notice', [ask(budget, 0)])
  t.equal(store.health.available, false)
  server.resume()
  const settled: Promise<void>[] = []
  for (const n of ids) {
    settled.push(store.settle(`e${n}`, [correct(budget, 10, 1), correct(own(n), 1, 0)]))
    await delay(1)
  }
  await Promise.all(settled)
  await isBack(made)
  await holds(() => store.health.backlog === 0)
  t.equal(await usedOf(store, budget), 400)
  const held = await store.peek(slots)
  t.ok(held.every(({ used }) => used === 0))
})

t.test('outages that follow each other let one burst pass, not one each', async (t) => {
  const made = await observed(server, { keyPrefix: 'again:' })
  const { store } = made
  t.teardown(() => store.close())
  await settledIn()
  let allowed = 0
  for (let outage = 0; outage < 3; outage += 1) {
    server.pause()
    const decisions = await crowd(store, 10, [ask(hourly)], `outage${outage}`)
    t.ok(decisions.every(({ by }) => by === 'lease'))
    allowed += passed(decisions)
    server.resume()
    await isBack(made)
  }
  t.equal(made.told.away.length, 3)
  t.equal(allowed, 7)
})

t.test('a settlement that finds something else in place of slots is made, whole', async (t) => {
  const { store, told } = await observed(server, { keyPrefix: 'other:' })
  t.teardown(() => store.close())
  await settledIn()
  await store.admit('e', [ask(slot), ask(daily, 40)])
  const name = `other:{acme}:b:${slot.key}`
  await command(server.port, ['DEL', name])
  await command(server.port, ['SET', name, 'not ours'])
  await store.settle('e', [correct(slot, 1, 0), correct(daily, 40, 5)])
  t.same(told.away, [])
  t.same(told.repaired, [name])
  t.equal(await usedOf(store, daily), 5)
})
