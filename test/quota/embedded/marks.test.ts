import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { Limit } from '../../../src/policy/limit.ts'
import { Journal, type JournalEntry } from '../../../src/quota/embedded/journal.ts'
import { openEmbeddedStore } from '../../../src/quota/embedded/open.ts'
import type { QuotaStore } from '../../../src/quota/store.ts'
import { fakeClock } from '../fake-clock.ts'
import { limitOf } from '../simulated-limit.ts'
import { ask, correct, crowd, passed, usedOf } from '../store-subject.ts'

const root = mkdtempSync(join(tmpdir(), 'sallyport-quota-marks-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))
const folder = (): string => mkdtempSync(join(root, 'f'))
const clock = fakeClock(Date.UTC(2026, 10, 28, 12))
const daily = limitOf({ name: 'daily', counts: 'total_tokens', per: 'day', amount: 10_000 })
const rate = limitOf({ name: 'rate', per: 'hour', amount: 10, burst: 5 })

/** What is on the disk: the lines, and the mark of each counter. */
function onDisk(directory: string): { readonly lines: number; markOf(limit: Limit): number } {
  const lines = readFileSync(join(directory, 'quota.journal'), 'utf8').split('\n').slice(0, -1)
  const entries = lines.flatMap((line) => JSON.parse(line.slice(9)) as JournalEntry[])
  const isOf = (entry: JournalEntry, { key }: Limit) =>
    entry.kind === 'budget' && entry.bucket === `${key}@2026-11-28`
  return {
    lines: lines.length,
    markOf: (limit) => {
      const last = entries.findLast((entry) => isOf(entry, limit))
      return last?.kind === 'budget' ? last.used : 0
    },
  }
}

async function withStore(
  work: (store: QuotaStore, directory: string) => Promise<void>,
  bounds: { readonly bucketsMax?: number } = {},
): Promise<void> {
  const directory = folder()
  const store = await openEmbeddedStore({ clock, directory, ...bounds })
  try {
    await work(store, directory)
  } finally {
    await store.close()
  }
}

t.test('a crowd waits for one write, not for one each', async (t) => {
  await withStore(async (store, directory) => {
    t.equal(passed(await crowd(store, 200, [ask(daily, 45)])), 200)
    t.ok(onDisk(directory).lines <= 2, `${onDisk(directory).lines} writes`)
    t.equal(passed(await crowd(store, 200, [ask(daily, 45)], 'more')), 22)
    t.equal(await usedOf(store, daily), 9_990)
  })
})

t.test('what is refused anyway writes nothing, nor does what finds no room', async (t) => {
  await withStore(async (store, directory) => {
    await crowd(store, 5, [ask(rate)])
    t.equal(passed(await crowd(store, 50, [ask(rate), ask(daily, 10)], 'more')), 0)
    t.equal(onDisk(directory).lines, 0)
  })
  await withStore(
    async (store, directory) => {
      for (let n = 0; n < 20; n += 1)
        await store.admit(`e${n}`, [ask({ ...daily, key: `k${n}` })]).catch(() => {})
      t.equal(store.size.buckets, 3)
      t.equal(onDisk(directory).lines, 3)
    },
    { bucketsMax: 3 },
  )
})

t.test(
  'returned reservations lower the mark: a crash takes two hundredths, not all that was set aside',
  async (t) => {
    await withStore(async (store, directory) => {
      await crowd(store, 300, [ask(daily, 30)])
      t.ok(onDisk(directory).markOf(daily) >= 9_000)
      for (let n = 0; n < 300; n += 1) await store.settle(`crowd-${n}`, [correct(daily, 30, 1)])
      const found = await usedOf(store, daily)
      t.equal(found, 300)
      await store.documents.put('after', 'what was asked for before is written', 0)
      const mark = onDisk(directory).markOf(daily)
      t.ok(mark >= 300 && mark <= 300 + 2 * 120, `${mark}`)
    })
  },
)

t.test('a disk that takes nothing never makes a limit in shadow mode refuse', async (t) => {
  const append = Journal.prototype.append
  t.teardown(() => {
    Journal.prototype.append = append
  })
  await withStore(async (store) => {
    Journal.prototype.append = () => Promise.reject(new Error('ENOSPC, as far as the process can tell'))
    const shadow: Limit = { ...daily, mode: 'shadow', onStoreFailure: 'closed' }
    t.match(await store.admit('e', [ask(rate), ask(shadow, 50)]), { allowed: true, by: 'store' })
    t.equal(await usedOf(store, shadow), 50)
    Journal.prototype.append = append
  })
})

type Act = 'admit' | 'settle' | 'reset' | 'turn' | 'wait'
interface Step {
  readonly act: Act
  readonly limit: number
  readonly units: number
}

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom<Act[]>(
    'admit',
    'admit',
    'admit',
    'settle',
    'settle',
    'settle',
    'turn',
    'wait',
    'reset',
  ),
  limit: fc.nat(1),
  units: fc.oneof(fc.nat(20), fc.nat(250)),
})
const limits = [
  daily,
  limitOf({ ...daily, name: 'other', key: 'other', amount: 2_000, burst: 2_000 }),
] as const

/** Exchanges that are told to a store at once, and what it has not answered yet. */
class Crowd {
  readonly #store: QuotaStore
  readonly #open: { readonly id: string; readonly limit: Limit; readonly units: number }[] = []
  #asked: Promise<void>[] = []
  #next = 0

  constructor(store: QuotaStore) {
    this.#store = store
  }

  tell({ act, limit: which, units }: Step): void {
    const limit = limits[which as 0 | 1]
    if (act === 'admit') this.#asked.push(this.#admit(limit, units))
    if (act === 'settle') this.#asked.push(this.#settle(units))
    if (act === 'reset' && units < 5) this.#asked.push(this.#store.reset(limit))
  }

  async answered(): Promise<void> {
    const asked = this.#asked
    this.#asked = []
    await Promise.all(asked)
  }

  async #admit(limit: Limit, units: number): Promise<void> {
    this.#next += 1
    const id = `e${this.#next}`
    if ((await this.#store.admit(id, [ask(limit, units)])).allowed) this.#open.push({ id, limit, units })
  }

  async #settle(used: number): Promise<void> {
    const exchange = this.#open.shift()
    if (exchange === undefined) return
    await this.#store.settle(exchange.id, [correct(exchange.limit, exchange.units, used)])
  }
}

/** Whether, whenever all was answered, no mark on the disk is below its counter. */
async function marksHold(steps: readonly Step[], store: QuotaStore, directory: string): Promise<boolean> {
  const crowd = new Crowd(store)
  for (const step of steps) {
    crowd.tell(step)
    if (step.act === 'turn') await new Promise((resolve) => setImmediate(resolve))
    if (step.act !== 'wait') continue
    await crowd.answered()
    const disk = onDisk(directory)
    for (const each of limits) if (disk.markOf(each) < (await usedOf(store, each))) return false
  }
  await crowd.answered()
  return true
}

t.test('whatever comes at once, no mark on the disk is below what was charged', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 120, size: 'max' }), async (steps) => {
      let held = false
      await withStore(async (store, directory) => {
        held = await marksHold([...steps, { act: 'wait', limit: 0, units: 0 }], store, directory)
      })
      return held
    }),
    { numRuns: 120 },
  )
  t.pass()
})
