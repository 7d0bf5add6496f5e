// Limits as the path sees them: what is asked of the store, when a request is counted, and what a reservation becomes.
import t from 'tap'
import type { Limit } from '../../src/policy/limit.ts'
import { type Asked, Quota } from '../../src/quota/quota.ts'
import { Refusal } from '../../src/refusal.ts'
import { fakeClock } from './fake-clock.ts'
import { limitOf } from './simulated-limit.ts'
import { storeInMemory } from './store-in-memory.ts'
import { usedOf } from './store-subject.ts'

const requests = limitOf({ name: 'requests', per: 'hour', amount: 10, burst: 3 })
const slots = limitOf({ name: 'slots', counts: 'in_flight', amount: 2 })
const tokens = limitOf({ name: 'tokens', counts: 'total_tokens', per: 'hour', amount: 500 })
const all = [requests, slots, tokens]

async function quotaOf() {
  const store = await storeInMemory(fakeClock())
  return { store, quota: new Quota({ store }), used: (limit: Limit) => usedOf(store, limit) }
}
const asked = (fields: Partial<Asked> = {}): Asked => ({
  limits: all,
  model: 'demo',
  inputTokens: 100,
  choices: 1,
  outputTokensMax: 50,
  bound: 'named',
  ...fields,
})
const codeOf = async (act: () => unknown): Promise<string> => {
  try {
    await act()
    return 'none'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

t.test('set aside before, the truth after, the slot free at the end', async (t) => {
  const { quota, used } = await quotaOf()
  const admission = quota.enter('e', [requests, slots])
  const reservation = await admission.reserve(asked({ choices: 3 }))
  t.match(reservation, { inputTokens: 100, outputTokens: 150, outputTokensMax: 50 })
  t.same(await Promise.all(all.map(used)), [1, 1, 250])
  for (let n = 0; n < 2; n += 1)
    await reservation.settle({ inputTokens: 90, outputTokens: 7, reported: true })
  t.same(await Promise.all(all.map(used)), [1, 0, 97])
  await admission[Symbol.asyncDispose]()
  t.equal(quota.inFlight, 0)
})

t.test(
  'a bound that nobody named shrinks to what the limits could ever hold; one that was named is refused',
  async (t) => {
    const { quota } = await quotaOf()
    const admission = quota.enter('e', [requests, slots])
    t.match(await admission.reserve(asked({ outputTokensMax: 9_000, bound: 'default' })), {
      outputTokensMax: 400,
    })
    await admission[Symbol.asyncDispose]()
    const other = (await quotaOf()).quota.enter('f', [requests, slots])
    t.equal(await codeOf(() => other.reserve(asked({ outputTokensMax: 401 }))), 'request_above_limit')
  },
)

t.test('a request is counted once, whatever became of it; one that a limit refused is not', async (t) => {
  const { quota, used } = await quotaOf()
  const early = quota.enter('early', [requests, slots])
  t.equal((await early.count()).length, 2)
  t.same(await early.count(), [])
  await early[Symbol.asyncDispose]()
  t.equal(await used(requests), 1)
  await quota.enter('silent', [requests, slots])[Symbol.asyncDispose]()
  t.equal(await used(requests), 2, 'nobody told, it is counted when it is left')
  const refused = quota.enter('refused', [requests, slots])
  await codeOf(() => refused.reserve(asked({ inputTokens: 501 })))
  await refused[Symbol.asyncDispose]()
  t.equal(await used(requests), 2)
})

t.test('slots of this process hold before the store is asked, and shadow ones hold nothing', async (t) => {
  const { quota } = await quotaOf()
  const shadow = { ...slots, mode: 'shadow' } as const
  const held = ['a', 'b'].map((id) => quota.enter(id, [slots]))
  t.equal(await codeOf(() => quota.enter('c', [slots])), 'concurrency_limit_exceeded')
  t.equal(await codeOf(() => quota.enter('d', [shadow])), 'none')
  await held[0]?.[Symbol.asyncDispose]()
  t.equal(await codeOf(() => quota.enter('e', [slots])), 'none')
})

t.test('what servers report corrects the next estimates of that model', async (t) => {
  const { quota } = await quotaOf()
  const large = { ...tokens, amount: 1_000_000, burst: 1_000_000 }
  for (let n = 0; n < 40; n += 1) {
    const reservation = await quota.enter(`e${n}`, []).reserve(asked({ limits: [large] }))
    await reservation.settle({ inputTokens: 60, outputTokens: 1, reported: true })
  }
  t.equal(quota.plan(asked()).inputTokens, 60)
  t.equal(quota.plan(asked({ model: 'other' })).inputTokens, 100)
})

t.test('more exchanges than one process keeps account of', async (t) => {
  const quota = new Quota({ store: await storeInMemory(fakeClock()), exchangesMax: 1 })
  quota.enter('a', [])
  t.equal(await codeOf(() => quota.enter('b', [])), 'overloaded')
})
