import t from 'tap'
import { route } from '../../../src/exchange/outbound/route.ts'
import { waitTurn } from '../../../src/exchange/outbound/wait-turn.ts'
import { Refusal } from '../../../src/refusal.ts'
import { EndpointTurns } from '../../../src/upstream/endpoint-turns.ts'
import { FairQueue } from '../../../src/upstream/fair-queue.ts'
import { createUpstreams } from '../../../src/upstream/pool.ts'
import type { EndpointHandle } from '../../../src/upstream/upstream.ts'
import { SteppingClock, settled } from '../../upstream/stepping-clock.ts'
import { permitOf, refusalOf } from '../fake-parts.ts'

const endpointOf = (origin: string): EndpointHandle => ({
  origin,
  inFlight: 0,
  post: () => Promise.reject(new Error('nobody asked for this')),
  async close() {},
})
const stream = { totalTimeoutMs: 60_000 }
const never = new AbortController().signal
const trailOf = (fields: object = {}) => ({
  elapsedMs: 0,
  reservation: undefined,
  relayed: undefined,
  ...fields,
})

function poolOf(origins: readonly string[], connectionsMax: number) {
  const clock = new SteppingClock()
  const endpoints = origins.map(endpointOf)
  const queue = new FairQueue({
    name: 'gpu',
    places: connectionsMax * origins.length,
    bounds: { waitingMax: 10, waitingPerTenantMax: 10, waitMsMax: 30_000 },
    clock,
    observer: { waited: () => {}, refused: () => {} },
  })
  const pool = { name: 'gpu', server: 'vllm', endpoints, turns: new EndpointTurns(endpoints, queue) } as const
  const upstreams = createUpstreams([{ model: 'demo', upstreamModel: 'org/real', pool }])
  const take = (trail = trailOf(), signal = never) =>
    waitTurn(route(permitOf(), upstreams), permitOf(), trail, stream, signal)
  return { clock, queue, take }
}

t.test(
  'the server with the fewest turns, the first of equals, and never more than its connections',
  async (t) => {
    const { take, queue } = poolOf(['http://a', 'http://b'], 2)
    const first = await take()
    t.match(first.target, { pool: 'gpu', server: 'vllm', upstreamModel: 'org/real' })
    const turns = [first, await take(), await take(), await take()]
    t.same(
      turns.map(({ target }) => target.endpoint.origin),
      ['http://a', 'http://b', 'http://a', 'http://b'],
    )
    const fifth = take()
    await settled()
    t.equal(queue.waiting, 1)
    turns[3]?.[Symbol.dispose]()
    turns[3]?.[Symbol.dispose]()
    t.equal((await fifth).target.endpoint.origin, 'http://b', 'the server that became free')
    t.equal(queue.held, 4)
  },
)

t.test('a wait is bounded by what the exchange has left', async (t) => {
  const { take, clock, queue } = poolOf(['http://a'], 1)
  await take()
  const late = refusalOf(() => take(trailOf({ elapsedMs: 59_000 })))
  await settled()
  t.equal(queue.waiting, 1)
  await clock.advance(1_000)
  t.equal(await late, 'upstream_overloaded deadline at pool gpu')
  t.equal(
    await refusalOf(() => take(trailOf({ elapsedMs: 60_000 }))),
    'upstream_overloaded hopeless at pool gpu',
  )
})

t.test('the end of the exchange is the end of its wait', async (t) => {
  const { take, queue } = poolOf(['http://a'], 1)
  await take()
  const life = new AbortController()
  const wait = refusalOf(() => take(trailOf(), life.signal))
  await settled()
  life.abort(new Refusal('draining', 'test'))
  t.equal(queue.waiting, 0)
  t.equal(await wait, 'draining test')
})

t.test('route: no pool for the model, or none with a server, is a refusal', async (t) => {
  t.match(await refusalOf(() => route(permitOf(), createUpstreams([]))), 'upstream_unavailable')
  t.match(await refusalOf(() => poolOf([], 1).take()), 'upstream_unavailable')
})
