import { setTimeout as delay } from 'node:timers/promises'
import { limitOf } from './simulated-limit.ts'
import { ask, type Case, correct, crowd, passed, usedOf } from './store-subject.ts'

const hourly = limitOf({ name: 'hourly', per: 'hour', amount: 10, burst: 7 })
const slot = limitOf({ name: 'slots', counts: 'in_flight', amount: 3 })
const daily = limitOf({ name: 'daily', counts: 'total_tokens', per: 'day', amount: 100 })

/** How soon a watcher has to be told (store.ts). */
const toldMs = 2_000

async function until(condition: () => boolean): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < toldMs && !condition(); waitedMs += 20) await delay(20)
  return condition()
}

/** What a store keeps to when a process ends, or another has the same state. */
export function processes(test: Case): void {
  test('a process that dies: its slots come free, what it charged stays charged', async (t, {
    store,
    abandon,
  }) => {
    if (abandon === undefined) {
      t.pass('nothing survives')
      return
    }
    await crowd(store, 3, [ask(slot), ask(daily, 20)])
    await store.documents.put('quota/a', 'one', 0)
    const next = await abandon()
    try {
      t.equal(await usedOf(next, slot), 0)
      t.equal(passed(await crowd(next, 5, [ask(slot)], 'next')), 3)
      const used = await usedOf(next, daily)
      t.ok(used >= 60 && used <= 100, `${used}`)
      t.same(await next.documents.get('quota/a'), { version: 1, text: 'one' })
    } finally {
      await next.close()
    }
  })

  test('two processes: one limit, one settlement, one document', async (t, { store, another }) => {
    if (another === undefined) {
      t.pass('nothing is shared')
      return
    }
    const other = await another()
    try {
      const both = await Promise.all([
        crowd(store, 100, [ask(hourly), ask(slot)], 'here'),
        crowd(other, 100, [ask(hourly)], 'there'),
      ])
      t.equal(passed(both.flat()), 7)
      await store.admit('e', [ask(daily, 50)])
      const corrections = [correct(daily, 50, 10)]
      await Promise.all([store.settle('e', corrections), other.settle('e', corrections)])
      t.equal(await usedOf(other, daily), 10)
      let told = 0
      using _watch = other.documents.watch('quota/', () => {
        told += 1
      })
      const versions = await Promise.all([
        store.documents.put('quota/a', 'here', 0),
        other.documents.put('quota/a', 'there', 0),
      ])
      t.equal(versions.filter((version) => version === 1).length, 1)
      await store.documents.put('quota/b', 'x', 0)
      t.ok(await until(() => told > 0), 'the other is told')
    } finally {
      await other.close()
    }
  })

  test('watchers are told of what is written and deleted, until they look away', async (t, {
    store: { documents },
  }) => {
    let told = 0
    const watch = documents.watch('quota/', () => {
      told += 1
    })
    await documents.put('quota/a', 'one', 0)
    t.ok(await until(() => told > 0))
    told = 0
    await documents.delete('quota/a', 1)
    t.ok(await until(() => told > 0))
    watch[Symbol.dispose]()
    told = 0
    await documents.put('quota/b', 'two', 0)
    await delay(50)
    t.equal(told, 0)
  })
}
