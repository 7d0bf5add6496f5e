import t from 'tap'
import { Limits } from '../../src/gateway/limits.ts'
import { writeOverride, writeQuota } from '../../src/ops/documents.ts'
import type { LimitRule } from '../../src/policy/limit-rule.ts'
import type { DocumentStore, StoredDocument } from '../../src/quota/store.ts'
import { SteppedClock } from './stepped-clock.ts'

const rule: LimitRule = {
  counts: 'requests',
  per: 'minute',
  amount: 60,
  by: ['tenant'],
  mode: 'enforce',
  onStoreFailure: 'lease',
  timeZone: 'UTC',
}
const role = { limits: { requestsPerMinute: 6, inFlight: 1 } }
const configuration = { policies: { roles: { app: role }, limits: { tpm: rule } } } as never
const caller = { id: 'i/alice', tenant: 'acme', roles: ['app'] }
const said = { changedBy: 'i/bob', changedAt: '2030-01-01T00:00:00.000Z' }

/** Documents in memory that can fail, be slow and be scribbled into. */
class SimulatedDocuments implements DocumentStore {
  readonly texts = new Map<string, StoredDocument>()
  readonly #watchers = new Map<string, () => void>()
  fault: Error | undefined
  lists = 0
  gate: Promise<void> | undefined

  set(name: string, text: string): void {
    this.texts.set(name, { version: (this.texts.get(name)?.version ?? 0) + 1, text })
  }

  tell(prefix = 'quota/'): void {
    this.#watchers.get(prefix)?.()
  }

  get watched(): number {
    return this.#watchers.size
  }

  async get(name: string) {
    return this.texts.get(name)
  }

  async list(prefix: string) {
    this.lists += 1
    const found = new Map([...this.texts].filter(([name]) => name.startsWith(prefix)))
    await this.gate
    if (this.fault) throw this.fault
    return found
  }

  async put(): Promise<undefined> {
    return undefined
  }

  async delete(name: string) {
    return this.texts.delete(name)
  }

  watch(prefix: string, changed: () => void): Disposable {
    this.#watchers.set(prefix, changed)
    return { [Symbol.dispose]: () => void this.#watchers.delete(prefix) }
  }
}

async function stage({ configured = true } = {}) {
  const documents = new SimulatedDocuments()
  const clock = new SteppedClock()
  const rejected: string[] = []
  let unreadable = 0
  const learned = new Set<string>()
  const limits = new Limits({
    store: { documents },
    clock,
    events: {
      limitDocumentRejected: (name, fault) => rejected.push(`${name}: ${fault}`),
      limitsUnreadable: () => {
        unreadable += 1
      },
    },
    learn: (names) => {
      for (const name of names) learned.add(name)
    },
  })
  if (configured) limits.configure(configuration)
  t.teardown(() => limits.close())
  const limit = (name: string) => limits.limitsFor(caller).find((each) => each.name === name)
  const override = (id: string, fields: object) =>
    documents.set(
      `override/${id}`,
      writeOverride({
        limit: 'tpm',
        match: { tenant: 'acme' },
        amount: 600,
        expiresAt: clock.now() + 60_000,
        reason: 'test',
        createdBy: 'i/bob',
        createdAt: clock.now(),
        ...fields,
      }),
    )
  return { documents, clock, limits, limit, rejected, learned, override, unreadable: () => unreadable }
}

t.test('what the configuration says counts, then the quota, then the override', async (t) => {
  const { documents, limits, limit, override, learned } = await stage()
  await limits.start()
  t.match(limit('tpm'), { amount: 60, source: 'config' })
  documents.set('quota/tpm', writeQuota({ rule: { ...rule, amount: 90 }, ...said }))
  documents.set('quota/extra', writeQuota({ rule, ...said }))
  documents.tell()
  await limits.refresh()
  t.match(limit('tpm'), { amount: 90, source: 'operator' })
  t.match(limit('extra'), { amount: 60, source: 'operator' })
  t.ok(learned.has('extra') && learned.has('role.app.requests'))
  override('a', {})
  await limits.refresh()
  t.match(limit('tpm'), { amount: 600, source: 'override' })
  t.match(limits.all.get('tpm'), { source: 'operator', configured: { amount: 60 }, quota: { version: 1 } })
})

t.test('of several overrides the one that says most wins, then the newest', async (t) => {
  const { limits, limit, override, clock } = await stage()
  override('a', { amount: 100, createdAt: clock.now() - 10 })
  override('b', { amount: 200, createdAt: clock.now() - 5 })
  await limits.start()
  t.equal(limit('tpm')?.amount, 200)
})

t.test('1. while the store cannot be read the last reading counts, and it is asked again', async (t) => {
  const { documents, limits, limit, clock, unreadable } = await stage()
  documents.set('quota/tpm', writeQuota({ rule: { ...rule, amount: 90 }, ...said }))
  await limits.start()
  documents.fault = new Error('away')
  documents.set('quota/tpm', writeQuota({ rule: { ...rule, amount: 91 }, ...said }))
  await limits.refresh()
  t.equal(limit('tpm')?.amount, 90)
  t.equal(unreadable(), 1)
  documents.fault = undefined
  await clock.step(1_000)
  await limits.refresh()
  t.equal(limit('tpm')?.amount, 91)
})

t.test('1. a store that is away at the start leaves the configuration', async (t) => {
  const { documents, limits, limit, clock } = await stage()
  documents.fault = new Error('away')
  documents.set('quota/tpm', writeQuota({ rule: { ...rule, amount: 90 }, ...said }))
  await limits.start()
  t.match(limit('tpm'), { amount: 60, source: 'config' })
  documents.fault = undefined
  await clock.step(1_000)
  await limits.refresh()
  t.equal(limit('tpm')?.amount, 90)
})

t.test('2. what cannot be read changes nothing, and is complained of once for each version', async (t) => {
  const { documents, limits, limit, rejected } = await stage()
  documents.set('quota/tpm', writeQuota({ rule: { ...rule, amount: 90 }, ...said }))
  await limits.start()
  const good = JSON.parse(writeQuota({ rule, ...said }))
  const bad = [
    'not json',
    '[]',
    'null',
    '{}',
    JSON.stringify({ ...good, rule: { ...rule, amount: -1 } }),
    JSON.stringify({ ...good, rule: { ...rule, amount: 1.5 } }),
    JSON.stringify({ ...good, rule: { ...rule, per: 'eon' } }),
    JSON.stringify({ ...good, rule: { ...rule, timeZone: 'Mars/Base' } }),
  ]
  for (const [index, text] of bad.entries()) {
    documents.set('quota/tpm', text)
    documents.set(`quota/new-${index}`, text)
    await limits.refresh()
    await limits.refresh()
    t.equal(limit('tpm')?.amount, 90, `bad ${index}`)
    t.equal(limit(`new-${index}`), undefined)
  }
  t.equal(rejected.length, 2 * bad.length)
  documents.set('quota/UPPER', writeQuota({ rule, ...said }))
  documents.set('quota/role.app.in_flight', writeQuota({ rule, ...said }))
  await limits.refresh()
  t.notOk(limits.all.has('UPPER'))
  t.equal(limits.all.get('role.app.in_flight')?.source, 'role', 'a quota that is no limit of a role')
  documents.set('quota/tpm', writeQuota({ rule: { ...rule, amount: 70 }, ...said }))
  await limits.refresh()
  t.equal(limit('tpm')?.amount, 70)
})

t.test('2. an override of a limit that is gone counts when the limit is back', async (t) => {
  const { limits, limit, override } = await stage()
  override('a', {})
  await limits.start()
  limits.configure({ policies: { roles: { app: role } } } as never)
  t.equal(limit('tpm'), undefined)
  limits.configure(configuration)
  t.equal(limit('tpm')?.amount, 600)
})

t.test('3. an override ends at its time although the store is away', async (t) => {
  const { documents, limits, limit, override, clock } = await stage()
  override('a', { expiresAt: clock.now() + 5_000 })
  override('b', { amount: 300, expiresAt: clock.now() + 9_000, createdAt: clock.now() - 1 })
  await limits.start()
  documents.fault = new Error('away')
  t.equal(limit('tpm')?.amount, 600)
  await clock.step(5_000)
  t.equal(limit('tpm')?.amount, 300)
  t.same([...limits.overrides.keys()], ['b'])
  await clock.step(4_000)
  t.equal(limit('tpm')?.amount, 60)
  t.equal(clock.sleepers, 0)
})

t.test('3. one that ended long ago is forgotten', async (t) => {
  const { documents, limits, override, clock } = await stage()
  override('a', { expiresAt: clock.now() + 1_000 })
  await limits.start()
  await clock.step(1_000)
  await limits.refresh()
  t.ok(documents.texts.has('override/a'), 'clocks differ')
  await clock.step(86_400_001)
  await limits.refresh()
  t.notOk(documents.texts.has('override/a'))
})

t.test('4. many changes told during one reading lead to one more', async (t) => {
  const { documents, limits, limit } = await stage()
  await limits.start()
  const { promise, resolve } = Promise.withResolvers<void>()
  documents.gate = promise
  const before = documents.lists
  const first = limits.refresh()
  await Promise.resolve()
  documents.set('quota/tpm', writeQuota({ rule: { ...rule, amount: 90 }, ...said }))
  for (let told = 0; told < 50; told += 1) documents.tell()
  documents.gate = undefined
  resolve()
  await first
  await limits.refresh()
  t.equal(limit('tpm')?.amount, 90)
  t.ok(documents.lists - before <= 6, `${documents.lists - before} lists`)
})

t.test('5. after close nothing is read, watched or waited for', async (t) => {
  const { documents, limits, override, clock } = await stage()
  override('a', {})
  await limits.start()
  await limits.close()
  t.equal(documents.watched, 0)
  t.equal(clock.sleepers, 0)
  const { lists } = documents
  await limits.refresh()
  t.equal(documents.lists, lists)
  limits.configure(configuration)
  t.equal(clock.sleepers, 0)
})

t.test(
  'what was read before the first configuration counts from then on, and is not complained of',
  async (t) => {
    const { documents, limits, limit, override, rejected } = await stage({ configured: false })
    documents.set('quota/tpm', writeQuota({ rule: { ...rule, amount: 90 }, ...said }))
    override('a', { match: { tenant: 'other' } })
    await limits.start()
    t.same(rejected, [])
    limits.configure(configuration)
    t.equal(limit('tpm')?.amount, 90)
  },
)
