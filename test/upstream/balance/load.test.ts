import fc from 'fast-check'
import t from 'tap'
import { Load } from '../../../src/upstream/balance/load.ts'
import { outputCost, PoolPace } from '../../../src/upstream/balance/pool-pace.ts'
import type { Work } from '../../../src/upstream/work.ts'

/** A clock that stands where it is put. */
const world = (servers = 2) => {
  const clock = { now: 0, monotonic: () => clock.now }
  const pace = new PoolPace(clock)
  const loads = Array.from({ length: servers }, () => new Load({ clock, pace }))
  return { clock, pace, loads, load: loads[0] as Load, other: loads[1] as Load }
}

/** Calls one after the other, each at the speed of its server. */
function serve(load: Load, clock: { now: number }, slowness: number, calls = 20): void {
  for (let i = 0; i < calls; i++) {
    const work = load.begin({ inputTokens: 1_000, outputTokensExpected: 50 })
    clock.now += 150 * slowness
    work.firstToken()
    for (let token = 0; token < 50; token++) {
      work.produced(1)
      clock.now += 20 * slowness
    }
    work.end({ inputTokens: 1_000, outputTokens: 50 })
  }
}

t.test('a call weighs its prompt until the first token, then what is still to come', (t) => {
  const { load } = world()
  const work = load.begin({ inputTokens: 1_000, outputTokensExpected: 80 })
  t.equal(load.outstanding, 1_000 + 80 * outputCost)
  work.firstToken()
  t.equal(load.outstanding, 80 * outputCost)
  work.produced(30)
  t.equal(load.outstanding, 50 * outputCost)
  work.produced(48)
  t.equal(load.outstanding, 10 * outputCost, 'as long as it runs it is in the batch')
  work.produced(1_000)
  t.equal(load.outstanding, 10 * outputCost)
  work.end()
  t.equal(load.outstanding, 0)
  t.equal(load.held, 0)
  t.end()
})

type Step = readonly [kind: 'begin' | 'first' | 'produced' | 'end' | 'wait', call: number, tokens: number]

const steps = fc.array(
  fc.tuple(
    fc.constantFrom<Step[0][]>('begin', 'begin', 'first', 'produced', 'end', 'wait'),
    fc.nat(9),
    fc.oneof(fc.nat(100_000), fc.constantFrom(Number.NaN, -5, Number.POSITIVE_INFINITY, 0.4)),
  ),
  { maxLength: 60 },
)

/** Calls of one server, as they begin, go on and end, also after their end. */
class Calls {
  readonly load: Load
  readonly #clock: { now: number }
  readonly #works: Work[] = []
  readonly #ended = new Set<Work>()

  constructor({ load, clock }: { load: Load; clock: { now: number } }) {
    this.load = load
    this.#clock = clock
  }

  /** Whether the load did what it may. */
  take([kind, call, tokens]: Step): boolean {
    if (kind === 'wait') this.#clock.now += Number.isFinite(tokens) ? Math.max(0, tokens) : 0
    if (kind === 'begin')
      this.#works.push(this.load.begin({ inputTokens: tokens, outputTokensExpected: tokens }))
    const work = this.#works[call % Math.max(1, this.#works.length)]
    if (kind === 'begin' || kind === 'wait' || work === undefined) return this.#isSound
    const [before, hasEnded] = [this.load.outstanding, this.#ended.has(work)]
    if (kind === 'first') work.firstToken()
    if (kind === 'produced') work.produced(tokens)
    if (kind === 'end')
      this.#end(work, call % 2 === 0 ? undefined : { inputTokens: tokens, outputTokens: tokens })
    const { outstanding } = this.load
    return this.#isSound && (hasEnded ? outstanding === before : outstanding <= before)
  }

  endAll(): boolean {
    for (const work of this.#works) this.#end(work, undefined)
    return this.load.outstanding === 0 && this.load.held === 0 && this.load.score === 0
  }

  #end(work: Work, used: { inputTokens: number; outputTokens: number } | undefined): void {
    work.end(used)
    this.#ended.add(work)
  }

  get #isSound(): boolean {
    const { outstanding, score, slowness, held } = this.load
    const isCounted = Number.isSafeInteger(outstanding) && outstanding >= 0
    return (
      isCounted && Number.isFinite(score) && slowness > 0 && held === this.#works.length - this.#ended.size
    )
  }
}

t.test('1. and 2. the parts of the calls add up, only shrink, and are returned once', (t) => {
  fc.assert(
    fc.property(steps, (steps) => {
      const calls = new Calls(world())
      return steps.every((step) => calls.take(step)) && calls.endAll()
    }),
  )
  t.pass('checked by property')
  t.end()
})

t.test('3. requests of others count while the report is fresh', (t) => {
  const { clock, load, other } = world()
  const work = load.begin({ inputTokens: 1_000, outputTokensExpected: 0 })
  load.reported({ running: 3, waiting: 2, at: clock.now })
  t.equal(load.score, 5_000, 'one is ours, four are like it')
  other.reported({ running: 1, waiting: 0, at: clock.now })
  t.equal(other.score, 1_000)
  clock.now += 5_000
  t.equal(other.score, 1_000)
  clock.now += 1
  t.equal(other.score, 0)
  load.reported({ running: 0, waiting: 0, at: clock.now })
  work.firstToken()
  t.equal(load.score, 0, 'fewer than ours are not less than none')
  t.end()
})

t.test('a server that is four times slower weighs four times as much', (t) => {
  const { clock, load, other } = world()
  for (let i = 0; i < 10; i++) {
    serve(load, clock, 4, 1)
    serve(other, clock, 1, 4)
  }
  t.ok(load.slowness / other.slowness > 3, `${load.slowness} and ${other.slowness}`)
  t.ok(load.slowness / other.slowness < 4.5)
  t.end()
})

t.test('replies that come whole tell as much', (t) => {
  const { clock, load, other } = world()
  const whole = (server: Load, slowness: number): void => {
    const work = server.begin({ inputTokens: 1_000, outputTokensExpected: 50 })
    clock.now += 1_150 * slowness
    work.end({ inputTokens: 1_000, outputTokens: 50 })
  }
  for (let i = 0; i < 10; i++) {
    whole(load, 4)
    for (let k = 0; k < 4; k++) whole(other, 1)
  }
  t.ok(load.slowness / other.slowness > 3, `${load.slowness} and ${other.slowness}`)
  t.end()
})

t.test('having much to do is not being slow', (t) => {
  const { clock, load, other } = world()
  for (let round = 0; round < 10; round++) {
    const queue = Array.from({ length: 8 }, () => load.begin({ inputTokens: 2_000, outputTokensExpected: 0 }))
    const alone = other.begin({ inputTokens: 2_000, outputTokensExpected: 0 })
    for (const [index, work] of queue.entries()) {
      clock.now += 200
      if (index === 0) alone.firstToken()
      work.firstToken()
    }
    for (const work of [...queue, alone]) work.end()
  }
  t.ok(load.slowness / other.slowness < 1.4, `${load.slowness} and ${other.slowness}`)
  t.end()
})

t.test('what is known is forgotten: a slow server without calls is tried again', (t) => {
  const { clock, load, other } = world()
  for (let i = 0; i < 10; i++) {
    serve(load, clock, 8, 1)
    serve(other, clock, 1, 8)
  }
  t.ok(load.slowness > 2)
  clock.now += 200_000
  t.ok(load.slowness < 1.05, String(load.slowness))
  t.end()
})

t.test('silence counts before it is over, and when the caller leaves because of it', (t) => {
  const { clock, load, other } = world()
  serve(load, clock, 1)
  serve(other, clock, 1)
  const work = load.begin({ inputTokens: 100, outputTokensExpected: 10 })
  const before = load.slowness
  clock.now += 100
  t.ok(load.slowness <= before * 1.1, 'nothing is late yet')
  clock.now += 20_000
  const late = load.slowness
  t.ok(late > before * 2, `${before} became ${late}`)
  work.end()
  t.ok(load.slowness > before * 2)
  t.end()
})

t.test('callers who allow for far more output than they get do not weigh it', (t) => {
  const { clock, load } = world()
  for (let i = 0; i < 20; i++) {
    const work = load.begin({ inputTokens: 10, outputTokensExpected: 4_000 })
    clock.now += 1_000
    work.end({ inputTokens: 10, outputTokens: 40 })
  }
  load.begin({ inputTokens: 0, outputTokensExpected: 4_000 })
  t.ok(load.outstanding < 60 * outputCost, String(load.outstanding))
  t.end()
})
