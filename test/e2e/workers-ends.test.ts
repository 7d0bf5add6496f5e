/** How a gateway with workers ends, and what becomes of workers whose primary process hangs, or is killed. */
import { existsSync } from 'node:fs'
import t from 'tap'
import { makeScene, until, workersOf } from '../support/workers.ts'

const scene = await makeScene(2)
t.teardown(() => scene.close())
const callers = Array.from({ length: 4 }, () => scene.caller())
const gateway = await scene.served()
/** The one that takes over from it. */
let next = gateway

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
  next = await scene.served()
  const reply = await scene.caller().chat('tenant-a')
  t.equal(reply.status, 200, 'the next one has the ports and the folders')
  await reply.rest()
})

t.test(
  'drain: streams of both end well, then the gateway does with 0; with 1 when one does not',
  async (t) => {
    const streams = await Promise.all(
      callers.slice(0, 4).map((caller) => caller.chat('tenant-a', { words: 20, gapMs: 40 })),
    )
    next.process.kill('SIGTERM')
    for (const { rest } of streams) t.match(await rest(), /data: \[DONE\]\n\n$/)
    t.equal((await next.ended).code, 0)
    const failing = await scene.served()
    const stream = await scene.caller().chat('tenant-a', { words: 100, gapMs: 40 })
    failing.process.kill('SIGTERM')
    await failing.until(/"event":"workers\.draining"/)
    for (const worker of workersOf(failing)) process.kill(worker, 'SIGKILL')
    await t.rejects(stream.rest())
    t.equal((await failing.ended).code, 1)
  },
)

t.test('a worker that is asked to end does, and is replaced; a second signal ends all at once', async (t) => {
  const gateway = await scene.served()
  const [leaving] = workersOf(gateway) as [number]
  process.kill(leaving, 'SIGTERM')
  await until(() => !workersOf(gateway).includes(leaving) && workersOf(gateway).length === 2, 20_000)
  await until(async () => (await scene.probe('/readyz')).text.includes('2 of 2'), 20_000)
  const stream = await scene.caller().chat('tenant-a', { words: 300, gapMs: 50 })
  gateway.process.kill('SIGTERM')
  await gateway.until(/"event":"workers\.draining"/)
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  gateway.process.kill('SIGTERM')
  await t.rejects(stream.rest())
  t.equal((await gateway.ended).code, 1)
})
