// The journal: whatever a crash leaves of it, budgets are never below what was charged, and documents are whole.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Journal, type JournalEntry } from '../../../src/quota/embedded/journal.ts'
import { openEmbeddedStore } from '../../../src/quota/embedded/open.ts'
import type { QuotaStore } from '../../../src/quota/store.ts'
import { fakeClock } from '../fake-clock.ts'
import { limitOf } from '../simulated-limit.ts'
import { ask, correct, usedOf } from '../store-subject.ts'

const root = mkdtempSync(join(tmpdir(), 'sallyport-quota-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))
let folders = 0
function folder(): string {
  folders += 1
  const path = join(root, String(folders))
  mkdirSync(path)
  return path
}

const clock = fakeClock(Date.UTC(2026, 10, 28, 12))
const daily = limitOf({ name: 'daily', counts: 'total_tokens', per: 'day', amount: 1_000 })
const open = (directory: string): Promise<QuotaStore> => openEmbeddedStore({ clock, directory })
const entry = (used: number, bucket = 'b'): JournalEntry => ({ kind: 'budget', bucket, used, endMs: 9e15 })
const nothingIsOver = () => false

/** What another process would find there now, as after a power cut. */
function copyOf(directory: string): string {
  const copy = folder()
  copyFileSync(join(directory, 'quota.journal'), join(copy, 'quota.journal'))
  return copy
}

t.test('a clean end keeps budgets exactly, and documents with their versions', async (t) => {
  const directory = folder()
  const store = await open(directory)
  await store.admit('e', [ask(daily, 100)])
  await store.settle('e', [correct(daily, 100, 37)])
  await store.documents.put('quota/a', '{"x":1}', 0)
  await store.documents.put('quota/gone', 'x', 0)
  await store.documents.delete('quota/gone', 1)
  await store.close()
  const again = await open(directory)
  t.equal(await usedOf(again, daily), 37)
  t.same([...(await again.documents.list(''))], [['quota/a', { version: 1, text: '{"x":1}' }]])
  t.equal(await again.documents.put('quota/a', 'y', 1), 2)
  await again.close()
})

t.test(
  'a crash at any moment: at least what was charged, at most a hundredth or four calls more',
  async (t) => {
    const directory = folder()
    const store = await open(directory)
    let charged = 0
    for (let n = 0; n < 60; n += 1) {
      const units = 1 + (n % 20)
      if ((await store.admit(`e${n}`, [ask(daily, units)])).allowed) charged += units
      if (n % 3 === 0) {
        await store.settle(`e${n}`, [correct(daily, units, units + 5)])
        charged += 5
      }
      const after = await open(copyOf(directory))
      const found = await usedOf(after, daily)
      await after.close()
      t.ok(found >= Math.min(charged, 1_000) && found <= charged + 4 * 20, `${found} for ${charged}`)
    }
    await store.close()
  },
)

t.test('a file that ends anywhere: every whole line counts, the last may be cut off', async (t) => {
  const directory = folder()
  const journal = await Journal.open(directory, nothingIsOver)
  for (const used of [5, 10, 15]) await journal.append(entry(used))
  const bytes = readFileSync(join(directory, 'quota.journal'))
  const lines = bytes.toString().split('\n')
  for (let length = 0; length <= bytes.length; length += 1) {
    const cut = folder()
    writeFileSync(join(cut, 'quota.journal'), bytes.subarray(0, length))
    const read = await Journal.open(cut, nothingIsOver)
    const whole = bytes.subarray(0, length).toString().split('\n').length - 1
    const [found] = read.state.values()
    t.equal(found?.kind === 'budget' ? found.used : 0, whole * 5)
    await read.close([])
  }
  t.equal(lines.length, 4)
  await journal.close([])
})

t.test('damage that no crash makes is an error, and says what to do', async (t) => {
  const directory = folder()
  const journal = await Journal.open(directory, nothingIsOver)
  for (const used of [5, 10, 15]) await journal.append(entry(used))
  await journal.close([entry(15), entry(3, 'c')])
  const path = join(directory, 'quota.journal')
  const bytes = readFileSync(path)
  for (let at = 0; at < bytes.indexOf(10); at += 1) {
    const damaged = folder()
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] as number) ^ 1
    writeFileSync(join(damaged, 'quota.journal'), copy)
    await t.rejects(open(damaged), { name: 'JournalError', message: /line 1\. Restore it from a copy/ })
  }
})

t.test('the file is bounded by what it holds', async (t) => {
  const directory = folder()
  const journal = await Journal.open(directory, nothingIsOver)
  for (let n = 0; n < 300; n += 1)
    await journal.append(...Array.from({ length: 100 }, (_, used) => entry(n * 100 + used)))
  t.ok(statSync(join(directory, 'quota.journal')).size < 10_500 * 100)
  await journal.append(entry(30_000))
  await journal.close([])
  const again = await Journal.open(directory, nothingIsOver)
  t.same([...again.state.values()], [entry(30_000)])
  await again.close([])
})

t.test('what is over is left out while the journal is open, too', async (t) => {
  const directory = folder()
  let now = 0
  const journal = await Journal.open(directory, (entry) => entry.kind === 'budget' && entry.endMs <= now)
  // As many budgets as are ever used, a few entries each, day after day.
  for (; now < 60; now += 1)
    await journal.append(
      ...Array.from(
        { length: 1_000 },
        (_, n): JournalEntry => ({ kind: 'budget', bucket: `k${n}@${now}`, used: 1, endMs: now + 1 }),
      ),
    )
  t.ok(journal.state.size <= 15_000, `${journal.state.size} entries of 60 000 are kept`)
  await journal.close([])
})

t.test('a journal that cannot be rewritten goes on, and is rewritten when it can be', async (t) => {
  const directory = folder()
  const journal = await Journal.open(directory, nothingIsOver)
  const path = join(directory, 'quota.journal')
  // Nothing can be written aside: a folder is in its place.
  mkdirSync(`${path}.new`)
  const many = (from: number) => Array.from({ length: 10_001 }, (_, n) => entry(from + n))
  await journal.append(...many(0))
  t.notOk(journal.healthy)
  await journal.append(entry(20_000))
  t.ok(journal.healthy)
  t.match(readFileSync(path, 'utf8').split('\n').length, 3)
  rmSync(`${path}.new`, { recursive: true })
  await journal.append(...many(30_000))
  t.same(readFileSync(path, 'utf8').split('\n').length, 2)
  await journal.append(entry(50_000))
  const again = await Journal.open(copyOf(directory), nothingIsOver)
  t.same([...again.state.values()], [entry(50_000)])
  await again.close([])
  await journal.close([])
})

t.test('a period that is over is left out', async (t) => {
  const directory = folder()
  const store = await open(directory)
  await store.admit('e', [ask(daily, 10)])
  await store.close()
  clock.advance(3 * 86_400_000)
  const later = await open(directory)
  t.same((await later.keys('', '', 10)).keys, [])
  await later.close()
  t.equal(readFileSync(join(directory, 'quota.journal'), 'utf8'), '')
})

t.test('a reset outlives a crash', async (t) => {
  const directory = folder()
  const store = await open(directory)
  await store.admit('e', [ask(daily, 900)])
  await store.reset(daily)
  const after = await open(copyOf(directory))
  t.equal(await usedOf(after, daily), 0)
  await after.close()
  await store.close()
})

t.test('a disk that takes nothing: limits do what they are told to, and health says so', async (t) => {
  const directory = folder()
  const journal = await Journal.open(directory, nothingIsOver)
  await journal.close([])
  const store = await open(directory)
  await store.admit('first', [ask(daily, 1)])
  // A full disk, as far as the process can tell: no file may grow any more.
  const append = Journal.prototype.append
  Journal.prototype.append = () => Promise.reject(new Error('ENOSPC'))
  t.teardown(() => {
    Journal.prototype.append = append
  })
  t.match(await store.admit('within', [ask(daily, 5)]), { allowed: true })
  t.match(await store.admit('beyond', [ask(daily, 500)]), { allowed: false, by: 'closed' })
  const open_ = { ...daily, onStoreFailure: 'open' } as const
  t.match(await store.admit('open', [ask(open_, 500)]), { allowed: true })
  Journal.prototype.append = append
  t.match(await store.admit('again', [ask(daily, 300)]), { allowed: true })
  await store.close()
})
