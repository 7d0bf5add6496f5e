import fc from 'fast-check'
import t from 'tap'
import { Supervisor, type SupervisorOptions, WorkerStartFailed } from '../../src/workers/supervisor.ts'
import { SimulatedWorkers } from './simulated-workers.ts'

function make(count: number, bounds: Partial<SupervisorOptions> = {}) {
  const world = new SimulatedWorkers()
  const supervisor = new Supervisor({
    count,
    clock: world.clock,
    fork: (index) => world.fork(index),
    observer: world,
    ...bounds,
  })
  return { world, supervisor }
}

t.test('the first one serves before any other is forked, then all do', async (t) => {
  const { world, supervisor } = make(3)
  const starting = supervisor.start()
  await world.turn()
  t.same(world.living, [1])
  world.latest(1).serves()
  await world.turn()
  t.same(world.living, [1, 2, 3])
  world.latest(2).serves()
  world.latest(3).serves()
  await starting
  t.equal(supervisor.serving.length, 3)
})

t.test('what keeps the first, or another, from starting is said once, and none is left', async (t) => {
  for (const failing of [1, 3]) {
    const { world, supervisor } = make(4)
    const starting = supervisor.start()
    starting.catch(() => {})
    for (let index = 1; index <= 4; index += 1) {
      await world.turn()
      if (!world.living.includes(index)) continue
      if (index === failing) world.latest(index).fails('port 1 is in use', 3)
      else world.latest(index).serves()
    }
    const error = await starting.catch((thrown: unknown) => thrown)
    t.ok(error instanceof WorkerStartFailed)
    t.match(error, { message: 'port 1 is in use', exitCode: 3 })
    t.same(world.living, [])
    const forked = world.forks.length
    await world.advance(100_000)
    t.equal(world.forks.length, forked, 'and none is tried again')
  }
})

t.test('one that does not say that it serves is ended', async (t) => {
  const { world, supervisor } = make(2, { startMsMax: 1_000 })
  const starting = supervisor.start().catch((error: unknown) => error)
  await world.turn()
  await world.advance(1_001)
  t.match(await starting, { message: /did not start within 1000 ms/ })
  t.same(world.living, [])
})

t.test('one that dies is replaced, later and later; one that ran for long, at once', async (t) => {
  const { world, supervisor } = make(1, { restartMsMin: 100, restartMsMax: 1_000, steadyMs: 10_000 })
  const starting = supervisor.start()
  await world.turn()
  world.latest(1).serves()
  await starting
  const waits: number[] = []
  for (let death = 0; death < 6; death += 1) {
    world.latest(1).dies()
    await world.turn()
    const diedMs = world.clock.monotonic()
    const before = world.forks.length
    while (world.forks.length === before) await world.advance(10)
    waits.push(world.clock.monotonic() - diedMs)
    if (death < 3) world.latest(1).serves()
    else world.latest(1).fails('no', 1)
    await world.turn()
  }
  t.same(waits, [100, 200, 400, 800, 1_000, 1_000])
  await world.advance(1_000)
  world.latest(1).serves()
  await world.turn()
  await world.advance(10_000)
  world.latest(1).dies()
  await world.turn()
  const before = world.forks.length
  await world.advance(100)
  t.equal(world.forks.length, before + 1)
  t.equal(world.told.filter((line) => line.startsWith('start failed')).length, 3)
})

t.test('close: all are told, none is forked, and it ends as the worst of them', async (t) => {
  for (const codes of [
    [0, 0],
    [0, 1],
    [null, 0],
  ] as const) {
    const { world, supervisor } = make(2)
    const starting = supervisor.start()
    for (const index of [1, 2]) {
      await world.turn()
      world.latest(index).serves()
    }
    await starting
    const closing = supervisor.close().then(
      () => 'well',
      () => 'badly',
    )
    t.same(
      world.forks.map(({ drained }) => drained),
      [true, true],
    )
    codes.forEach((code, place) => void world.latest(place + 1).dies(code))
    t.equal(await closing, codes.every((code) => code === 0) ? 'well' : 'badly')
    await world.advance(100_000)
    t.equal(world.forks.length, 2)
  }
})

t.test('close with a deadline: who lives on after it is killed', async (t) => {
  const { world, supervisor } = make(1)
  const starting = supervisor.start()
  await world.turn()
  world.latest(1).serves()
  await starting
  const closing = supervisor.close({ deadlineMs: 2_000 }).catch((error: Error) => error.message)
  await world.advance(11_900)
  t.same(world.living, [1])
  await world.advance(200)
  t.match(await closing, /SIGKILL/)
})

t.test('of each number at most one process, whatever dies and whenever', async (t) => {
  const step = fc.record({
    index: fc.integer({ min: 1, max: 3 }),
    act: fc.constantFrom('serves', 'dies', 'fails'),
    ms: fc.nat({ max: 3_000 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { world, supervisor } = make(3)
      const starting = supervisor.start()
      for (const index of [1, 2, 3]) {
        await world.turn()
        world.latest(index).serves()
      }
      await starting
      for (const { index, act, ms } of steps) {
        const worker = world.latest(index)
        if (act === 'serves') worker.serves()
        else if (act === 'dies') worker.dies()
        else worker.fails('no', 1)
        await world.advance(ms)
        t.equal(new Set(world.living).size, world.living.length)
      }
      for (let turn = 0; turn < 400; turn += 1) {
        for (const index of [1, 2, 3]) world.latest(index).serves()
        await world.advance(100)
      }
      t.same([...world.living].sort(), [1, 2, 3], 'and in the end one of each')
      const closing = supervisor.close().catch(() => {})
      for (const index of [1, 2, 3]) world.latest(index).dies(0)
      await closing
      await world.advance(100_000)
      t.same(world.living, [])
    }),
    { numRuns: 30 },
  )
})
