// Turns at a full pool, in virtual time: one property for each invariant of the queue, and what callers are told.
import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check'
import t from 'tap'
import { batchEvery } from '../../../src/upstream/queue/fair-queue.ts'
import { inputPrice, outputPrice } from '../../../src/upstream/queue/held-turn.ts'
import { QueueWorld } from './queue-world.ts'

const step = record({
  what: constantFrom('ask', 'ask', 'ask', 'ask', 'leave', 'end', 'end', 'end truly', 'produce', 'wait'),
  tenant: constantFrom('a', 'b', 'c'),
  priority: constantFrom('interactive', 'batch'),
  weight: constantFrom(1, 3),
  tokens: integer({ min: 0, max: 50 }),
  which: integer({ min: 0, max: 7 }),
  ms: integer({ min: 1, max: 400 }),
})
type Step = {
  readonly what: string
  readonly tenant: string
  readonly priority: 'interactive' | 'batch'
  readonly weight: number
  readonly tokens: number
  readonly which: number
  readonly ms: number
}
const bounds = { waitingMax: 6, waitingPerTenantMax: 4, waitMsMax: 500 }

async function play(world: QueueWorld, { what, tenant, priority, weight, tokens, which, ms }: Step) {
  const held = world.running[which]
  if (what === 'ask') await world.ask(tenant, { priority, weight, inputTokens: tokens, waitMsMax: ms * 2 })
  if (what === 'leave') world.waiting[which]?.leave()
  if (what === 'end') await world.end(held)
  if (what === 'end truly') await world.end(held, { inputTokens: tokens, outputTokens: tokens })
  if (what === 'produce') held?.turn?.produced(tokens)
  if (what === 'wait') await world.clock.advance(ms)
}

/** What is wrong with the world now, if anything. */
function wrong(world: QueueWorld): string | undefined {
  const { queue, waiting, running, clock } = world
  if (queue.held !== running.length || queue.held > queue.places) return 'turns'
  if (queue.waiting !== waiting.length) return 'waits'
  if (queue.held < queue.places && queue.waiting > 0) return 'idle'
  if (queue.waiting > bounds.waitingMax) return 'waitingMax'
  if (['a', 'b', 'c'].some((tenant) => world.waitingOf(tenant) > bounds.waitingPerTenantMax)) return 'tenant'
  if (world.asked.some(({ state, endings }) => endings !== (state === 'waiting' ? 0 : 1))) return 'endings'
  const latest = (waitMsMax: number): number => Math.min(bounds.waitMsMax, waitMsMax)
  if (waiting.some(({ at, asking }) => clock.now() >= at + latest(asking.waitMsMax))) return 'deadline'
  if (clock.sleepers !== waiting.length) return 'timers'
  return undefined
}

t.test(
  '1 to 4: places, bounds and deadlines hold, no place is idle, every wait ends once, nothing leaks',
  async (t) => {
    await assert(
      asyncProperty(
        integer({ min: 1, max: 3 }),
        array(step, { maxLength: 60, size: 'max' }),
        async (places, steps) => {
          const world = new QueueWorld(places, bounds)
          for (const each of steps) {
            await play(world, each)
            if (each.what === 'leave') await world.clock.advance(0)
            const fault = wrong(world)
            if (fault !== undefined) throw new Error(fault)
          }
          await world.empty()
          return world.queue.held === 0 && world.queue.waiting === 0 && world.clock.sleepers === 0
        },
      ),
      { numRuns: 150 },
    )
    t.pass('held')
  },
)

t.test('5: batch has one of ten turns while both wait, and no more', async (t) => {
  await assert(
    asyncProperty(integer({ min: 1, max: 3 }), integer({ min: 20, max: 60 }), async (places, rounds) => {
      const world = new QueueWorld(places)
      for (let n = 0; n < rounds + places; n++) world.start('a')
      for (let n = 0; n < rounds; n++) world.start('b', { priority: 'batch', inputTokens: n })
      await world.ask('c', { priority: 'batch' })
      for (let n = 0; n < rounds; n++) await world.end(world.running[0])
      const given = world.admitted.slice(places, places + rounds).map(({ asking }) => asking.priority)
      return given.every((priority, index) => (priority === 'batch') === ((index + 1) % batchEvery === 0))
    }),
    { numRuns: 20 },
  )
  t.pass('every tenth')
})

/** Two tenants that wait all the time beside others that come and go; the largest gap in service per weight. */
async function largestGap(
  tenantOf: (name: string) => string,
  {
    places,
    weights,
    lengths,
  }: { places: number; weights: readonly [number, number]; lengths: readonly number[] },
): Promise<number> {
  const world = new QueueWorld(places)
  const service: Record<string, number> = { f: 0, g: 0, h: 0 }
  const weightOf: Record<string, number> = { f: weights[0], g: weights[1], h: 1 }
  const names = new Map<object, string>()
  const ask = (name: string, inputTokens: number): void => {
    names.set(world.start(tenantOf(name), { weight: weightOf[name] as number, inputTokens }), name)
  }
  let largest = 0
  let seen = 0
  const count = (): void => {
    for (const { asking } of world.admitted.slice(seen)) {
      const name = names.get(world.admitted[seen] as object) as string
      service[name] = (service[name] as number) + inputPrice * asking.inputTokens
      seen++
    }
  }
  // The pool is full before the two begin to wait, and f is the first with very many.
  for (let n = 0; n < places; n++) ask('h', 1)
  for (let n = 0; n < 30; n++) ask('f', lengths[n % lengths.length] as number)
  ask('g', 5)
  ask('g', 5)
  await world.clock.advance(0)
  for (const [index, length] of lengths.entries()) {
    const held = world.running[index % world.running.length] as (typeof world.running)[number]
    const name = names.get(held) as string
    held.turn?.produced(length)
    service[name] = (service[name] as number) + outputPrice * length
    await world.end(held)
    count()
    ask('f', length)
    ask('g', 5)
    if (index % 3 === 0) ask('h', length)
    await world.clock.advance(0)
    const [f, g] = [(service['f'] as number) / weights[0], (service['g'] as number) / weights[1]]
    largest = Math.max(largest, Math.abs(f - g))
  }
  return largest
}

const load = record({
  places: integer({ min: 1, max: 4 }),
  weights: constantFrom<[number, number][]>([1, 1], [3, 1], [1, 2]),
  lengths: array(integer({ min: 1, max: 40 }), { minLength: 60, maxLength: 120, size: 'max' }),
})
type Load = Parameters<typeof largestGap>[1]
const boundOf = ({ places, weights }: Load): number =>
  (2 * (inputPrice * 40 + outputPrice * 40 * places)) / Math.min(...weights)

t.test('6: the service of two tenants that wait stays together, whatever their loads', async (t) => {
  await assert(
    asyncProperty(load, async (load: Load) => (await largestGap((name) => name, load)) <= boundOf(load)),
    { numRuns: 40 },
  )
  const long: Load = { places: 1, weights: [1, 1], lengths: Array.from({ length: 120 }, () => 20) }
  t.ok((await largestGap((name) => name, long)) <= boundOf(long))
  t.ok((await largestGap(() => 'all', long)) > boundOf(long), 'first come, first served breaks the bound')
})

t.test(
  '7: the first of a line waits for one turn of each tenant that waits, however long their lines',
  async (t) => {
    const lines = array(
      record({ tenant: constantFrom('a', 'b', 'c', 'd'), tokens: integer({ min: 0, max: 90 }) }),
      {
        minLength: 1,
        maxLength: 40,
        size: 'max',
      },
    )
    await assert(
      asyncProperty(lines, integer({ min: 0, max: 20 }), async (others, ends) => {
        const world = new QueueWorld(1)
        for (const { tenant, tokens } of others) world.start(tenant, { inputTokens: tokens })
        await world.clock.advance(0)
        for (let n = 0; n < ends; n++) await world.end(world.running[0])
        const tenants = new Set(world.waiting.map(({ asking }) => asking.tenant)).size
        const before = world.admitted.length
        const quiet = await world.ask('quiet')
        while (quiet.state === 'waiting') await world.end(world.running[0])
        return world.admitted.indexOf(quiet) - before <= tenants
      }),
      { numRuns: 100 },
    )
    t.pass('never more')
  },
)

t.test('a free place is taken at once, and one tenant is served in its order', async (t) => {
  const world = new QueueWorld(2)
  t.equal((await world.ask('a')).state, 'turn')
  t.equal((await world.ask('a')).turn?.waitedMs, 0)
  t.equal(world.waits, 0, 'no wait, nothing counted')
  const later = [1, 2, 3].map((inputTokens) => world.start('a', { inputTokens }))
  await world.clock.advance(40)
  for (let n = 0; n < 3; n++) await world.end(world.running[0])
  t.same(world.admitted.slice(2), later)
  t.equal(later[0]?.turn?.waitedMs ?? 40, 40)
  t.equal(world.waits, 3)
})

t.test('a tenant with ten times the load delays another by one turn, not by ten', async (t) => {
  const world = new QueueWorld(1)
  for (let n = 0; n < 11; n++) world.start('noisy', { inputTokens: 10 })
  const quiet = await world.ask('quiet', { inputTokens: 10 })
  await world.end(world.running[0])
  await world.end(world.running[0])
  t.ok(world.admitted.indexOf(quiet) <= 2)
})

t.test('twice the weight, twice the turns', async (t) => {
  const world = new QueueWorld(1)
  for (let n = 0; n < 60; n++) world.start('one', { inputTokens: 10 })
  for (let n = 0; n < 60; n++) world.start('two', { inputTokens: 10, weight: 2 })
  await world.clock.advance(0)
  for (let n = 0; n < 60; n++) await world.end(world.running[0])
  const share = world.admitted.slice(0, 60).filter(({ asking }) => asking.tenant === 'two').length
  t.ok(share >= 39 && share <= 41, `${share} of 60`)
})

t.test('the truth about tokens is charged when a turn ends, in both directions', async (t) => {
  const world = new QueueWorld(1)
  const liar = await world.ask('long', { inputTokens: 1 })
  liar.turn?.produced(1)
  const [long, short] = [world.start('long'), world.start('short')]
  const secondShort = world.start('short')
  await world.clock.advance(0)
  await world.end(liar, { inputTokens: 100, outputTokens: 100 })
  t.equal(short.state, 'turn', 'its next one comes after')
  await world.end(short, { inputTokens: 1, outputTokens: 1 })
  t.equal(secondShort.state, 'turn')
  t.equal(long.state, 'waiting')
})

t.test('a caller who leaves, or has left before, takes no place', async (t) => {
  const world = new QueueWorld(1)
  const holder = await world.ask('a')
  const [leaver, stayer] = [world.start('a'), world.start('a')]
  await world.clock.advance(0)
  leaver.leave()
  t.equal(world.queue.waiting, 1, 'at once, not when the promise is looked at')
  await world.end(holder)
  t.match([leaver.state, stayer.state], ['left', 'turn'])
  const gone = AbortSignal.abort(new Error('gone'))
  await t.rejects(world.queue.wait(stayer.asking, gone), /gone/)
  t.equal(world.queue.held, 1)
})

t.test('a tenant that fills its own line is refused, and nobody else', async (t) => {
  const world = new QueueWorld(1, { waitingPerTenantMax: 2 })
  const states = []
  for (let n = 0; n < 4; n++) states.push(await world.ask('noisy'))
  const other = await world.ask('quiet')
  t.same(
    [...states, other].map(({ state }) => state),
    ['turn', 'waiting', 'waiting', 'tenant_queue_full', 'waiting'],
  )
})

t.test('when all lines are full the longest gives way to a shorter one, its youngest first', async (t) => {
  const world = new QueueWorld(1, { waitingMax: 4 })
  const noisy = []
  for (let n = 0; n < 5; n++) noisy.push(await world.ask('noisy'))
  const first = await world.ask('quiet')
  const second = await world.ask('quiet')
  const third = await world.ask('quiet')
  t.same(
    noisy.map(({ state }) => state),
    ['turn', 'waiting', 'waiting', 'displaced', 'displaced'],
  )
  t.same([first.state, second.state, third.state], ['waiting', 'waiting', 'queue_full'])
  t.same(world.refused, ['displaced', 'displaced', 'queue_full'])
})

t.test('without a queue whoever finds no place is refused at once', async (t) => {
  const world = new QueueWorld(1, { waitingMax: 0 })
  await world.ask('a')
  t.match(await world.ask('b'), { state: 'queue_full', retryAfterMs: 1000 })
})

t.test('a wait that is foreseen to be too long is refused at once, with the time to come back', async (t) => {
  const world = new QueueWorld(1, { waitMsMax: 10_000 })
  const first = await world.ask('a')
  await world.clock.advance(4_000)
  await world.end(first)
  await world.ask('a')
  t.equal((await world.ask('a')).state, 'waiting', '4 s')
  t.equal((await world.ask('a')).state, 'waiting', '8 s')
  t.match(await world.ask('a'), { state: 'hopeless', retryAfterMs: 12_000 })
  t.equal((await world.ask('b')).state, 'waiting', 'another tenant is not behind all of them')
  t.match(await world.ask('c', { waitMsMax: 3_000 }), { state: 'hopeless', retryAfterMs: 12_000 })
  t.match(await world.ask('d', { waitMsMax: 0 }), { state: 'hopeless' })
})

t.test('a wait ends at its deadline when the servers do not get on', async (t) => {
  const world = new QueueWorld(1, { waitMsMax: 10_000 })
  const holder = await world.ask('a')
  const [short, long] = [world.start('b', { waitMsMax: 2_000 }), world.start('b')]
  await world.clock.advance(2_000)
  t.match([short, long], [{ state: 'deadline', retryAfterMs: 1_000 }, { state: 'waiting' }])
  await world.clock.advance(8_000)
  t.equal(long.state, 'deadline')
  await world.end(holder)
  t.same([world.queue.held, world.queue.waiting, world.clock.sleepers], [0, 0, 0])
})
