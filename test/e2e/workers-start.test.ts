/** A gateway with workers that cannot start says why, once, and leaves nothing behind; with Redis limits are exact as well. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { groupLives, listens } from '../support/child.ts'
import { startRedis } from '../support/redis-server.ts'
import { type Caller, makeScene } from '../support/workers.ts'

const scene = await makeScene(2)
t.teardown(() => scene.close())

t.test('a start that is refused: one error, as one process would say it, and its exit code', async (t) => {
  const holder = createServer().listen(scene.port, '127.0.0.1')
  t.teardown(() => holder.close())
  const busy = scene.serve()
  const { code, err, out } = await busy.ended
  t.equal(code, 1)
  t.match(err, new RegExp(`^Port ${scene.port} of 127\\.0\\.0\\.1 is in use\\. .+\\n$`))
  t.notMatch(out, /"listening"|worker\.ended/)
  t.notOk(groupLives(busy), 'no worker is left')
  t.notOk(await listens(scene.probesPort))
  t.same(
    readdirSync(join(scene.folder, 'audit')).sort(),
    ['worker-1', 'worker-2'],
    'every lock has been given back',
  )
  scene.configure('gateway.yaml', (text) => text.replace('port: ', 'prot: '), 'wrong')
  const wrong = await scene.serve('wrong').ended
  t.equal(wrong.code, 3)
  t.match(wrong.err, /^The configuration is refused\.\n.+gateway\.yaml:\d+:\d+ .*prot/)
})

t.test('a broken chain of one worker keeps all from starting, and is left as it is', async (t) => {
  const folder = join(scene.folder, 'broken')
  mkdirSync(join(folder, 'worker-2'), { recursive: true, mode: 0o700 })
  const segment = join(folder, 'worker-2', 'audit-000000000001.jsonl')
  writeFileSync(segment, '{"not":"a record"}\n')
  scene.configure('gateway.yaml', (text) => text.replace('../audit', '../broken'), 'broken-log')
  const child = scene.serve('broken-log')
  const { code, err } = await child.ended
  t.equal(code, 1)
  t.match(err, /^The gateway cannot start: the audit log is broken at seq 1 .+\n$/)
  t.equal(readFileSync(segment, 'utf8'), '{"not":"a record"}\n')
  t.notOk(groupLives(child))
})

t.test('with Redis each worker is a member, and limits are exact over all', async (t) => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  scene.configure('gateway.yaml', (text) =>
    text.replace('  directory: ../quota', `  redis: {addresses: ["${redis.address}"], deadlineMs: 5000}`),
  )
  scene.configure(
    'policies.yaml',
    (text) => `${text}limits:\n  few: {counts: requests, per: day, amount: 25, by: [tenant]}\n`,
  )
  const gateway = await scene.served()
  const callers = Array.from({ length: 6 }, () => scene.caller())
  const statuses = await Promise.all(
    Array.from({ length: 48 }, async (_, index) => {
      const reply = await (callers[index % callers.length] as Caller).chat('crowd')
      await reply.rest()
      return reply.status
    }),
  )
  t.equal(statuses.filter((status) => status === 200).length, 25)
  t.equal(statuses.filter((status) => status === 429).length, 23)
  const { text } = await scene.probe('/metrics')
  t.match(text, /^sallyport_quota_replicas 2$/m)
  gateway.process.kill('SIGTERM')
  t.equal((await gateway.ended).code, 0)
})
