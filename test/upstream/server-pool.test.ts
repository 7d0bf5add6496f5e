import {
  type Arbitrary,
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  nat,
  oneof,
  record,
  subarray,
} from 'fast-check'
import t from 'tap'
import { Refusal } from '../../src/refusal.ts'
import type { CallEnd } from '../../src/upstream/health/call-end.ts'
import type { Place } from '../../src/upstream/pool.ts'
import { refusalOf } from '../exchange/fake-parts.ts'
import { askedOf, poolOf } from './pool-world.ts'
import { settled } from './stepping-clock.ts'

t.test(
  'the server with the fewest turns, the first of equals, and never more than its connections',
  async (t) => {
    const { take, queue } = poolOf(['http://a', 'http://b'], 2)
    const turns = [await take(), await take(), await take(), await take()]
    t.same(
      turns.map(({ endpoint }) => endpoint.origin),
      ['http://a', 'http://b', 'http://a', 'http://b'],
    )
    const fifth = take()
    await settled()
    t.equal(queue.waiting, 1)
    turns[3]?.end('answered')
    turns[3]?.end('answered')
    t.equal((await fifth).endpoint.origin, 'http://b', 'the server that became free')
    t.equal(queue.held, 4)
  },
)

t.test('a wait is bounded by what the exchange has left', async (t) => {
  const { take, clock, queue } = poolOf(['http://a'], 1)
  await take()
  const late = refusalOf(() => take({ waitMsMax: 1_000 }))
  await settled()
  t.equal(queue.waiting, 1)
  await clock.advance(1_000)
  t.equal(await late, 'upstream_overloaded deadline at pool gpu')
  t.equal(await refusalOf(() => take({ waitMsMax: 0 })), 'upstream_overloaded hopeless at pool gpu')
})

t.test('the end of the exchange is the end of its wait', async (t) => {
  const { take, queue } = poolOf(['http://a'], 1)
  await take()
  const life = new AbortController()
  const wait = refusalOf(() => take({}, life.signal))
  await settled()
  life.abort(new Refusal('draining', 'test'))
  t.equal(queue.waiting, 0)
  t.equal(await wait, 'draining test')
})

t.test('a pool without a server, and one where all were tried, is a refusal', async (t) => {
  t.match(await refusalOf(() => poolOf([], 1).take()), 'upstream_unavailable')
  const { take, pool } = poolOf(['http://a'], 1)
  t.match(await refusalOf(() => take({ tried: new Set(['http://a']) })), 'upstream_unavailable')
  t.equal(pool.queue.held, 0)
})

t.test('a server that is left out gets no call; after its wait the next call tries it', async (t) => {
  const { take, pool, clock } = poolOf(['http://a', 'http://b'], 4)
  const atA = { tried: new Set(['http://b']) }
  for (let n = 0; n < 5; n++) (await take(atA)).end('failed')
  const stateOfA = () => pool.health.healthOf('http://a')?.state
  t.equal(stateOfA(), 'ejected')
  t.match(await refusalOf(() => take(atA)), 'upstream_unavailable')
  t.equal((await take()).endpoint.origin, 'http://b')
  await clock.advance(1_000)
  const trial = await take()
  t.equal(trial.endpoint.origin, 'http://a')
  t.equal((await take()).endpoint.origin, 'http://b', 'in probation one call tries')
  trial.answered(200, undefined)
  t.equal(stateOfA(), 'healthy', 'the head decides, not the end of the reply')
  trial.end('answered')
})

t.test('who waits is told when a server that was left out may be tried, though nobody says so', async (t) => {
  const { take, pool, clock, health } = poolOf(['http://a', 'http://b'], 1, { panicPercent: 0 })
  const holder = await take({ tried: new Set(['http://a']) })
  for (let n = 0; n < 5; n++) (await take({ tried: new Set(['http://b']) })).end('failed')
  t.equal(health.healthOf('http://a')?.state, 'ejected')
  const waiting = take()
  await settled()
  t.equal(pool.queue.waiting, 1)
  for (let ms = 0; ms < 1_500; ms += 250) await clock.advance(250)
  t.equal((await waiting).endpoint.origin, 'http://a')
  holder.end('answered')
})

t.test('a call that comes before anybody is known waits, and leaves when its exchange ends', async (t) => {
  const { promise: known, resolve } = Promise.withResolvers<void>()
  const { take, pool } = poolOf([], 2, { known })
  pool.start()
  const life = new AbortController()
  const left = refusalOf(() => take({}, life.signal))
  const waiting = take()
  life.abort(new Refusal('caller_gone', 'test'))
  t.equal(await left, 'caller_gone test')
  pool.adopt([{ origin: 'http://a' }])
  resolve()
  t.equal((await waiting).endpoint.origin, 'http://a')
})

t.test('servers that leave end what they have, and are closed then; new ones are watched', async (t) => {
  const { take, pool, watched, queue } = poolOf(['http://a'], 2)
  pool.start()
  const place = await take()
  pool.adopt([{ origin: 'http://b' }])
  t.same(watched, ['http://a', 'http://b'])
  t.equal((await take()).endpoint.origin, 'http://b')
  place.produced(1)
  place.end('answered')
  t.equal(queue.held, 1)
  t.same(
    pool.members.map(({ origin }) => origin),
    ['http://b'],
  )
})

t.test('a retry finds no room at other servers: it is refused, and nothing stays taken', async (t) => {
  const { take, pool } = poolOf(['http://a', 'http://b'], 1)
  const [one] = [await take(), await take()]
  one?.end('overloaded')
  const outcome = await refusalOf(() => take({ tried: new Set(['http://a']) }))
  t.equal(outcome, 'upstream_overloaded no room at another server of pool gpu')
  t.equal(pool.queue.held, 1)
  t.equal(pool.takeNow(askedOf({ tried: new Set(['http://a']) })), undefined)
})

interface Held {
  readonly place: Place
  readonly origin: string
}

type Step =
  | { readonly act: 'take'; readonly tried: readonly string[] }
  | { readonly act: 'end'; readonly which: number; readonly end: CallEnd }
  | { readonly act: 'wait'; readonly ms: number }
  | { readonly act: 'adopt'; readonly origins: readonly string[] }

/** What may happen to a pool, in any order. */
const steps: Arbitrary<Step[]> = array(
  oneof(
    record({ act: constant('take' as const), tried: subarray(['http://a', 'http://b', 'http://c']) }),
    record({
      act: constant('end' as const),
      which: nat(20),
      end: constantFrom<CallEnd[]>('answered', 'failed', 'overloaded', 'abandoned'),
    }),
    record({ act: constant('wait' as const), ms: constantFrom(10, 400, 2_000) }),
    record({
      act: constant('adopt' as const),
      origins: subarray(['http://a', 'http://b', 'http://c'], { minLength: 1 }),
    }),
  ),
  { maxLength: 60 },
)

/** A pool that lives through a history, and what should not have happened in it. */
class Played {
  readonly faults: string[] = []
  readonly #world = poolOf(['http://a', 'http://b', 'http://c'], 2)
  readonly #held: Held[] = []
  readonly #waits: Promise<void>[] = []

  async step(step: Step): Promise<void> {
    if (step.act === 'take') this.#waits.push(this.#take(new Set(step.tried)))
    else if (step.act === 'end')
      this.#held.splice(step.which % Math.max(1, this.#held.length), 1)[0]?.place.end(step.end)
    else if (step.act === 'wait') await this.#world.clock.advance(step.ms)
    else this.#world.pool.adopt(step.origins.map((origin) => ({ origin })))
    await settled()
  }

  async #take(tried: ReadonlySet<string>): Promise<void> {
    const place = await this.#world.take({ tried }).catch(() => undefined)
    if (place === undefined) return
    const { origin } = place.endpoint
    if (tried.has(origin)) this.faults.push('a tried server')
    if (!this.#world.pool.members.some((member) => member.origin === origin))
      this.faults.push('one that left')
    this.#held.push({ place, origin })
    if (this.#held.filter((each) => each.origin === origin).length > 2) this.faults.push('above its limit')
  }

  /** Ends everything; returns how many places are still taken. */
  async over(): Promise<number> {
    const { queue, clock, pool } = this.#world
    for (let round = 0; round < 200 && (this.#held.length > 0 || queue.waiting > 0); round++) {
      for (const { place } of this.#held.splice(0)) place.end('answered')
      await clock.advance(1_000)
    }
    await Promise.all(this.#waits)
    return queue.held + pool.members.reduce((sum, { held }) => sum + held, 0)
  }
}

t.test('1 to 4 over any history: limits, tried servers, leavers; nothing stays taken', async (t) => {
  await assert(
    asyncProperty(steps, async (history) => {
      const played = new Played()
      for (const step of history) await played.step(step)
      return (await played.over()) === 0 && played.faults.length === 0
    }),
    { numRuns: 60 },
  )
  t.pass('60 histories')
})
