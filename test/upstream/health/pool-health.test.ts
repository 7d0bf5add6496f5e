import t from 'tap'
import type { CallEnd } from '../../../src/upstream/health/call-end.ts'
import { healthBounds } from '../../../src/upstream/health/health-bounds.ts'
import { PoolHealth } from '../../../src/upstream/health/pool-health.ts'

const world = (
  origins: readonly string[],
  options: { ejectedPercentMax?: number; panicPercent?: number } = {},
) => {
  const time = { at: 0 }
  const told: string[] = []
  const pool = new PoolHealth({
    bounds: healthBounds,
    ejectedPercentMax: 50,
    panicPercent: 50,
    clock: { monotonic: () => time.at },
    random: () => 0,
    observer: {
      changed: (origin, { to, reason }) => told.push(`${origin} ${to} ${reason}`),
      panicked: (now) => told.push(now),
    },
    ...options,
  })
  for (const origin of origins) pool.add(origin, 'full')
  const call = (origin: string, end: CallEnd): void => pool.enter(origin)?.ended(end)
  const kill = (origin: string): void => {
    for (let i = 0; i < 5; i += 1) call(origin, 'failed')
  }
  const probe = (origin: string, verdict: 'alive' | 'down', times = 1): void => {
    for (let i = 0; i < times; i += 1) pool.healthOf(origin)?.probed(verdict)
  }
  const open = (): string => origins.filter((origin) => pool.shareOf(origin) > 0).join('')
  return { time, told, pool, call, kill, probe, open }
}

t.test('one of four dies: it is left out, and is back with its first good probe', (t) => {
  const { told, pool, call, kill, probe, open } = world(['a', 'b', 'c', 'd'])
  kill('b')
  t.equal(open(), 'acd')
  t.equal(pool.enter('b'), undefined)
  probe('b', 'alive')
  t.equal(open(), 'abcd')
  t.equal(pool.shareOf('b'), 0.1)
  const turn = pool.enter('b')
  t.equal(pool.enter('b'), undefined)
  turn?.ended('answered')
  call('b', 'answered')
  t.same(told, ['b ejected calls_failed', 'b probation probe_answered', 'b healthy call_answered'])
  t.end()
})

t.test('failed calls hold out half of the pool, the worst of it', (t) => {
  const { time, call, kill, open, pool } = world(['a', 'b', 'c', 'd'], { panicPercent: 0 })
  kill('a')
  kill('b')
  t.equal(open(), 'cd')
  kill('c')
  t.equal(open(), 'cd', 'the bound holds: c is called all the same')
  t.equal(pool.shareOf('c'), 0.1)
  time.at = 1_000
  call('c', 'failed')
  t.equal(pool.healthOf('c')?.ejectionsInRow, 2)
  call('a', 'failed')
  t.equal(open(), 'bd', 'c and a are the worst now')
  t.match(
    pool.snapshot().map(({ heldBy }) => heldBy),
    ['calls', 'none', 'calls', 'none'],
  )
  t.end()
})

t.test('the bounds of small pools', (t) => {
  for (const [size, percent, heldMax] of [
    [2, 50, 1],
    [3, 50, 1],
    [3, 10, 1],
    [5, 50, 2],
    [5, 100, 5],
    [5, 0, 0],
  ] as const) {
    const origins = ['a', 'b', 'c', 'd', 'e'].slice(0, size)
    const { kill, open } = world(origins, { panicPercent: 0, ejectedPercentMax: percent })
    for (const origin of origins) kill(origin)
    t.equal(open().length, size - heldMax, `${percent} % of ${size}`)
  }
  t.end()
})

t.test('panic: better a try than a refusal; the first answer ends it', (t) => {
  const { told, pool, call, kill, open } = world(['a', 'b', 'c', 'd'])
  for (const origin of ['a', 'b', 'c']) kill(origin)
  t.ok(pool.panics)
  t.equal(open(), 'abcd')
  t.same([pool.shareOf('a'), pool.shareOf('d')], [0.1, 1], 'the healthy one is preferred')
  call('b', 'failed')
  t.equal(pool.healthOf('b')?.ejectionsInRow, 1, 'a failed try prolongs nothing')
  call('b', 'answered')
  t.notOk(pool.panics)
  t.equal(open(), 'bd')
  t.same(told.slice(3), ['panic', 'b healthy call_answered', 'calm'])
  t.end()
})

t.test('panic lets several calls in beside that of a probation, whose end decides', (t) => {
  const { time, pool, kill } = world(['a', 'b'])
  kill('a')
  kill('b')
  time.at = 1_000
  const [first, other] = [pool.enter('a'), pool.enter('a')]
  other?.ended('failed')
  t.equal(pool.healthOf('a')?.state, 'probation')
  first?.ended('failed')
  t.equal(pool.healthOf('a')?.state, 'ejected')
  t.ok(pool.enter('a'), 'and yet it is called: nothing else is left')
  t.end()
})

t.test('who fails probes stays out even in panic', (t) => {
  const { pool, kill, probe, open, time } = world(['a', 'b', 'c'])
  for (const origin of ['a', 'b', 'c']) kill(origin)
  for (const origin of ['a', 'b', 'c']) probe(origin, 'down', 3)
  t.ok(pool.panics)
  t.equal(open(), '')
  t.equal(pool.waitMs, 1_000)
  t.match(pool.snapshot()[0], { origin: 'a', state: 'ejected', heldBy: 'probes' })
  probe('b', 'alive')
  t.equal(open(), 'b')
  t.equal(pool.waitMs, 0)
  time.at = 1_000
  t.equal(open(), 'abc', 'probes that are wrong do not close a pool for good')
  t.end()
})

t.test('one server alone is not held out for failed calls, however many', (t) => {
  const { pool, call, kill, told } = world(['a'])
  kill('a')
  t.match(pool.snapshot()[0], { state: 'ejected', heldBy: 'none' })
  for (let n = 0; n < 20; n += 1) call('a', 'failed')
  t.equal(pool.waitMs, 0)
  call('a', 'answered')
  t.equal(pool.healthOf('a')?.state, 'healthy')
  t.notMatch(told.join(), 'panic')
  t.end()
})

t.test('one server alone that fails probes is refused for a short time only', (t) => {
  const { time, pool, call, probe } = world(['a'])
  probe('a', 'down', 3)
  for (let round = 0; round < 8; round += 1) {
    t.equal(pool.enter('a'), undefined)
    t.equal(pool.waitMs, 1_000)
    time.at += 1_000
    call('a', 'failed')
  }
  time.at += 1_000
  const slow = pool.enter('a')
  t.equal(pool.enter('a'), undefined)
  t.equal(pool.waitMs, 1_000)
  time.at += 1_000
  t.ok(pool.enter('a') && pool.enter('a'), 'a slow call does not keep all others out')
  slow?.ended('answered')
  t.equal(pool.healthOf('a')?.state, 'healthy')
  t.end()
})

t.test('one server alone that fails probes is tried each second too', (t) => {
  const { time, pool, probe } = world(['a'])
  probe('a', 'down', 3)
  t.equal(pool.enter('a'), undefined)
  time.at += 1_000
  const turn = pool.enter('a')
  probe('a', 'down')
  time.at += 1_000
  t.ok(pool.enter('a'))
  turn?.ended('answered')
  t.equal(pool.healthOf('a')?.state, 'healthy')
  t.end()
})

t.test('the last one that is left does not keep a long wait', (t) => {
  const { time, pool, call, kill } = world(['a', 'b', 'c'])
  kill('a')
  for (let round = 0; round < 6; round += 1) {
    time.at += 60_000
    call('a', 'failed')
  }
  t.equal(pool.healthOf('a')?.waitMs, 60_000)
  pool.remove('b')
  t.equal(pool.healthOf('a')?.waitMs, 60_000)
  pool.remove('c')
  t.equal(pool.healthOf('a')?.waitMs, 1_000)
  t.end()
})

t.test('one that fails probes takes nothing of what failed calls may hold out', (t) => {
  const { kill, probe, open } = world(['a', 'b', 'c', 'd'], { panicPercent: 0 })
  for (const origin of ['a', 'b', 'c']) kill(origin)
  t.equal(open(), 'cd')
  probe('a', 'down', 3)
  t.equal(open(), 'd')
  t.end()
})

t.test('one server alone that is full when it is tried has a short rest', (t) => {
  const { time, pool, call, probe } = world(['a'])
  probe('a', 'down', 3)
  time.at = 1_000
  call('a', 'overloaded')
  t.equal(pool.enter('a'), undefined)
  t.equal(pool.waitMs, 1_000)
  time.at = 2_000
  call('a', 'answered')
  t.equal(pool.healthOf('a')?.state, 'healthy')
  t.end()
})

t.test('servers come and go', (t) => {
  const { time, pool, kill, told, call } = world(['a', 'b'])
  kill('a')
  const late = pool.enter('b')
  pool.remove('a')
  pool.remove('a')
  t.same([pool.shareOf('a'), pool.enter('a'), pool.healthOf('a')], [0, undefined, undefined])
  t.equal(pool.add('a', 'slow').state, 'ejected', 'who is listed again at once is as it was')
  pool.remove('a')
  time.at = 60_000
  t.equal(pool.add('a', 'slow').state, 'healthy')
  t.equal(pool.shareOf('a'), 0.1, 'and new after a while')
  t.equal(pool.add('a', 'full'), pool.healthOf('a'), 'twice is once')
  time.at = 70_000
  pool.remove('a')
  pool.add('a', 'slow')
  t.equal(pool.shareOf('a'), 1, 'who was warm and away for a moment is warm')
  pool.remove('b')
  told.length = 0
  late?.ended('failed')
  call('b', 'failed')
  t.same(told, [], 'who has left is not told of')
  pool.remove('a')
  t.equal(pool.waitMs, undefined)
  t.end()
})

t.test('of servers that left no more than 256 are remembered', (t) => {
  const { pool, kill } = world([])
  for (let i = 0; i < 257; i += 1) {
    pool.add(`s${i}`, 'full')
    kill(`s${i}`)
    pool.remove(`s${i}`)
  }
  t.equal(pool.add('s0', 'full').state, 'healthy')
  t.equal(pool.add('s1', 'full').state, 'ejected')
  t.end()
})
