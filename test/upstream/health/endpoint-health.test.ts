import t from 'tap'
import type { CallEnd } from '../../../src/upstream/health/call-end.ts'
import { EndpointHealth, type HealthTurn } from '../../../src/upstream/health/endpoint-health.ts'
import { healthBounds } from '../../../src/upstream/health/health-bounds.ts'
import type { HealthChange } from '../../../src/upstream/health/health-report.ts'

const world = (begins: 'full' | 'slow' = 'full') => {
  const time = { at: 0 }
  const changes: HealthChange[] = []
  const health = new EndpointHealth({
    bounds: healthBounds,
    clock: { monotonic: () => time.at },
    random: () => 0,
    begins,
    changed: (change) => changes.push(change),
  })
  const call = (end: CallEnd): void => enter().ended(end)
  const enter = (): HealthTurn => {
    const turn = health.enter()
    if (turn === undefined) throw new Error(`no call may enter: ${health.state}`)
    return turn
  }
  const fail = (times: number): void => {
    for (let i = 0; i < times; i += 1) call('failed')
  }
  return { time, health, changes, call, enter, fail }
}

t.test('a burst of failed connections ejects within the burst, and its rest changes nothing', (t) => {
  const { health, enter, changes } = world()
  const burst = Array.from({ length: 40 }, enter)
  for (const [index, turn] of burst.entries()) {
    turn.ended('failed')
    t.equal(health.state, index < 4 ? 'healthy' : 'ejected')
  }
  t.same(changes, [{ from: 'healthy', to: 'ejected', reason: 'calls_failed', waitMs: 1_000 }])
  t.equal(health.enter(), undefined)
  t.end()
})

t.test('a call that outlives an ejection counts for nothing after it', (t) => {
  const { time, health, enter, fail, call } = world()
  const old = Array.from({ length: 20 }, enter)
  fail(5)
  time.at = 1_000
  call('answered')
  for (const turn of old) turn.ended('failed')
  t.equal(health.state, 'healthy')
  fail(4)
  t.equal(health.state, 'healthy', 'four of its own are not five')
  t.end()
})

t.test('one that answers probes but fails calls waits twice as long each time', (t) => {
  const { time, health, changes, fail } = world()
  fail(5)
  for (let second = 0; second < 200; second += 1) {
    time.at += 1_000
    health.probed('alive')
    if (health.state === 'probation') fail(1)
  }
  const waits = changes.filter(({ to }) => to === 'ejected').map(({ waitMs }) => waitMs / 1_000)
  t.same(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60])
  t.end()
})

t.test('one that was down for long is back with its first good probe', (t) => {
  const { time, health, fail, call } = world()
  fail(5)
  while (health.ejections < 9) {
    time.at += 1_000
    if (health.state === 'probation') fail(1)
    health.probed('down')
  }
  t.equal(health.waitMs, 60_000)
  t.equal(health.enter(), undefined)
  health.probed('alive')
  t.equal(health.state, 'probation')
  call('answered')
  t.equal(health.state, 'healthy')
  t.end()
})

t.test('one without traffic is ejected by probes; a missed one is not enough', (t) => {
  const { health } = world()
  for (const verdict of ['down', 'down', 'alive', 'down', 'down'] as const) health.probed(verdict)
  t.equal(health.state, 'healthy')
  health.probed('down')
  t.equal(health.state, 'ejected')
  t.ok(health.isProbedDown)
  t.end()
})

t.test('one that is too busy for probes stays while it answers calls', (t) => {
  const { time, health, enter } = world()
  const open: HealthTurn[] = []
  for (let second = 0; second < 100; second += 1) {
    time.at += 1_000
    open.push(enter())
    // Each takes eight seconds to its head; two probes of three time out.
    open[second - 8]?.answered()
    if (second % 5 === 0) health.probed('down')
  }
  t.equal(health.state, 'healthy')
  t.end()
})

t.test('calls that were under way when probes ejected it prove that it lives', (t) => {
  const { health, enter } = world()
  const [head, whole] = [enter(), enter()]
  for (let i = 0; i < 3; i += 1) health.probed('down')
  t.equal(health.state, 'ejected')
  head.answered()
  t.equal(health.state, 'probation')
  whole.ended('answered')
  t.equal(health.state, 'probation', 'a new call decides')
  t.end()
})

t.test('in probation one call at a time goes', (t) => {
  const { time, health, fail, enter } = world()
  fail(5)
  time.at = 1_000
  const first = enter()
  t.equal(health.enter(), undefined)
  first.ended('abandoned')
  const second = enter()
  first.ended('failed')
  t.equal(health.state, 'probation', 'a call ends once')
  second.ended('overloaded')
  t.equal(health.enter(), undefined, 'one that is full has a rest')
  time.at += healthBounds.ejectionMs
  const third = enter()
  time.at += healthBounds.probationMs - 1
  t.equal(health.enter(), undefined)
  t.equal(health.triedMs, healthBounds.probationMs - 1)
  time.at += 1
  enter()
  t.equal(health.enter(), undefined, 'a slow one does not close it for good, nor open it for all')
  third.answered()
  t.equal(health.state, 'healthy')
  t.end()
})

t.test('failed probes do not end a probation, used or not', (t) => {
  const { time, health, fail, enter } = world()
  fail(5)
  time.at = 1_000
  for (let i = 0; i < 9; i += 1) health.probed('down')
  const turn = enter()
  for (let i = 0; i < 9; i += 1) health.probed('down')
  t.equal(health.state, 'probation')
  turn.answered()
  t.equal(health.state, 'healthy')
  t.end()
})

t.test('full servers and callers who leave never eject', (t) => {
  const { health, call, fail } = world()
  for (let i = 0; i < 100; i += 1) call(i % 2 === 0 ? 'overloaded' : 'abandoned')
  fail(4)
  call('overloaded')
  t.equal(health.state, 'healthy')
  fail(1)
  t.equal(health.state, 'ejected', 'they do not interrupt a row either')
  t.end()
})

t.test('one that breaks each reply in its middle is ejected', (t) => {
  const { health, enter } = world()
  for (let i = 0; i < 5; i += 1) {
    const turn = enter()
    turn.answered()
    turn.ended('failed')
  }
  t.equal(health.state, 'ejected')
  t.end()
})

t.test('after long health the first wait is short again; a flapping one keeps its long waits', (t) => {
  for (const [healthyMs, waitMs] of [
    [healthBounds.healthyMs - 1, 2_000],
    [healthBounds.healthyMs, 1_000],
  ] as const) {
    const { time, health, fail, call, changes } = world()
    fail(5)
    time.at = 1_000
    call('answered')
    time.at += healthyMs
    t.equal(health.snapshot().ejectionsInRow, waitMs === 1_000 ? 0 : 1)
    fail(5)
    t.equal(changes.at(-1)?.waitMs, waitMs)
  }
  t.end()
})

t.test('a wait can be shortened from outside, not prolonged', (t) => {
  const { health, fail } = world()
  fail(5)
  health.retryWithin(5_000)
  t.equal(health.waitMs, 1_000)
  health.retryWithin(300)
  t.equal(health.waitMs, 300)
  t.end()
})

t.test('one that shuts down completes old calls and refuses new ones: it is ejected', (t) => {
  const { health, enter } = world()
  const old = Array.from({ length: 10 }, enter)
  for (let i = 0; i < 5; i += 1) {
    t.equal(health.state, 'healthy')
    enter().ended('failed')
    old.pop()?.answered()
    old.pop()?.ended('answered')
  }
  t.equal(health.state, 'ejected')
  t.end()
})

t.test('an answer to a newer call ends the row, its head too', (t) => {
  const { health, fail, call, enter } = world()
  for (let i = 0; i < 5; i += 1) {
    fail(4)
    if (i % 2 === 0) call('answered')
    else enter().answered()
  }
  t.equal(health.state, 'healthy')
  t.end()
})

t.test('chance shortens a wait by a fifth at most', (t) => {
  const changes: HealthChange[] = []
  const health = new EndpointHealth({
    bounds: healthBounds,
    clock: { monotonic: () => 0 },
    random: () => 0.5,
    changed: (change) => changes.push(change),
  })
  for (let i = 0; i < 5; i += 1) health.enter()?.ended('failed')
  t.equal(changes[0]?.waitMs, 900)
  t.end()
})

t.test('slow start', (t) => {
  const { time, health } = world('slow')
  t.equal(health.share, 0.1)
  time.at = 5_000
  t.equal(health.share, 0.55)
  time.at = 10_000
  t.equal(health.share, 1)
  t.end()
})

t.test('without slow start its share is whole at once', (t) => {
  const health = new EndpointHealth({
    bounds: { ...healthBounds, slowStartMs: 0 },
    clock: { monotonic: () => 0 },
    random: () => 0,
    begins: 'slow',
  })
  t.equal(health.share, 1)
  t.end()
})

t.test('what operators see', (t) => {
  const { time, health, fail } = world()
  time.at = 70
  fail(5)
  t.same(health.snapshot(), {
    state: 'ejected',
    since: 70,
    share: 0,
    failures: 5,
    probeFailures: 0,
    ejections: 1,
    ejectionsInRow: 1,
    ejectedUntil: 1_070,
  })
  time.at = 1_070
  t.match(health.snapshot(), { state: 'probation', since: 1_070, share: 0.1, ejectedUntil: undefined })
  t.end()
})
