import t from 'tap'
import { screenPrompt } from '../../../src/exchange/inbound/screen-prompt.ts'
import { reach } from '../../../src/exchange/outbound/reach.ts'
import type { Itinerary } from '../../../src/exchange/outbound/route.ts'
import { Refusal } from '../../../src/refusal.ts'
import { CallFailure } from '../../../src/upstream/call-failure.ts'
import { answerOf, callOf, permitOf, redaction, trailOf } from '../fake-parts.ts'
import { type Deed, SimulatedPool, type SimulatedPoolOptions } from './simulated-pool.ts'

const unsent: Deed = () =>
  Promise.reject(new CallFailure('upstream_unavailable', 'test', { reach: 'unsent' }))
const closed: Deed = () =>
  Promise.reject(new CallFailure('upstream_truncated', 'test', { reach: 'unanswered' }))
const silent: Deed = () =>
  Promise.reject(new CallFailure('upstream_timeout', 'test', { reach: 'unanswered' }))
const status =
  (code: number): Deed =>
  async () =>
    answerOf(['{}'], { status: code })
const good: Deed = async () => answerOf(['{}'])
/** Answers when its signal ends, with the reason. */
const hanging: Deed = (signal) =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

async function reached(
  pools: readonly SimulatedPool[],
  { hedge, ended }: { hedge?: Itinerary['hedge']; ended?: AbortSignal } = {},
) {
  const signal = ended ?? new AbortController().signal
  const permit = permitOf(callOf(), 'mask')
  const screened = await screenPrompt(permit, { redaction }, signal)
  const { trail } = trailOf()
  const limits: number[] = []
  const itinerary = { legs: pools.map((pool) => ({ pool, upstreamModel: 'org/real' })), hedge }
  const outgoing = { screened, permit, reserved: { outputTokensMax: 8 }, trail }
  const life = { signal, limit: (ms: number) => void limits.push(ms) }
  const outcome = await reach(itinerary, outgoing, gateway, life).catch((error: unknown) => error)
  const held = () => pools.reduce((sum, pool) => sum + pool.held, 0)
  return { outcome, trail, limits, held }
}
/** Pauses between attempts are over at once. */
const clock = { sleep: async () => {} }
const gateway = { clock, stream: { totalTimeoutMs: 60_000 } }
const poolOf = (deeds: Record<string, Deed>, options?: SimulatedPoolOptions) =>
  new SimulatedPool(deeds, options)
const from = (outcome: unknown) =>
  (outcome as { target?: { endpoint: { origin: string } } }).target?.endpoint.origin

t.test('the first server answers: one place, given back when the answer is disposed of', async (t) => {
  const pool = poolOf({ a: good, b: good })
  const { outcome, trail, held } = await reached([pool])
  t.equal(from(outcome), 'a')
  t.match(trail, { attempts: 1, failedAttempts: [] })
  t.same([held(), pool.calls], [1, 1])
  await (outcome as AsyncDisposable)[Symbol.asyncDispose]()
  t.equal(held(), 0)
  t.same(pool.ends, [{ origin: 'a', end: 'answered' }])
})

const again: Record<string, Deed> = { 'nothing was sent': unsent, '429': status(429), '503': status(503) }
for (const [name, deed] of Object.entries(again)) {
  t.test(`${name}: the next server is asked`, async (t) => {
    const pool = poolOf({ a: deed, b: good })
    const { outcome, trail, held } = await reached([pool])
    t.equal(from(outcome), 'b')
    t.match(trail, { attempts: 2, failedAttempts: [{ upstream: 'a' }] })
    t.equal(held(), 1)
    t.same([...(pool.asked[1]?.tried ?? [])], ['a'])
  })
}

const never: Record<string, Deed> = {
  'a closed connection': closed,
  'a silent server': silent,
  '500': status(500),
  '400': status(400),
}
for (const [name, deed] of Object.entries(never)) {
  t.test(`${name}: the server may have begun to work, nobody else is asked`, async (t) => {
    const pool = poolOf({ a: deed, b: good })
    const { outcome, trail, held } = await reached([pool])
    t.ok(outcome instanceof Refusal)
    t.equal(trail.attempts, 1)
    t.same([held(), pool.ends.length], [0, 1])
  })
}

t.test('a closed connection, where the policy says so: the next server is asked', async (t) => {
  const { outcome } = await reached([poolOf({ a: closed, b: good }, { retries: { afterSend: 'closed' } })])
  t.equal(from(outcome), 'b')
})

t.test('attempts and the budget bound it', async (t) => {
  const four = { a: unsent, b: unsent, c: unsent, d: good }
  t.equal((await reached([poolOf(four)])).trail.attempts, 3)
  t.equal((await reached([poolOf(four, { retries: { attemptsMax: 1 } })])).trail.attempts, 1)
  const poor = await reached([poolOf(four, { budget: 1 })])
  t.equal(poor.trail.attempts, 2)
  t.match(poor.outcome, { code: 'upstream_unavailable', detail: 'test' }, 'what the last server said')
  t.equal(poor.held(), 0)
})

t.test('the next pool: when the first has no place, or no server left', async (t) => {
  const full = new Refusal('upstream_overloaded', 'queue_full', { retryAfterMs: 1_000 })
  const second = poolOf({ z: good }, { name: 'cpu' })
  const first = await reached([poolOf({ a: good }, { refusal: full }), second])
  t.equal(from(first.outcome), 'z')
  t.equal(first.trail.pool, 'cpu')
  const failed = await reached([poolOf({ a: unsent }), poolOf({ z: good }, { name: 'cpu' })])
  t.equal(from(failed.outcome), 'z')
  const none = await reached([poolOf({ a: good }, { refusal: full }), poolOf({}, { name: 'cpu' })])
  t.equal(none.outcome, full, 'why the first had no place is what the caller is told')
})

t.test('the end of the exchange ends it, whatever is under way, and nobody else is asked', async (t) => {
  const life = new AbortController()
  const pool = poolOf({ a: hanging, b: good })
  const reaching = reached([pool], { ended: life.signal })
  setTimeout(() => life.abort(new Refusal('caller_gone', 'test')), 50)
  const { outcome, held } = await reaching
  t.match(outcome, { code: 'caller_gone' })
  t.equal(held(), 0)
  t.same(pool.ends, [{ origin: 'a', end: 'abandoned' }])
})

t.test('the time of a pool shortens that of the exchange', async (t) => {
  t.same((await reached([poolOf({ a: good }, { totalMs: 5_000 })])).limits, [5_000])
  t.same((await reached([poolOf({ a: good }, { totalMs: 70_000 })])).limits, [])
  const both = [poolOf({ a: unsent }, { totalMs: 5_000 }), poolOf({ z: good }, { name: 'cpu' })]
  t.same((await reached(both)).limits, [5_000, 60_000], 'and the next pool gives it back')
})

const hedge = { afterMs: 1, outputTokensMax: 8 }

t.test('hedge: the second server answers, the first is ended, one place stays', async (t) => {
  const pool = poolOf({ a: hanging, b: good })
  const { outcome, trail, held } = await reached([pool], { hedge })
  t.equal(from(outcome), 'b')
  t.equal(trail.attempts, 2)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(held(), 1)
  t.same(pool.ends, [{ origin: 'a', end: 'abandoned' }])
})

t.test('hedge: not for a call that may be long, nor without a place or a budget', async (t) => {
  const slow: Deed = async () => {
    await new Promise((resolve) => setTimeout(resolve, 10))
    return answerOf(['{}'])
  }
  const attempts = async (pool: SimulatedPool, outputTokensMax = 8) =>
    (await reached([pool], { hedge: { afterMs: 1, outputTokensMax } })).trail.attempts
  t.equal(await attempts(poolOf({ a: slow, b: good }), 7), 1)
  t.equal(await attempts(poolOf({ a: slow })), 1)
  t.equal(await attempts(poolOf({ a: slow, b: good }, { budget: 0 })), 1)
  t.equal(await attempts(poolOf({ a: slow, b: good }, { retries: { attemptsMax: 1 } })), 1)
})

t.test('hedge: both fail, the first says why; the first fails early, it is an ordinary retry', async (t) => {
  const late: Deed = async () => {
    await new Promise((resolve) => setTimeout(resolve, 10))
    throw new CallFailure('upstream_timeout', 'the first', { reach: 'unanswered' })
  }
  const both = await reached([poolOf({ a: late, b: status(500) })], { hedge })
  t.match(both.outcome, { detail: 'the first' })
  t.equal(both.held(), 0)
  const early = await reached([poolOf({ a: unsent, b: good })], { hedge })
  t.equal(from(early.outcome), 'b')
})

t.test('hedge: the end of the exchange ends both', async (t) => {
  const life = new AbortController()
  const pool = poolOf({ a: hanging, b: hanging })
  const reaching = reached([pool], { hedge, ended: life.signal })
  setTimeout(() => life.abort(new Refusal('caller_gone', 'test')), 20)
  const { outcome, held } = await reaching
  t.match(outcome, { code: 'caller_gone' })
  t.equal(pool.ends.length, 2)
  t.equal(held(), 0)
})
