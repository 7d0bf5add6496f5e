// Four simulated servers, one of which dies under load and comes back: what the callers notice of it.
import t from 'tap'
import { ActiveProbe, probeBounds } from '../../../src/upstream/health/active-probe.ts'
import { healthBounds } from '../../../src/upstream/health/health-bounds.ts'
import { PoolHealth } from '../../../src/upstream/health/pool-health.ts'
import { SteppingClock } from '../stepping-clock.ts'

const origins = ['a', 'b', 'c', 'd']
const callMs = 400
const endMs = 90_000
const death = { at: 20_000, until: 50_000 }

type Death = 'refuses' | 'hangs' | 'answers probes only'

/** The same chances in each run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

interface Ended {
  readonly at: number
  end(): void
}

class DyingServer {
  readonly clock = new SteppingClock()
  readonly random = seeded(7)
  readonly pool = new PoolHealth({
    ...{ bounds: healthBounds, ejectedPercentMax: 50, panicPercent: 50 },
    ...{ clock: this.clock, random: this.random },
  })
  readonly load = new Map(origins.map((origin) => [origin, 0]))
  /** Calls that were sent to the dead server, by the time when they were sent. */
  readonly lost: number[] = []
  /** Calls that the server had that died, by time. */
  readonly served: number[] = []
  /** Callers who got an error after one retry. */
  failedCallers = 0
  backAt: number | undefined
  readonly #ends: Ended[] = []
  readonly #how: Death
  readonly #probes: ActiveProbe[]

  constructor(how: Death) {
    this.#how = how
    this.#probes = origins.map(
      (origin) =>
        new ActiveProbe({
          ...{ server: 'vllm', bounds: probeBounds, clock: this.clock, random: this.random },
          health: this.pool.add(origin, 'full'),
          request: () => this.#probe(origin),
        }),
    )
  }

  #isDead(origin: string): boolean {
    const now = this.clock.monotonic()
    return origin === 'b' && now >= death.at && now < death.until
  }

  #probe(origin: string): Promise<number> {
    const isSilent = this.#isDead(origin) && this.#how !== 'answers probes only'
    return isSilent ? Promise.reject(new Error('refused')) : Promise.resolve(200)
  }

  /** The better of two by load per share. */
  #choose(tried: string | undefined): string | undefined {
    const open = origins.filter((origin) => origin !== tried && this.pool.shareOf(origin) > 0)
    const [one, two] = [0, 1].map(() => open[Math.floor(this.random() * open.length)]) as [string, string]
    const score = (origin: string): number => ((this.load.get(origin) ?? 0) + 1) / this.pool.shareOf(origin)
    return open.length === 0 || score(one) <= score(two) ? one : two
  }

  call(tried?: string): void {
    const now = this.clock.monotonic()
    const origin = this.#choose(tried)
    const turn = origin === undefined ? undefined : this.pool.enter(origin)
    if (origin === undefined || turn === undefined) {
      this.failedCallers += 1
      return
    }
    this.load.set(origin, (this.load.get(origin) ?? 0) + 1)
    const isDead = this.#isDead(origin)
    if (origin === 'b') (isDead ? this.lost : this.served).push(now)
    const takesMs = isDead ? (this.#how === 'hangs' ? 2_000 : 0) : callMs
    const end = (): void => {
      this.load.set(origin, (this.load.get(origin) ?? 0) - 1)
      turn.ended(isDead ? 'failed' : 'answered')
      if (isDead && tried === undefined) this.call(origin)
      else if (isDead) this.failedCallers += 1
    }
    this.#ends.push({ at: now + takesMs, end })
  }

  #finishDue(): void {
    const now = this.clock.monotonic()
    for (let index = 0; index < this.#ends.length; index += 1) {
      const ended = this.#ends[index] as Ended
      if (ended.at > now) continue
      this.#ends.splice(index, 1)
      index -= 1
      ended.end()
    }
  }

  /** 100 calls a second: 40 at a time, 10 at each server. */
  async run(): Promise<void> {
    while (this.clock.monotonic() < endMs) {
      await this.clock.advance(10)
      this.#finishDue()
      this.call()
      this.#finishDue()
      const now = this.clock.monotonic()
      if (now >= death.until && this.pool.healthOf('b')?.state === 'healthy') this.backAt ??= now
    }
    await Promise.all(this.#probes.map((probe) => probe.close()))
  }
}

const between = (times: readonly number[], from: number, to: number): number =>
  times.filter((at) => at >= from && at < to).length

for (const how of ['refuses', 'hangs', 'answers probes only'] as const) {
  t.test(`one of four servers dies under load and ${how}`, async (t) => {
    const world = new DyingServer(how)
    await world.run()
    const { lost, served, pool } = world
    t.equal(world.failedCallers, 0, 'each lost call found another server')
    // What was sent before the first failure was known cannot be helped; after that, one call for each probation.
    const probations = pool.healthOf('b')?.ejections as number
    const known = death.at + (how === 'hangs' ? 2_600 : 0)
    const burst = between(lost, death.at, known)
    t.ok(lost.length - burst <= probations + 4, `${lost.length} calls lost, ${burst} before it was known`)
    t.ok(probations <= 8, `${probations} ejections in half a minute`)
    const backMs = (world.backAt as number) - death.until
    const boundMs = how === 'answers probes only' ? 60_000 : probeBounds.intervalMs
    t.ok(backMs <= boundMs, `back after ${backMs} ms of simulated time`)
    const [first, full] = [world.backAt as number, (world.backAt as number) + healthBounds.slowStartMs]
    const herd = between(served, first, first + 1_000)
    t.ok(herd <= 15, `${herd} calls in its first second: no herd, its full part is 25`)
    const later = between(served, full, full + 10_000)
    if (full + 10_000 <= endMs) t.ok(later > 200 && later < 300, `${later} of 1000 calls when it is warm`)
    t.notOk(pool.panics)
  })
}
