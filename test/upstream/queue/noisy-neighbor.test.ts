// The bar of a noisy neighbor, in virtual time: three tenants that use 70 % of their share each, and one that asks for ten
// times its own. The others wait no longer than alone on a pool of the size of their share, give or take a fifth.
import t from 'tap'
import { FairQueue } from '../../../src/upstream/queue/fair-queue.ts'
import { SimulatedTime } from '../simulated-time.ts'

const places = 8
const share = 2
const quiet = ['quiet-1', 'quiet-2', 'quiet-3']
const firstTokenMs = 100
const tokenMs = 10
const tokensMax = 60
const turnMs = firstTokenMs + (tokensMax / 2) * tokenMs
const seconds = 40

/** mulberry32: the same arrivals and lengths in every run. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A pool, and the times to the first token of everybody who came. */
class Pool {
  readonly firstTokens: number[] = []
  refused = 0
  readonly #queue: FairQueue
  readonly #time: SimulatedTime

  constructor(size: number, time: SimulatedTime) {
    this.#time = time
    this.#queue = new FairQueue({
      name: 'gpu',
      places: () => size,
      bounds: { waitingMax: 512, waitingPerTenantMax: 256, waitMsMax: 5_000 },
      clock: time,
      observer: { waited: () => {}, refused: () => {} },
    })
  }

  /** Arrivals at random, `load` times what the share can serve. `as`: under whose name. */
  arrive(seed: number, load: number, into: number[] | undefined, as: string): void {
    const random = randomOf(seed)
    const gap = (): number => (-Math.log(1 - random()) * turnMs) / (load * share)
    for (let at = gap(); at < seconds * 1000; at += gap()) {
      const tokens = 1 + Math.floor(random() * tokensMax)
      this.#time.at(at, () => void this.#serve(as, tokens, into))
    }
  }

  async #serve(tenant: string, tokens: number, into: number[] | undefined): Promise<void> {
    const cameAt = this.#time.monotonic()
    const asking = { tenant, weight: 1, priority: 'interactive', inputTokens: 50, waitMsMax: 60_000 } as const
    const turn = await this.#queue.wait(asking, new AbortController().signal).catch(() => undefined)
    if (turn === undefined) {
      if (into !== undefined) this.refused++
      return
    }
    into?.push(this.#time.monotonic() - cameAt + firstTokenMs)
    for (let n = 1; n <= tokens; n++) this.#time.in(firstTokenMs + n * tokenMs, () => turn.produced(1))
    this.#time.in(firstTokenMs + tokens * tokenMs, () => turn.end())
  }
}

async function alone(): Promise<number[]> {
  const time = new SimulatedTime()
  const times: number[] = []
  for (const [n, name] of quiet.entries()) new Pool(share, time).arrive(n + 1, 0.7, times, name)
  await time.run()
  return times.sort((a, b) => a - b)
}

async function together(nameOf: (tenant: string) => string) {
  const time = new SimulatedTime()
  const pool = new Pool(places, time)
  const times: number[] = []
  for (const [n, name] of quiet.entries()) pool.arrive(n + 1, 0.7, times, nameOf(name))
  pool.arrive(99, 10, undefined, nameOf('noisy'))
  await time.run()
  return { times: times.sort((a, b) => a - b), refused: pool.refused }
}

const mean = (times: readonly number[]): number => times.reduce((sum, ms) => sum + ms, 0) / times.length
const at = (times: readonly number[], part: number): number =>
  times[Math.floor(times.length * part)] as number

t.test('a tenant with ten times its load costs the others nothing that they would feel', async (t) => {
  const baseline = await alone()
  const { times, refused } = await together((tenant) => tenant)
  t.equal(refused, 0)
  t.equal(times.length, baseline.length)
  for (const [name, ratio] of [
    ['mean', mean(times) / mean(baseline)],
    ['median', at(times, 0.5) / at(baseline, 0.5)],
    ['95th percentile', at(times, 0.95) / at(baseline, 0.95)],
  ] as const) {
    t.ok(ratio <= 1.2, `${name}: ${ratio.toFixed(2)}`)
  }
})

t.test('first come, first served would', async (t) => {
  const [baseline, { times }] = [await alone(), await together(() => 'everybody')]
  t.ok(mean(times) / mean(baseline) > 3)
})
