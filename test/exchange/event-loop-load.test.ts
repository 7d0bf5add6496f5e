// Who is turned away when the event loop is late: one property for each invariant, and the real meter.
import { array, assert, constantFrom, double, integer, oneof, property, record } from 'fast-check'
import t from 'tap'
import { seededRandom } from '../../loadtest/simulated/random.ts'
import { calmShare, EventLoopLoad, shareMax, workMin } from '../../src/exchange/event-loop-load.ts'
import { type LoopWindow, openEventLoopMeter } from '../../src/exchange/event-loop-meter.ts'

/** A loop that does what the test says, half a second at a time. */
function simulatedLoop(random: () => number = seededRandom(5).next) {
  const time = { ms: 0, now: { delayMs: 0, utilization: 0 } as LoopWindow, reads: 0 }
  const meter = {
    read: () => {
      time.reads += 1
      return time.now
    },
    close: () => {},
  }
  const load = new EventLoopLoad({ meter, clock: { monotonic: () => time.ms }, random })
  /** Lets windows pass, each with `calls` of each priority; who was shed in the last of them. */
  const pass = (now: Partial<LoopWindow>, windows = 1, calls = 100, windowMs = 500) => {
    let shed = { batch: 0, interactive: 0 }
    for (let n = 0; n < windows; n++) {
      time.now = windowOf(now)
      time.ms += windowMs
      shed = { batch: 0, interactive: 0 }
      for (let call = 0; call < calls; call++) {
        for (const priority of ['batch', 'interactive'] as const) if (load.shed(priority)) shed[priority] += 1
      }
    }
    return shed
  }
  return { load, time, pass }
}

/** A loop that is late is at work, unless it is said otherwise. */
const windowOf = ({
  delayMs = 5,
  utilization = delayMs > 50 ? 0.74 : 0.3,
}: Partial<LoopWindow>): LoopWindow => ({
  delayMs,
  utilization,
})

const none = { batch: 0, interactive: 0 }
const window = record({
  delayMs: oneof(
    constantFrom(0, 79, 80, 99, 100, 101, 200, 201),
    double({ min: 0, max: 60_000, noNaN: true }),
  ),
  utilization: oneof(constantFrom(0.7, 0.76, 0.95, 0.96, 1), double({ min: 0, max: 1, noNaN: true })),
  calls: integer({ min: 1, max: 20 }),
})
const history = array(window, { maxLength: 60, size: 'max' })

t.test('1 and 2: shedding begins after two windows above a bound, ends after two calm ones', (t) => {
  assert(
    property(history, (windows) => {
      const { load, pass } = simulatedLoop()
      return windows.every(({ calls, ...now }, index) => {
        const was = load.isShedding
        pass(now, 1, calls)
        const lastTwo = windows.slice(Math.max(0, index - 1), index + 1)
        const both = (is: (each: LoopWindow) => boolean): boolean => lastTwo.length === 2 && lastTwo.every(is)
        const isOver =
          both(({ delayMs, utilization }) => delayMs > 100 && utilization > workMin) ||
          both(({ utilization }) => utilization > 0.95)
        const isCalm = both(
          ({ delayMs, utilization }) =>
            (delayMs < 100 * calmShare || utilization < workMin * calmShare) &&
            utilization < 0.95 * calmShare,
        )
        return load.isShedding === (isOver || (was && !isCalm))
      })
    }),
  )
  t.pass()
  t.end()
})

t.test('1: one long tick sheds nobody, also when its two traces come one after the other', (t) => {
  const { pass } = simulatedLoop()
  t.same(pass({}, 3), none)
  t.same(pass({ delayMs: 30_000, utilization: 1 }), none)
  t.same(pass({}), none)
  t.same(pass({ utilization: 1 }), none)
  t.same(pass({ delayMs: 30_000 }), none)
  t.same(pass({}), none)
  t.end()
})

t.test('1: a process that is late with little to do waits for the processor: nobody is shed', (t) => {
  const { pass } = simulatedLoop()
  t.same(pass({ delayMs: 60_000, utilization: workMin }, 20), none)
  t.equal(pass({ delayMs: 110 }, 2).batch, 100)
  t.same(pass({ delayMs: 60_000, utilization: 0.3 }, 2), none, 'and those who were shed come back')
  t.end()
})

t.test('2: between the bounds it stays as it is', (t) => {
  const { pass } = simulatedLoop()
  t.same(pass({ delayMs: 90 }, 5), none)
  t.equal(pass({ delayMs: 110 }, 2).batch, 100)
  t.equal(pass({ delayMs: 90 }, 20).batch, 100, 'below the bound, not calm')
  t.equal(pass({ delayMs: 70 }).batch, 100)
  t.same(pass({ delayMs: 70 }), none)
  t.end()
})

t.test('2: after a quiet time nobody is shed for what was before', (t) => {
  const { pass } = simulatedLoop()
  t.equal(pass({ delayMs: 110 }, 2).batch, 100)
  t.same(pass({}, 1, 100, 60_000), none)
  t.end()
})

t.test('3: interactive only while batch is shed, and never all of it', (t) => {
  assert(
    property(history, (windows) => {
      const { load, pass } = simulatedLoop()
      return windows.every(({ calls, ...now }) => {
        const shed = pass(now, 1, calls)
        const isAllowed = shed.interactive === 0 || (load.isShedding && shed.batch === calls)
        return isAllowed && load.share >= 0 && load.share <= shareMax && (load.isShedding || load.share === 0)
      })
    }),
  )
  t.pass()
  t.end()
})

t.test('3: up to twice the bound batch alone, above it a share that grows until it helps', (t) => {
  const { load, pass } = simulatedLoop()
  t.same(pass({ delayMs: 199, utilization: 1 }, 20), { batch: 100, interactive: 0 })
  const shares: number[] = []
  for (let n = 0; n < 8; n++) {
    pass({ delayMs: 400 })
    shares.push(load.share)
  }
  const isGrowing = shares.every((share, index) => index === 0 || share >= (shares[index - 1] ?? 0))
  t.ok(isGrowing && (shares.at(-1) ?? 0) > 0.8, shares.join(' '))
  pass({ delayMs: 90 }, 10)
  t.ok(load.isShedding && load.share === 0, 'it helped')
  pass({ delayMs: 5 }, 2)
  t.same(pass({ delayMs: 5 }), none)
  t.end()
})

t.test('3: some get through, however late the loop is', (t) => {
  const { load, pass } = simulatedLoop()
  const { interactive } = pass({ delayMs: 60_000, utilization: 1 }, 20, 2_000)
  t.equal(load.share, shareMax)
  t.ok(interactive < 2_000 && interactive > 1_800, `${interactive}`)
  t.end()
})

t.test('3: utilization alone sheds no interactive call', (t) => {
  const { pass } = simulatedLoop()
  t.same(pass({ utilization: 1 }, 10), { batch: 100, interactive: 0 })
  t.end()
})

t.test('4: the loop is read once a window, however many come', (t) => {
  const { time, pass } = simulatedLoop()
  pass({}, 3, 5_000)
  t.equal(time.reads, 3)
  t.end()
})

t.test('those who were shed come back at different times', (t) => {
  const { load } = simulatedLoop()
  const waits = Array.from({ length: 50 }, () => load.retryAfterMs('batch'))
  t.ok(waits.every((ms) => ms >= 5_000 && ms <= 10_000) && new Set(waits).size > 20)
  t.ok(load.retryAfterMs('interactive') <= 2_000)
  t.end()
})

const turn = (ms = 60) => new Promise((resolve) => setTimeout(resolve, ms))
function block(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

t.test(
  'the real meter sees a loop that is blocked, also by ticks that are as long as a window',
  async (t) => {
    const meter = openEventLoopMeter()
    t.teardown(() => meter.close())
    for (let n = 0; n < 3; n++) {
      meter.read()
      block(200)
      await turn()
      const { delayMs, utilization } = meter.read()
      // At least what was blocked, less one period: a busy machine adds to it.
      t.ok(delayMs >= 175, `${delayMs} ms`)
      t.ok(utilization > 0 && utilization <= 1, `${utilization}`)
    }
  },
)

t.test('a process whose every tick is too long sheds, and stops when it is not', async (t) => {
  const meter = openEventLoopMeter()
  t.teardown(() => meter.close())
  const clock = { monotonic: () => performance.now() }
  const load = new EventLoopLoad({ meter, clock, random: Math.random, bounds: { windowMs: 100 } })
  for (let n = 0; n < 6 && !load.shed('batch'); n++) {
    block(150)
    await turn(1)
  }
  t.ok(load.isShedding)
  for (let n = 0; n < 500 && load.shed('batch'); n++) await turn(20)
  t.notOk(load.isShedding)
})
