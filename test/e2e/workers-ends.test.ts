/** How a gateway with workers ends. */
import t from 'tap'
import { makeScene, until, workersOf } from '../support/workers.ts'

const scene = await makeScene(2)
t.teardown(() => scene.close())
const callers = Array.from({ length: 4 }, () => scene.caller())

t.test(
  'drain: streams of both end well, then the gateway does with 0; with 1 when one does not',
  async (t) => {
    const gateway = await scene.served()
    const streams = await Promise.all(
      callers.slice(0, 4).map((caller) => caller.chat('tenant-a', { words: 20, gapMs: 40 })),
    )
    gateway.process.kill('SIGTERM')
    for (const { rest } of streams) t.match(await rest(), /data: \[DONE\]\n\n$/)
    t.equal((await gateway.ended).code, 0)
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
