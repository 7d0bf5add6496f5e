import t from 'tap'
import type { LatencySample } from '../../src/upstream/concurrency/gradient-limit.ts'
import type { CallEnd } from '../../src/upstream/health/call-end.ts'
import { Member } from '../../src/upstream/member.ts'
import type { PlaceAsked } from '../../src/upstream/pool.ts'
import { Stay } from '../../src/upstream/stay.ts'
import { endpointOf } from '../exchange/fake-parts.ts'
import { askedOf } from './pool-world.ts'
import { SteppingClock } from './stepping-clock.ts'

/** A call at a server, and all that anybody is told of it. */
function stayOf(asked: Partial<PlaceAsked> = {}) {
  const clock = new SteppingClock()
  const samples: LatencySample[] = []
  const told = { overloaded: 0, heads: 0, ends: [] as CallEnd[], reports: 0, left: 0, turns: 0, works: 0 }
  const limit = {
    limit: 4,
    sample: (sample: LatencySample) => void samples.push(sample),
    overloaded: () => void told.overloaded++,
  }
  const work = { firstToken: () => {}, produced: () => {}, end: () => void told.works++ }
  const load = {
    ...{ score: 0, backlog: 0, slowness: 1 },
    begin: () => work,
    reported: () => void told.reports++,
  }
  const member = new Member(endpointOf('http://a'), limit, load)
  const stay = new Stay({
    ...{ clock, member, work, asked: askedOf(asked) },
    turn: { waitedMs: 7, produced: () => {}, end: () => void told.turns++ },
    health: { answered: () => void told.heads++, ended: (end) => void told.ends.push(end) },
    left: () => void told.left++,
  })
  return { stay, member, samples, told, clock }
}

t.test('1: a place is given back once, whatever comes later', (t) => {
  const { stay, member, told } = stayOf()
  t.equal(member.held, 1)
  for (const end of ['answered', 'failed', 'overloaded'] as const) stay.end(end)
  stay.produced(1)
  t.equal(member.held, 0)
  t.match(told, { ends: ['answered'], left: 1, turns: 1, works: 1, overloaded: 0 })
  t.end()
})

t.test('2: heads that make a server healthy, that say it is full, and that say neither', (t) => {
  const heads: [number, { heads: number; overloaded: number }][] = [
    [200, { heads: 1, overloaded: 0 }],
    [404, { heads: 1, overloaded: 0 }],
    [429, { heads: 0, overloaded: 1 }],
    [503, { heads: 0, overloaded: 1 }],
    [500, { heads: 0, overloaded: 0 }],
  ]
  for (const [status, expected] of heads) {
    const { stay, told } = stayOf()
    stay.answered(status, undefined)
    t.match(told, expected, String(status))
  }
  t.end()
})

t.test('a stream is timed to its first token and by its tokens, a whole reply as a whole', async (t) => {
  const stream = stayOf({ inputTokens: 100 })
  await stream.clock.advance(300)
  stream.stay.produced(1)
  await stream.clock.advance(100)
  stream.stay.produced(1)
  stream.stay.end('answered', { inputTokens: 100, outputTokens: 5 })
  t.same(stream.samples, [
    { ttftMs: 300, inputTokens: 100, inFlight: 1 },
    { tpotMs: 25, inputTokens: 100, inFlight: 1 },
  ])
  const whole = stayOf({ stream: false })
  await whole.clock.advance(400)
  whole.stay.end('answered', { inputTokens: 10, outputTokens: 8 })
  t.match(whole.samples, [{ replyMs: 400, outputTokens: 8 }])
  const embedding = stayOf({ stream: false, outputTokens: 0 })
  await embedding.clock.advance(20)
  embedding.stay.answered(200, undefined)
  t.match(embedding.samples, [{ ttftMs: 20 }])
  t.end()
})

t.test('a call that failed or was left teaches no times; a load report in the head is believed', (t) => {
  for (const end of ['failed', 'abandoned', 'overloaded'] as const) {
    const { stay, samples, told } = stayOf({ stream: false })
    stay.answered(200, 'TEXT named_metrics.num_requests_waiting=3')
    stay.end(end, { inputTokens: 1, outputTokens: 9 })
    t.same(samples, [])
    t.equal(told.reports, 1)
  }
  t.end()
})
