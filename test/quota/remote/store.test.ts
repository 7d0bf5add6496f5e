import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { limitOf } from '../simulated-limit.ts'
import { storeContract } from '../store-contract.ts'
import { ask, correct, crowd, passed, usedOf } from '../store-subject.ts'
import { serveStore } from './served.ts'

const root = mkdtempSync(join(tmpdir(), 'sallyport-remote-store-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))

// The sleeps of calls do not keep a process; the channel of a real one does.
const alive = setInterval(() => {}, 1_000)
t.teardown(() => clearInterval(alive))

const subject = async (directory?: string) => {
  const served = await serveStore(directory)
  const worker = served.worker()
  return {
    store: worker.store,
    exactTime: true,
    elapse: async (ms: number) => {
      served.clock.advance(ms)
      await delay(1)
    },
    turnDay: async () => served.clock.advance(86_400_000),
    another: async () => served.worker().store,
    abandon: async () => {
      await worker.die()
      return served.worker().store
    },
    close: () => served.close(),
  }
}
storeContract('remote', () => subject())
storeContract('remote, on disk', () => subject(mkdtempSync(join(root, 'f'))))

const few = limitOf({ name: 'few', per: 'day', amount: 40 })
const slots = limitOf({ name: 'slots', counts: 'in_flight', amount: 5 })
const spend = limitOf({ name: 'spend', counts: 'total_tokens', per: 'day', amount: 1_000 })
const open = limitOf({ name: 'open', amount: 5, onStoreFailure: 'open' })

t.test('exact over all workers, whatever they ask and whoever of them dies', async (t) => {
  const act = fc.record({
    worker: fc.nat({ max: 2 }),
    tokens: fc.integer({ min: 1, max: 90 }),
    used: fc.nat({ max: 90 }),
    dies: fc.nat({ max: 9 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 120 }), async (acts) => {
      const served = await serveStore()
      const workers = [0, 1, 2].map(() => served.worker())
      let requests = 0
      let charged = 0
      const one = async (
        { worker, tokens, used, dies }: (typeof acts)[number],
        index: number,
      ): Promise<void> => {
        const it = workers[worker]
        const decision = await it?.store.admit(`e-${index}`, [ask(few), ask(slots), ask(spend, tokens)])
        if (decision?.by === 'store' && decision.allowed) requests += 1
        if (!decision?.allowed) return
        if (dies === 0 && it !== undefined) {
          workers[worker] = served.worker()
          await it.die()
          charged += tokens
          return
        }
        const really = Math.min(used, tokens)
        charged += really
        await it?.store.settle(`e-${index}`, [
          correct(few, 1, 1),
          correct(slots, 1, 0),
          correct(spend, tokens, really),
        ])
      }
      // Five at a time: as many as there are slots.
      for (let at = 0; at < acts.length; at += 5)
        await Promise.all(acts.slice(at, at + 5).map((each, place) => one(each, at + place)))
      t.ok((await usedOf(served.store, few)) <= 40)
      t.ok((await usedOf(served.store, few)) >= Math.min(requests, 40))
      t.ok((await usedOf(served.store, spend)) >= charged)
      t.ok((await usedOf(served.store, spend)) <= 1_000)
      await Promise.all(workers.map((worker) => worker.die()))
      t.equal(await usedOf(served.store, slots), 0, 'no slot is left when all are gone')
      await served.close()
    }),
    { numRuns: 40 },
  )
})

t.test('of 300 at once over three workers exactly the amount passes', async (t) => {
  const served = await serveStore()
  t.teardown(() => served.close())
  const workers = [1, 2, 3].map(() => served.worker())
  const decisions = await Promise.all(
    workers.map(({ store }, index) => crowd(store, 100, [ask(few)], `w${index}`)),
  )
  t.equal(passed(decisions.flat()), 40)
})

t.test(
  'no answer: limits do as they say, nothing stays charged or held, and it is back by itself',
  async (t) => {
    const served = await serveStore()
    t.teardown(() => served.close())
    const { store, stop, go, observed } = served.worker(50)
    await store.admit('before', [ask(few)])
    stop()
    const closed = await store.admit('e', [ask(few), ask(slots)])
    t.match(closed, { allowed: false, by: 'closed', deciding: { waitMs: 1_000 } })
    t.match(await store.admit('f', [ask(open)]), { allowed: true, by: 'open' })
    t.equal(store.health.available, false)
    t.ok(Number(store.health.awaySince) > 0)
    const [state] = await store.peek([few])
    t.equal(state?.used, 1, 'the last that was known')
    await t.rejects(store.documents.get('quota/a'))
    await store.settle('f', [correct(open, 1, 1)])
    go()
    for (let waited = 0; waited < 200 && !store.health.available; waited += 1) await delay(10)
    t.equal(store.health.available, true)
    t.same(observed, ['away', 'back'])
    t.equal(await usedOf(served.store, few), 1, 'what it charged for e was given back')
    t.equal(await usedOf(served.store, slots), 0)
    t.equal(await usedOf(served.store, open), 1)
  },
)

t.test('settlements that could not be sent are sent when it answers again, once', async (t) => {
  const served = await serveStore()
  t.teardown(() => served.close())
  let far = false
  const calls: string[] = []
  const { RemoteStore } = await import('../../../src/quota/remote/store.ts')
  const listeners = new Map<string, (args: readonly unknown[]) => unknown>()
  const store = new RemoteStore({
    clock: served.clock,
    settlementsMax: 10,
    line: {
      call: async (name, [id]) => {
        if (far) throw Object.assign(new Error('far behind'), { reason: 'not_sent' })
        calls.push(`${name} ${id}`)
        return undefined
      },
      tell: () => {},
      on: (name, listener) => void listeners.set(name, listener),
    },
  })
  far = true
  await Promise.all(
    Array.from({ length: 30 }, (_, n) => store.settle(`admitted-${n}`, [correct(spend, 10, 5)])),
  )
  await Promise.all(Array.from({ length: 30 }, (_, n) => store.settle(`counted-${n}`, [correct(few, 0, 1)])))
  t.equal(store.health.backlog, 30, 'those that free something, and of the others none above the bound')
  far = false
  listeners.get('quota.state')?.([{ available: true, buckets: 3, leases: 2 }])
  await delay(1)
  t.equal(store.health.backlog, 0)
  t.equal(new Set(calls).size, 30)
  t.equal(calls.length, 30)
  t.same(store.size, { buckets: 3, leases: 2 })
})
