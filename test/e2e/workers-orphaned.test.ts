/** What becomes of workers whose primary process hangs, or is killed. */
import { existsSync } from 'node:fs'
import t from 'tap'
import { makeScene, until, workersOf } from '../support/workers.ts'

const scene = await makeScene(2)
t.teardown(() => scene.close())
const gateway = await scene.served()

t.test('the primary process hangs: calls that need its store get 503, and it mends itself', async (t) => {
  const caller = scene.caller()
  const before = await caller.chat('tenant-a')
  t.equal(before.status, 200)
  await before.rest()
  gateway.process.kill('SIGSTOP')
  const refused = await caller.chat('tenant-a')
  t.equal(refused.status, 503)
  t.match(await refused.rest(), /"code":"quota_unavailable"/)
  gateway.process.kill('SIGCONT')
  await until(async () => {
    const reply = await caller.chat('tenant-a')
    await reply.rest()
    return reply.status === 200
  }, 10_000)
  await gateway.until(/"event":"quota\.store_back"/)
  t.equal(workersOf(gateway).length, 2, 'nobody took it for dead')
  // Workers hear once a second how the store is.
  await until(async () => /^sallyport_quota_leases 0$/m.test((await scene.probe('/metrics')).text))
  t.pass('no slot is held')
})

t.test('the primary process is killed: its workers end their streams and go', async (t) => {
  const workers = workersOf(gateway)
  const stream = await scene.caller().chat('tenant-a', { words: 300, gapMs: 50 })
  gateway.process.kill('SIGKILL')
  t.match(await stream.rest(), /"code":"draining"/)
  const lives = (pid: number): boolean => existsSync(`/proc/${pid}`)
  await until(() => !workers.some(lives), 10_000)
  const next = await scene.served()
  const reply = await scene.caller().chat('tenant-a')
  t.equal(reply.status, 200, 'the next one has the ports and the folders')
  await reply.rest()
  next.process.kill('SIGTERM')
  t.equal((await next.ended).code, 0)
})
