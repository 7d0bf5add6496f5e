import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { newExchangeId } from '../../src/exchange/exchange-id.ts'
import { type Life, Lives } from '../../src/exchange/life.ts'
import { Refusal } from '../../src/refusal.ts'
import { FakeClient, principal } from './fake-parts.ts'

const codeOf = ({ reason }: AbortSignal): string | undefined => (reason as Refusal | undefined)?.code

t.test('the caller leaving ends it, also when it had left before', (t) => {
  const lives = new Lives()
  const client = new FakeClient()
  const life = lives.begin(client)
  t.equal(life.signal.aborted, false)
  client.leave()
  t.equal(codeOf(life.signal), 'caller_gone')
  t.equal(codeOf(lives.begin(client).signal), 'caller_gone')
  t.end()
})

t.test('the first reason stays', (t) => {
  const client = new FakeClient()
  const life = new Lives().begin(client)
  life.cut(new Refusal('draining', 'test'))
  client.leave()
  life.cut(new Refusal('token_revoked', 'test'))
  t.equal(codeOf(life.signal), 'draining')
  t.end()
})

t.test('time is up once, the last limit counts, and a life that ended is left alone', async (t) => {
  const lives = new Lives()
  const short = lives.begin(new FakeClient())
  short.limit(5)
  const longer = lives.begin(new FakeClient())
  longer.limit(5)
  longer.limit(100_000)
  const over = lives.begin(new FakeClient())
  over.limit(5)
  over[Symbol.dispose]()
  await delay(60)
  t.equal(codeOf(short.signal), 'stream_timeout')
  t.equal(longer.signal.aborted, false)
  t.equal(over.signal.aborted, false)
  longer[Symbol.dispose]()
})

t.test('a revocation ends those whom it covers, a drain ends all', (t) => {
  const lives = new Lives()
  const [known, other, nobody] = [0, 1, 2].map(() => lives.begin(new FakeClient()))
  known?.belongsTo(principal)
  other?.belongsTo({ ...principal, id: 'company/bob' })
  const revoked = () => new Refusal('token_revoked', 'test')
  t.equal(
    lives.cutWhere(({ id }) => id === principal.id, revoked),
    1,
  )
  t.equal(codeOf(known?.signal as AbortSignal), 'token_revoked')
  t.equal(other?.signal.aborted, false)
  lives.cutAll(() => new Refusal('draining', 'test'))
  t.equal(codeOf(other?.signal as AbortSignal), 'draining')
  t.equal(codeOf(nobody?.signal as AbortSignal), 'draining')
  t.end()
})

t.test('size is what has begun and not ended; a client is let go of', (t) => {
  const lives = new Lives()
  const client = new FakeClient()
  {
    using life = lives.begin(client)
    t.equal(lives.size, 1)
    t.ok(life)
  }
  t.equal(lives.size, 0)
  client.leave()
  t.equal(lives.size, 0)
  t.end()
})

t.test('ids are unique, and sort by time', (t) => {
  const ids = Array.from({ length: 1_000 }, newExchangeId)
  t.equal(new Set(ids).size, ids.length)
  t.ok(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)))
  t.equal([...ids].sort()[0]?.slice(0, 8), ids[0]?.slice(0, 8))
  t.end()
})

t.test('property: ended resolves with the last of those who were there, whoever came since', async (t) => {
  const step = fc.oneof(
    fc.constant('begin' as const),
    fc.constant('ask' as const),
    fc.record({ end: fc.nat({ max: 8 }) }),
  )
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const lives = new Lives()
    const running = new Set<Life>()
    const asked: { readonly before: ReadonlySet<Life>; resolved: boolean }[] = []
    for (const each of steps) {
      if (each === 'begin') running.add(lives.begin(new FakeClient()))
      else if (each === 'ask') {
        const ask = { before: new Set(running), resolved: false }
        asked.push(ask)
        void lives.ended().then(() => {
          ask.resolved = true
        })
      } else {
        const life = [...running][each.end]
        life?.[Symbol.dispose]()
        life?.[Symbol.dispose]()
        if (life) running.delete(life)
      }
      await Promise.resolve()
      assert.equal(lives.size, running.size)
      for (const { before, resolved } of asked) {
        assert.equal(resolved, running.isDisjointFrom(before))
      }
    }
  })
  await t.resolves(fc.assert(property, { numRuns: 200 }))
})
