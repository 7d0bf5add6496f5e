/**
 * What every quota store keeps to: the invariants of src/quota/store.ts. Runs on the embedded store with a fake clock and
 * on Redis in real time: states that must last use limits per hour, which flow back too slowly to matter.
 */
import t from 'tap'
import { processes } from './contract-of-processes.ts'
import { limitOf } from './simulated-limit.ts'
import { ask, type Case, correct, crowd, type MakeSubject, passed, usedOf } from './store-subject.ts'

/** Registers the suite. `make` is called once for each test. */
export function storeContract(name: string, make: MakeSubject): void {
  const test: Case = (title, body) =>
    void t.test(`${name}: ${title}`, async (t) => {
      const subject = await make()
      try {
        await body(t, subject)
      } finally {
        await subject.close()
      }
    })
  const groups = [rates, slots, budgets, together, shadows, settlements, operators, documents, processes]
  for (const register of groups) register(test)
}

const hourly = limitOf({ name: 'hourly', per: 'hour', amount: 10, burst: 7 })
const slot = limitOf({ name: 'slots', counts: 'in_flight', amount: 3 })
const daily = limitOf({ name: 'daily', counts: 'total_tokens', per: 'day', amount: 100 })
const tokens = limitOf({ name: 'tokens', counts: 'total_tokens', per: 'hour', amount: 1_000, burst: 50 })

function rates(test: Case): void {
  test('of 200 at once exactly the burst passes', async (t, { store }) => {
    const decisions = await crowd(store, 200, [ask(hourly)])
    t.equal(passed(decisions), 7)
    t.equal(await usedOf(store, hourly), 7)
  })

  test('the wait is exact: too early is refused, on time passes', async (t, { store, elapse, exactTime }) => {
    const limit = limitOf({ name: 'fast', per: 'second', amount: 4, burst: 2 })
    t.equal(passed(await crowd(store, 2, [ask(limit)])), 2)
    const { allowed, deciding } = await store.admit('late', [ask(limit)])
    t.notOk(allowed)
    const waitMs = Number(deciding?.waitMs)
    t.ok(waitMs > 0 && waitMs <= 250)
    if (exactTime) {
      await elapse(waitMs - 1)
      t.notOk((await store.admit('early', [ask(limit)])).allowed)
      await elapse(1)
    } else await elapse(waitMs + 5)
    t.ok((await store.admit('on-time', [ask(limit)])).allowed)
  })

  test('more than the burst can never pass, and changes nothing', async (t, { store }) => {
    const { allowed, deciding } = await store.admit('e', [ask(tokens, 51)])
    t.notOk(allowed)
    t.equal(deciding?.waitMs, Number.POSITIVE_INFINITY)
    t.equal(await usedOf(store, tokens), 0)
    t.ok((await store.admit('f', [ask(tokens, 50)])).allowed)
  })

  test('a key is a bucket: others do not feel it', async (t, { store }) => {
    await crowd(store, 7, [ask(hourly)])
    t.ok((await store.admit('e', [ask({ ...hourly, key: 'other' })])).allowed)
  })

  test('nothing asked, nothing refused', async (t, { store }) => {
    await crowd(store, 7, [ask(hourly)])
    t.ok((await store.admit('zero', [ask(hourly, 0)])).allowed)
    await store.settle('large', [correct(hourly, 0, 70), correct(daily, 0, 700)])
    t.ok((await store.admit('zero-of-overdrawn', [ask(hourly, 0), ask(daily, 0)])).allowed)
    t.match(await store.admit('none', []), { allowed: true, states: [] })
  })
}

function slots(test: Case): void {
  test('a slot is held until the exchange is settled, and given back once', async (t, { store }) => {
    t.equal(passed(await crowd(store, 20, [ask(slot)], 'e')), 3)
    t.equal(await usedOf(store, slot), 3)
    for (let n = 0; n < 20; n += 1) await store.settle(`e-${n}`, [correct(slot, 1, 0)])
    t.equal(await usedOf(store, slot), 0)
    await store.admit('again', [ask(slot)])
    await store.settle('e-0', [correct(slot, 1, 0)])
    t.equal(await usedOf(store, slot), 1, 'a settlement of another exchange frees nothing')
  })
}

function budgets(test: Case): void {
  test('a budget holds whatever comes at once, and its wait is the end of the day', async (t, { store }) => {
    const decisions = await crowd(store, 30, [ask(daily, 9)])
    t.equal(passed(decisions), 11)
    t.equal(await usedOf(store, daily), 99)
    const { deciding } = await store.admit('one-more', [ask(daily, 2)])
    t.ok(deciding && deciding.waitMs > 0 && deciding.waitMs <= 90_000_000)
    t.ok((await store.admit('the-last', [ask(daily, 1)])).allowed)
  })

  test('another time zone, another month: each has its own counter', async (t, { store }) => {
    const others = [
      limitOf({ ...daily, name: 'monthly', per: 'month', key: 'monthly' }),
      limitOf({ ...daily, name: 'tokyo', timeZone: 'Asia/Tokyo', key: 'tokyo' }),
    ]
    await store.admit('e', [ask(daily, 100), ...others.map((limit) => ask(limit, 60))])
    t.equal(await usedOf(store, daily), 100)
    for (const limit of others) t.equal(await usedOf(store, limit), 60)
  })

  test('a day that ends: the next has its whole amount, settlements go to the old one', async (t, {
    store,
    turnDay,
  }) => {
    if (turnDay === undefined) {
      t.pass('the wall clock of this store cannot be moved')
      return
    }
    await store.admit('over-midnight', [ask(daily, 80)])
    await turnDay()
    t.equal(await usedOf(store, daily), 0)
    t.ok((await store.admit('new-day', [ask(daily, 100)])).allowed)
    await store.settle('over-midnight', [correct(daily, 80, 10)])
    t.equal(await usedOf(store, daily), 100)
  })
}

function together(test: Case): void {
  test('all or nothing, whichever refuses', async (t, { store }) => {
    const used = async () => Promise.all([hourly, slot, daily, tokens].map((limit) => usedOf(store, limit)))
    const demands = [ask(hourly), ask(slot), ask(daily, 30), ask(tokens, 10)]
    for (let n = 0; n < 3; n += 1) t.ok((await store.admit(`e-${n}`, demands)).allowed)
    const before = await used()
    t.same(before, [3, 3, 90, 30])
    const bySlot = await store.admit('by-slot', [ask(hourly), ask(slot)])
    t.equal(bySlot.deciding?.state.limit.name, 'slots')
    const byBudget = await store.admit('by-budget', [ask(hourly), ask(daily, 30), ask(tokens, 10)])
    t.equal(byBudget.deciding?.state.limit.name, 'daily')
    const byTokens = await store.admit('by-tokens', [ask(hourly), ask(tokens, 21)])
    t.equal(byTokens.deciding?.state.limit.name, 'tokens')
    t.same(await used(), before)
  })

  test('the limit with the longest wait decides', async (t, { store }) => {
    const brief = limitOf({ name: 'brief', per: 'second', amount: 1, burst: 1 })
    await store.admit('e', [ask(brief), ask(hourly, 7)])
    const { deciding, states } = await store.admit('f', [ask(brief), ask(hourly)])
    t.equal(deciding?.state.limit.name, 'hourly')
    t.same(
      states.map(({ limit }) => limit.name),
      ['brief', 'hourly'],
    )
  })

  test('what is foreseen is what would be refused', async (t, { store }) => {
    t.equal(store.foresee([ask(hourly)]), undefined)
    await crowd(store, 8, [ask(hourly)])
    const foreseen = store.foresee([ask(hourly)])
    t.equal(foreseen?.state.limit.name, 'hourly')
    t.ok(Number(foreseen?.waitMs) > 0)
    t.equal(store.foresee([ask({ ...hourly, mode: 'shadow' })]), undefined)
    t.equal(store.foresee([ask(hourly, 0)]), undefined, 'what asks for nothing passes')
  })

  test('what may pass again is not foreseen to be refused', async (t, { store, elapse }) => {
    const brief = limitOf({ name: 'brief', per: 'second', amount: 10, burst: 1 })
    await crowd(store, 3, [ask(brief)])
    await elapse(110)
    t.equal(store.foresee([ask(brief)]), undefined)
    for (let n = 0; n < 5; n += 1) store.foresee([ask(slot), ask(tokens, 5)])
    t.equal(await usedOf(store, slot), 0, 'foreseeing takes nothing')
    t.equal(await usedOf(store, tokens), 0)
  })

  test('a refused exchange leaves nothing behind: it may be admitted later', async (t, { store }) => {
    await store.admit('holder', [ask(daily, 100)])
    t.notOk((await store.admit('e', [ask(daily, 5), ask(slot)])).allowed)
    await store.settle('holder', [correct(daily, 100, 0)])
    t.ok((await store.admit('e', [ask(daily, 5), ask(slot)])).allowed)
    t.equal(await usedOf(store, daily), 5)
    t.equal(await usedOf(store, slot), 1)
  })
}

function shadows(test: Case): void {
  const shadow = limitOf({ ...hourly, mode: 'shadow' })
  test('a limit in shadow refuses nothing, and says what it would have', async (t, { store }) => {
    const decisions = await crowd(store, 10, [ask(shadow), ask(daily)])
    t.equal(passed(decisions), 10)
    t.equal(decisions.filter(({ shadowed }) => shadowed.length === 1).length, 3)
    t.equal(await usedOf(store, shadow), 7, 'charged only where there was room')
    await Promise.all(
      decisions.map((_, n) => store.settle(`crowd-${n}`, [correct(shadow, 1, 0), correct(daily, 1, 1)])),
    )
    t.equal(await usedOf(store, shadow), 0, 'what was not charged is not given back')
    t.equal(await usedOf(store, daily), 10)
  })
}

function settlements(test: Case): void {
  test('the difference is returned or charged, in every unit', async (t, { store }) => {
    const admit = (id: string) => store.admit(id, [ask(hourly), ask(daily, 40), ask(tokens, 20)])
    await admit('less')
    await store.settle('less', [correct(hourly, 1, 1), correct(daily, 40, 15), correct(tokens, 20, 5)])
    await admit('more')
    await store.settle('more', [correct(hourly, 1, 1), correct(daily, 40, 60), correct(tokens, 20, 25)])
    t.equal(await usedOf(store, hourly), 2)
    t.equal(await usedOf(store, daily), 75)
    t.equal(await usedOf(store, tokens), 30)
  })

  test('settlements that come at once count once', async (t, { store }) => {
    await store.admit('e', [ask(daily, 40), ask(tokens, 40)])
    const corrections = [correct(daily, 40, 10), correct(tokens, 40, 45)]
    await Promise.all(Array.from({ length: 10 }, () => store.settle('e', corrections)))
    t.equal(await usedOf(store, daily), 10)
    t.equal(await usedOf(store, tokens), 45)
  })

  test('a settlement that comes again changes nothing, nor does one that comes first', async (t, {
    store,
  }) => {
    await store.admit('e', [ask(daily, 40), ask(slot)])
    for (let n = 0; n < 3; n += 1) await store.settle('e', [correct(daily, 40, 10), correct(slot, 1, 0)])
    t.equal(await usedOf(store, daily), 10)
    await store.settle('before', [correct(daily, 40, 0), correct(slot, 1, 0)])
    await store.admit('before', [ask(daily, 40), ask(slot)])
    t.equal(await usedOf(store, daily), 10)
    t.equal(await usedOf(store, slot), 0)
  })

  test('an exchange that was never admitted is charged what it used', async (t, { store }) => {
    await store.settle('stranger', [correct(hourly, 0, 1), correct(daily, 0, 12)])
    t.equal(await usedOf(store, hourly), 1)
    t.equal(await usedOf(store, daily), 12)
  })

  test('a charge beyond the limit makes others wait', async (t, { store }) => {
    await store.settle('large', [correct(tokens, 0, 500)])
    const { deciding } = await store.admit('e', [ask(tokens, 1)])
    t.ok(Number(deciding?.waitMs) > 1_000_000)
  })

  test('the same exchange admitted twice is charged once', async (t, { store }) => {
    await store.admit('e', [ask(daily, 40)])
    await store.admit('e', [ask(daily, 40)])
    t.equal(await usedOf(store, daily), 40)
  })
}

function operators(test: Case): void {
  test('a bucket is emptied alone', async (t, { store }) => {
    await store.admit('e', [ask(hourly, 7), ask(daily, 50), ask(slot)])
    for (const limit of [hourly, daily, slot]) {
      await store.reset(limit)
      t.equal(await usedOf(store, limit), 0)
    }
    await store.settle('e', [correct(hourly, 7, 0), correct(daily, 50, 0), correct(slot, 1, 0)])
    for (const limit of [hourly, daily, slot]) t.equal(await usedOf(store, limit), 0, 'nothing below empty')
  })

  test('another amount keeps what was used', async (t, { store }) => {
    await store.admit('e', [ask(daily, 60)])
    const [state] = await store.peek([{ ...daily, amount: 50, burst: 50 }])
    t.match(state, { used: 60, remaining: 0 })
  })

  test('buckets in use are listed in pages', async (t, { store }) => {
    for (let n = 0; n < 5; n += 1)
      await store.admit(`e-${n}`, [ask({ ...hourly, key: `a${n}|requests/hour|` })])
    await store.admit('f', [
      ask({ ...daily, key: 'b|total_tokens/day|' }, 5),
      ask({ ...slot, key: 'c|in_flight|' }),
    ])
    const keys = new Set<string>()
    let cursor = ''
    do {
      const page = await store.keys('', cursor, 2)
      for (const key of page.keys) keys.add(key)
      cursor = page.cursor
    } while (cursor !== '')
    t.equal(keys.size, 7)
    t.ok(keys.has('b|total_tokens/day|') && keys.has('c|in_flight|'))
    t.same((await store.keys('a3', '', 10)).keys, ['a3|requests/hour|'])
  })

  test('a decision is kept and found', async (t, { store }) => {
    store.decisions.keep('e', '{"why":1}')
    t.equal(await store.decisions.find('e'), '{"why":1}')
    t.equal(await store.decisions.find('f'), undefined)
  })
}

function documents(test: Case): void {
  test('a document changes only for who knows its version', async (t, { store: { documents } }) => {
    t.equal(await documents.put('quota/a', 'one', 0), 1)
    t.equal(await documents.put('quota/a', 'two', 0), undefined)
    t.equal(await documents.put('quota/a', 'two', 1), 2)
    t.same(await documents.get('quota/a'), { version: 2, text: 'two' })
    t.equal(await documents.get('quota/b'), undefined)
    t.equal(await documents.delete('quota/a', 1), false)
    t.equal(await documents.delete('quota/a', 2), true)
    t.equal(await documents.delete('quota/a', 0), false)
    t.equal(await documents.put('quota/none', 'x', 3), undefined)
  })

  test('of 20 who change it at once one succeeds', async (t, { store: { documents } }) => {
    const versions = await Promise.all(
      Array.from({ length: 20 }, (_, n) => documents.put('quota/a', `${n}`, 0)),
    )
    t.same(
      versions.filter((version) => version !== undefined),
      [1],
    )
  })

  test('documents are listed by prefix, and watched', async (t, { store: { documents }, elapse }) => {
    let told = 0
    using _watch = documents.watch('quota/', () => {
      told += 1
    })
    await documents.put('quota/a', 'α|β', 0)
    await documents.put('override/b', 'two', 0)
    t.same([...(await documents.list('quota/'))], [['quota/a', { version: 1, text: 'α|β' }]])
    await elapse(1)
    t.ok(told > 0)
  })
}
