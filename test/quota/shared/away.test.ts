// Every way in which Redis goes away: nothing is thrown, limits are kept as each of them says, and nothing is lost.
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { holds } from '../../support/holds.ts'
import { startRedis } from '../../support/redis-server.ts'
import { command, startBlackHole } from '../../support/redis-setups.ts'
import { ask, correct, crowd, passed, usedOf } from '../store-subject.ts'
import { closed, daily, hourly, isBack, type Observed, observed, open, settledIn, slot } from './observed.ts'
import { openRedis } from './open-redis.ts'

const server = await startRedis(['--enable-debug-command', 'yes'])
t.teardown(() => server.stop())
let prefixes = 0

async function subject(t: Test, options: Parameters<typeof observed>[1] = {}): Promise<Observed> {
  prefixes += 1
  const made = await observed(server, { keyPrefix: `a${prefixes}:`, ...options })
  t.teardown(() => made.store.close())
  await settledIn()
  return made
}

/** What each policy does while Redis is away. */
async function keepsPolicies(t: Test, { store }: Observed): Promise<void> {
  const decisions = await crowd(store, 20, [ask(hourly)], 'leased')
  t.equal(passed(decisions), 7, 'one replica alone has the whole limit')
  t.ok(decisions.every(({ by }) => by === 'lease'))
  const shut = await store.admit('shut', [ask(closed)])
  t.match(shut, { allowed: false, by: 'closed', deciding: { state: { limit: { name: 'closed' } } } })
  t.ok(Number(shut.deciding?.waitMs) >= 1 && Number(shut.deciding?.waitMs) <= 2_000)
  const let_ = await crowd(store, 20, [ask(open)], 'let')
  t.equal(passed(let_), 20)
  t.ok(let_.every(({ by }) => by === 'open'))
  t.equal(passed(await crowd(store, 20, [ask(daily, 8)], 'budget')), 6, 'a twentieth of a budget')
  t.equal(passed(await crowd(store, 20, [ask(slot)], 'slots')), 3)
}

t.test('killed and restarted empty', async (t) => {
  const made = await subject(t)
  const { store, told } = made
  await store.admit('before', [ask(slot), ask(daily, 10)])
  await server.kill()
  await holds(() => !store.health.available)
  t.same(told.away, ['connection'], 'without a request')
  await store.settle('before', [correct(slot, 1, 0), correct(daily, 10, 4)])
  await keepsPolicies(t, made)
  t.ok(store.health.backlog > 0)
  t.ok(Number(store.health.awaySince) > Date.now() - 10_000)
  for (let n = 0; n < 7; n += 1) await store.settle(`leased-${n}`, [correct(hourly, 1, n < 2 ? 0 : 1)])
  await server.restart()
  await isBack(made)
  t.equal(told.back.length, 1)
  t.equal(await usedOf(store, hourly), 5, 'what passed meanwhile, less what was returned')
  t.equal(await usedOf(store, open), 20, 'and what passed without asking')
  t.equal(await usedOf(store, daily), 52)
  t.equal(await usedOf(store, slot), 3, 'slots are taken again')
  await store.settle('budget-0', [correct(daily, 8, 25)])
  await store.settle('budget-0', [correct(daily, 8, 25)])
  t.equal(await usedOf(store, daily), 69, 'settled after its end, once, by the difference')
  t.equal(store.health.backlog, 0)
})

const pauses = {
  'stopped by a signal': { begin: () => server.pause(), end: () => server.resume() },
  'busy (DEBUG SLEEP)': {
    begin: () => void command(server.port, ['DEBUG', 'SLEEP', '0.7']).catch(() => {}),
    end: () => {},
  },
  'paused (CLIENT PAUSE)': {
    begin: () => void command(server.port, ['CLIENT', 'PAUSE', 700, 'ALL']).catch(() => {}),
    end: () => {},
  },
}
for (const [name, { begin, end }] of Object.entries(pauses)) {
  t.test(`${name}: what was under way is charged once`, async (t) => {
    const made = await subject(t)
    const { store, told } = made
    await store.admit('known', [ask(daily, 100), ask(slot)])
    begin()
    await delay(20)
    // These wait for the deadline: Redis may run them when it wakes.
    const late = crowd(store, 3, [ask(daily, 10)], 'late')
    await store.settle('known', [correct(daily, 100, 30), correct(slot, 1, 0)])
    t.equal(passed(await late), 3)
    t.ok((await late).every(({ by }) => by === 'lease'))
    t.same(told.away, ['timeout'])
    end()
    await isBack(made)
    await holds(async () => (await usedOf(store, daily)) === 60)
    await delay(100)
    t.equal(await usedOf(store, daily), 60)
    t.equal(await usedOf(store, slot), 0)
    for (let n = 0; n < 3; n += 1) await store.settle(`late-${n}`, [correct(daily, 10, 7)])
    t.equal(await usedOf(store, daily), 51)
  })
}

t.test('a process that was busy past the deadline reads what has come before it gives up', async (t) => {
  const { store, told } = await subject(t, { deadlineMs: 30 })
  for (let n = 0; n < 5; n += 1) {
    const decision = store.admit(`e${n}`, [ask(daily, 1)])
    for (const end = performance.now() + 80; performance.now() < end; );
    t.equal((await decision).by, 'store')
  }
  t.same(told.away, [])
})

t.test('scripts that were flushed are sent again, and nobody notices', async (t) => {
  const { store, told } = await subject(t)
  for (let n = 0; n < 5; n += 1) {
    await command(server.port, ['SCRIPT', 'FLUSH'])
    t.equal((await store.admit(`e-${n}`, [ask(daily, 10)])).by, 'store')
    await command(server.port, ['SCRIPT', 'FLUSH'])
    await store.settle(`e-${n}`, [correct(daily, 10, 1)])
  }
  t.equal(await usedOf(store, daily), 5)
  t.same(told.away, [])
})

const refusals = {
  'out of memory': { cause: 'out_of_memory', begin: ['maxmemory', '1'], end: ['maxmemory', '0'] },
  'too few replicas': {
    cause: 'read_only',
    begin: ['min-replicas-to-write', '1'],
    end: ['min-replicas-to-write', '0'],
  },
} as const
for (const [name, { cause, begin, end }] of Object.entries(refusals)) {
  t.test(`${name}: a server that takes no writes is away`, async (t) => {
    const made = await subject(t)
    await command(server.port, ['CONFIG', 'SET', ...begin])
    t.equal((await made.store.admit('e', [ask(daily, 0)])).by, 'lease')
    t.same(made.told.away, [cause])
    await keepsPolicies(t, made).finally(() => command(server.port, ['CONFIG', 'SET', ...end]))
    await isBack(made)
    t.equal(await usedOf(made.store, hourly), 7)
  })
}

t.test('a replica that takes no writes is away, until it is a master', async (t) => {
  const replica = await startRedis(['--replicaof', '127.0.0.1', String(server.port)])
  t.teardown(() => replica.stop())
  const made = await observed(replica, { keyPrefix: 'ro:' })
  t.teardown(() => made.store.close())
  t.same(made.told.away, ['read_only'])
  const decision = await made.store.admit('e', [ask(hourly)])
  t.match(decision, { allowed: false, by: 'closed' }, 'nobody knows of this replica: it has no part')
  await command(replica.port, ['REPLICAOF', 'NO', 'ONE'])
  await isBack(made)
  t.equal((await made.store.admit('f', [ask(hourly)])).by, 'store')
})

t.test('a script that does not end: away, and back when it was killed', async (t) => {
  const made = await subject(t)
  await command(server.port, ['CONFIG', 'SET', 'busy-reply-threshold', '1'])
  const stuck = command(server.port, ['EVAL', 'while true do end', 0]).catch((error: Error) => error.message)
  await holds(async () => (await made.store.admit('e', [ask(daily, 1)])).by === 'lease')
  await holds(async () => (await command(server.port, ['SCRIPT', 'KILL'])) === 'OK')
  t.match(await stuck, /killed/)
  await isBack(made)
  t.equal((await made.store.admit('f', [ask(hourly)])).by, 'store')
  await command(server.port, ['CONFIG', 'SET', 'busy-reply-threshold', '5000'])
})

t.test('a key that holds something else is replaced, and the store stays', async (t) => {
  const { store, told } = await subject(t)
  const keyOf = (key: string) => `a${prefixes}:{acme}:b:${key}`
  await command(server.port, ['SADD', keyOf(hourly.key), 'x'])
  await command(server.port, ['SET', keyOf(daily.key), 'text'])
  await command(server.port, ['HSET', keyOf(slot.key), 'a', 'b'])
  await command(server.port, ['SET', keyOf(open.key), 'neither debt nor time'])
  const demands = [ask(hourly), ask(daily, 5), ask(slot), ask(open)]
  t.match(await store.admit('e', demands), { allowed: true, by: 'store' })
  t.same(await Promise.all([hourly, daily, slot, open].map((limit) => usedOf(store, limit))), [1, 5, 1, 1])
  t.ok(told.repaired.length > 0)
  t.same(told.away, [])
  await command(server.port, ['SET', `a${prefixes}:{acme}:x:e`, 'open{not json'])
  await store.settle('e', [correct(daily, 5, 2), correct(slot, 1, 0)])
  t.equal(await usedOf(store, daily), 2)
})

t.test('a wrong password: away at once, and in when it is right', async (t) => {
  const guarded = await startRedis(['--requirepass', 'right'])
  t.teardown(() => guarded.stop())
  let password = 'wrong'
  const made = await observed(guarded, {
    password: () => password,
    timing: { connectMs: 200, heartbeatMs: 30 },
  })
  t.teardown(() => made.store.close())
  t.same(made.told.away, ['not_allowed'])
  t.match(await made.store.admit('e', [ask(hourly)]), { allowed: false, by: 'closed' })
  password = 'right'
  await isBack(made)
  t.equal((await made.store.admit('f', [ask(hourly)])).by, 'store')
})

t.test('a socket that never answers, and a port of nobody', async (t) => {
  const hole = await startBlackHole()
  t.teardown(() => hole.stop())
  for (const address of [hole.address, '127.0.0.1:1']) {
    const made = await observed({ address }, { timing: { connectMs: 100 } })
    t.teardown(() => made.store.close())
    t.equal(made.told.away.length, 1)
    t.match(await made.store.admit('e', [ask(hourly)]), { allowed: false, by: 'closed' })
    t.match(await made.store.admit('f', [ask(open)]), { allowed: true, by: 'open' })
    await made.store.settle('f', [correct(open, 1, 1)])
    t.equal(await usedOf(made.store, open), 1)
    await t.rejects(made.store.reset(hourly), { name: 'StoreAway' })
    await t.rejects(made.store.documents.get('quota/a'), { name: 'StoreAway' })
    await t.rejects(made.store.keys('', '', 10), { name: 'StoreAway' })
    t.equal(await made.store.decisions.find('e'), undefined)
  }
})

t.test('leases of a process that died end by themselves', async (t) => {
  const timing = { leaseMs: 400, heartbeatMs: 30, connectMs: 1_000 }
  const { store } = await subject(t, { timing })
  const dying = await openRedis(server, { keyPrefix: `a${prefixes}:`, timing })
  t.equal(passed(await crowd(dying, 3, [ask(slot)], 'dying')), 3)
  await delay(600)
  t.notOk((await store.admit('e', [ask(slot)])).allowed, 'a process that lives keeps its slots')
  await store.reset(slot)
  await delay(300)
  t.equal(await usedOf(store, slot), 0, 'nor are they taken again after an operator has emptied the limit')
  t.equal(passed(await crowd(dying, 3, [ask(slot)], 'again')), 3)
  await dying.close()
  await holds(async () => (await store.admit('f', [ask(slot)])).allowed)
  t.ok(true)
})
