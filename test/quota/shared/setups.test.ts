// Sentinel, TLS and a user of the access control list.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { issueServer, makeAuthority } from '../../support/certificates.ts'
import { holds } from '../../support/holds.ts'
import { startRedis } from '../../support/redis-server.ts'
import { command, startSentinel } from '../../support/redis-setups.ts'
import { ask, correct, usedOf } from '../store-subject.ts'
import { daily, hourly, isBack, observed, settledIn, slot } from './observed.ts'

// Elections are a matter of seconds, and of waiting.
t.jobs = 2

t.test('a failover: shares until the replica is master, then the replica', { buffered: true }, async (t) => {
  const group = await startSentinel()
  t.teardown(() => group.stop())
  const { addresses, masterName, servers } = group
  const [old, next] = servers as [(typeof servers)[0], (typeof servers)[0]]
  const made = await observed(old, { mode: 'sentinel', addresses, masterName, keyPrefix: 'f:' })
  const { store, told } = made
  t.teardown(() => store.close())
  await settledIn()
  t.match(await store.admit('before', [ask(daily, 100), ask(slot)]), { allowed: true, by: 'store' })
  await holds(async () => Number(await command(next.port, ['DBSIZE'])) >= 3)
  await old.kill()
  await holds(() => !store.health.available)
  t.match(await store.admit('meanwhile', [ask(daily, 10)]), { allowed: true, by: 'lease' })
  await store.settle('before', [correct(daily, 100, 60), correct(slot, 1, 0)])
  await isBack(made)
  t.equal(await group.master(), next)
  t.equal(await usedOf(store, daily), 70, 'what the replica knew, corrected, and what passed meanwhile')
  t.equal(await usedOf(store, slot), 0)
  t.equal(told.back.length, 1)
})

t.test('a master that is demoted is left for the new one', { buffered: true }, async (t) => {
  const group = await startSentinel()
  t.teardown(() => group.stop())
  const { addresses, masterName, servers } = group
  const made = await observed({ address: '' }, { mode: 'sentinel', addresses, masterName, keyPrefix: 'd:' })
  const { store } = made
  t.teardown(() => store.close())
  await settledIn()
  const [, port] = (await command(Number(addresses[0]?.split(':')[1]), [
    'SENTINEL',
    'GET-MASTER-ADDR-BY-NAME',
    masterName,
  ])) as [string, string]
  t.equal(port, String(servers[0]?.port))
  await command(Number(addresses[0]?.split(':')[1]), ['SENTINEL', 'FAILOVER', masterName])
  await holds(async () => {
    const decision = await store.admit(`e${performance.now()}`, [ask(hourly, 0)])
    return decision.by === 'store' && (await group.master()) === servers[1]
  })
  t.ok((await store.admit('after', [ask(hourly)])).allowed)
  await holds(async () => store.health.available && (await usedOf(store, hourly)) === 1)
})

/** What the store needs of Redis; docs and tests say the same. */
const acl = [
  ...['reset', 'on', '>right', '~sallyport:*', '-@all', '+evalsha', '+eval', '+time', '+ping'],
  ...['+get', '+set', '+del', '+incr', '+hget', '+hgetall', '+hmget', '+hset', '+hdel', '+scan'],
  ...['+zadd', '+zrem', '+zcard', '+zcount', '+zscore', '+zrange', '+zremrangebyscore'],
  ...['+pexpire', '+pexpireat'],
]

t.test('mutual TLS and a user who may do only what is needed', async (t) => {
  const ca = await makeAuthority('redis root')
  const [leaf, client] = [await issueServer(ca), await ca.issue({ subject: 'CN=gateway' })]
  const plain = await startRedis()
  for (const [name, text] of Object.entries({ 'ca.crt': ca.cert, 'tls.crt': leaf.cert, 'tls.key': leaf.key }))
    writeFileSync(join(plain.folder, name), text)
  const file = (name: string) => join(plain.folder, name)
  await plain.kill()
  const server = await startRedis(
    [
      ...[
        '--tls-port',
        String(plain.port),
        '--tls-cert-file',
        file('tls.crt'),
        '--tls-key-file',
        file('tls.key'),
      ],
      ...['--tls-ca-cert-file', file('ca.crt'), '--tls-auth-clients', 'yes'],
      ...['--user', 'gateway', ...acl.slice(1)],
    ],
    plain.port,
  )
  t.teardown(async () => {
    await server.stop()
    await plain.stop()
  })
  const tls = { ca: ca.cert, certificate: client.cert, key: client.key, serverName: 'localhost' }
  const user = { username: 'gateway', keyPrefix: 'sallyport:', password: () => 'right' }
  const made = await observed(server, { ...user, tls })
  const { store, told } = made
  t.teardown(() => store.close())
  t.match(await store.admit('e', [ask(hourly), ask(daily, 10), ask(slot)]), { allowed: true, by: 'store' })
  await store.settle('e', [correct(hourly, 1, 1), correct(daily, 10, 4), correct(slot, 1, 0)])
  t.same(await Promise.all([hourly, daily, slot].map((limit) => usedOf(store, limit))), [1, 4, 0])
  await store.reset(daily)
  t.equal((await store.keys('', '', 10)).keys.length, 1)
  t.equal(await store.documents.put('quota/a', '{}', 0), 1)
  t.equal((await store.documents.list('quota/')).size, 1)
  t.ok(await store.documents.delete('quota/a', 1))
  store.decisions.keep('e', 'why')
  await settledIn()
  t.same(told.away, [])

  const stranger = await observed(server, {
    ...user,
    tls: { ...tls, serverName: 'other' },
    timing: { connectMs: 200 },
  })
  t.teardown(() => stranger.store.close())
  t.same(stranger.told.away, ['connection'], 'a certificate of another name')
  const elsewhere = await observed(server, { ...user, tls, keyPrefix: 'other:' })
  t.teardown(() => elsewhere.store.close())
  t.same(elsewhere.told.away, ['not_allowed'], 'keys that this user may not touch')
})
