// The limit of a simulated batching server, in simulated time: near the knee of throughput and latency, and back there
// after whatever happens. The knee is measured: the fixed limit at which throughput / latency is greatest.
import t from 'tap'
import { seededRandom } from '../../../loadtest/simulated/random.ts'
import { GradientLimit, type LatencySample } from '../../../src/upstream/concurrency/gradient-limit.ts'
import { type BatchingServerOptions, SimulatedBatchingServer } from './simulated-batching-server.ts'

type Server = Partial<Omit<BatchingServerOptions, 'random'>>

interface World {
  readonly server?: Server
  readonly fixed?: number
  readonly promptTokens?: (nowMs: number) => number
  readonly slowness?: (nowMs: number) => number
  /** Calls that would be in flight without a limit. */
  readonly demand?: (nowMs: number) => number
  /** What becomes of a sample on its way. */
  readonly seen?: (sample: LatencySample, random: () => number) => LatencySample
  /** Calls beyond so many are refused with 429. */
  readonly refusesAbove?: number
}

/** Means from `fromS` to `toS`. */
interface Stretch {
  readonly limit: number
  readonly callsPerS: number
  readonly ttftMs: number
  readonly tpotMs: number
}

function simulate(world: World, stretches: readonly (readonly [fromS: number, toS: number])[]): Stretch[] {
  const source = seededRandom(11)
  const random = (): number => source.next()
  const server = new SimulatedBatchingServer({ random, ...world.server })
  const limit = new GradientLimit({ clock: server, limitMax: 256 })
  const sums = stretches.map(() => ({ calls: 0, ttftMs: 0, tpotMs: 0, limits: 0, steps: 0 }))
  const until = Math.max(...stretches.map(([, toS]) => toS * 1000))
  while (server.nowMs < until) {
    server.slowness = world.slowness?.(server.nowMs) ?? 1
    fill(server, limit, world, random)
    const ended = server.step()
    for (const call of ended) limit.sample(world.seen?.(call, random) ?? call)
    for (const [index, [fromS, toS]] of stretches.entries()) {
      const sum = sums[index]
      if (sum === undefined || server.nowMs < fromS * 1000 || server.nowMs >= toS * 1000) continue
      sum.steps += 1
      sum.limits += limit.limit
      sum.calls += ended.length
      sum.ttftMs += ended.reduce((total, { ttftMs }) => total + ttftMs, 0)
      sum.tpotMs += ended.reduce((total, { tpotMs }) => total + tpotMs, 0)
    }
  }
  return sums.map(({ calls, ttftMs, tpotMs, limits, steps }, index) => {
    const [fromS, toS] = stretches[index] ?? [0, 1]
    return {
      limit: limits / steps,
      callsPerS: calls / (toS - fromS),
      ttftMs: ttftMs / calls,
      tpotMs: tpotMs / calls,
    }
  })
}

function fill(server: SimulatedBatchingServer, limit: GradientLimit, world: World, random: () => number) {
  const demand = world.demand?.(server.nowMs) ?? 1_000
  while (server.inFlight < Math.min(world.fixed ?? limit.limit, demand)) {
    if (server.inFlight >= (world.refusesAbove ?? 1_000)) return limit.overloaded()
    const promptTokens = world.promptTokens?.(server.nowMs) ?? 200 + 800 * random()
    server.send(Math.floor(promptTokens), 20 + Math.floor(180 * random()))
  }
}

const one = (world: World, fromS: number, toS: number): Stretch =>
  simulate(world, [[fromS, toS]])[0] as Stretch

/** Fixed limits, and for each what the server then does. */
function sweep(server: Server): (Stretch & { readonly power: number })[] {
  return [4, 8, 16, 32, 64, 128].map((fixed) => {
    const stretch = one({ server, fixed }, 30, 150)
    const wholeMs = stretch.ttftMs + 110 * stretch.tpotMs
    return { ...stretch, limit: fixed, power: stretch.callsPerS / wholeMs }
  })
}

const servers: Readonly<Record<string, Server>> = {
  'whose steps grow with the batch': {},
  'with 32 places and a queue': { sequencesMax: 32, sequenceMs: 0.1 },
  'with 8 places and a queue': { sequencesMax: 8, sequenceMs: 0.1 },
}

for (const [name, server] of Object.entries(servers)) {
  t.test(`near the knee of a server ${name}`, (t) => {
    const fixed = sweep(server)
    const knee = fixed.toSorted((a, b) => b.power - a.power)[0]
    if (knee === undefined) throw new Error('nothing was swept')
    const most = Math.max(...fixed.map(({ callsPerS }) => callsPerS))
    const adaptive = one({ server }, 150, 450)
    t.ok(adaptive.limit >= knee.limit / 2 && adaptive.limit <= knee.limit * 2.5, `${adaptive.limit}`)
    t.ok(adaptive.callsPerS >= 0.85 * most, `${adaptive.callsPerS} of ${most} calls per second`)
    const flooded = fixed.at(-1)
    const whole = (stretch: Stretch): number => stretch.ttftMs + 110 * stretch.tpotMs
    t.ok(whole(adaptive) < 0.8 * whole(flooded as Stretch), 'and faster than without')
    t.end()
  })
}

t.test('prompts that become eight times longer do not bring it down to the least', (t) => {
  const promptTokens = (nowMs: number): number => (nowMs < 200_000 ? 500 : 4_000)
  const [before, after] = simulate({ promptTokens }, [
    [100, 200],
    [400, 700],
  ])
  const fixed = one({ promptTokens: () => 4_000, fixed: 64 }, 100, 300)
  t.ok((after?.limit ?? 0) > 16 && (after?.limit ?? 0) <= (before?.limit ?? 0), `${after?.limit}`)
  t.ok((after?.callsPerS ?? 0) >= 0.9 * fixed.callsPerS, `${after?.callsPerS} beside ${fixed.callsPerS}`)
  t.end()
})

t.test('back after a spell in which the server was four times slower', (t) => {
  const slowness = (nowMs: number): number => (nowMs > 200_000 && nowMs < 300_000 ? 4 : 1)
  const [before, during, after] = simulate({ slowness }, [
    [150, 200],
    [280, 300],
    [450, 600],
  ])
  t.ok((during?.limit ?? 0) < (before?.limit ?? 0) * 0.75, `${during?.limit} instead of ${before?.limit}`)
  t.ok((after?.callsPerS ?? 0) > 0.85 * (before?.callsPerS ?? 0), `${after?.callsPerS}`)
  t.ok((after?.limit ?? 0) < 2 * (before?.limit ?? 0), 'and what was usual then is not usual now')
  t.end()
})

t.test('a server that stays slower is used as well as before', (t) => {
  const [before, after] = simulate({ slowness: (nowMs) => (nowMs > 200_000 ? 4 : 1) }, [
    [100, 200],
    [500, 900],
  ])
  const possible = (before?.callsPerS ?? 0) / 4
  t.ok((after?.callsPerS ?? 0) > (2 / 3) * possible, `${after?.callsPerS} of ${possible}`)
  t.end()
})

t.test('a server that becomes four times faster is not filled to four times its latency', (t) => {
  const [before, after] = simulate({ slowness: (nowMs) => (nowMs < 200_000 ? 4 : 1) }, [
    [100, 200],
    [500, 700],
  ])
  t.ok((after?.tpotMs ?? 0) < 0.7 * (before?.tpotMs ?? 0), `${after?.tpotMs} after ${before?.tpotMs}`)
  t.ok((after?.callsPerS ?? 0) > 3 * (before?.callsPerS ?? 0))
  t.end()
})

t.test('an hour of flood does not become what is usual', (t) => {
  const [early, late] = simulate({ server: { sequencesMax: 32, sequenceMs: 0.1 } }, [
    [200, 400],
    [3_000, 3_600],
  ])
  t.ok((late?.limit ?? 0) < 1.2 * (early?.limit ?? 0), `${late?.limit} after ${early?.limit}`)
  t.end()
})

t.test('a quiet server keeps its limit, and a night with few calls does not ruin it', (t) => {
  const demand = (nowMs: number): number => (nowMs > 200_000 && nowMs < 500_000 ? 3 : 1_000)
  const [before, quiet, after] = simulate({ demand }, [
    [150, 200],
    [300, 500],
    [600, 700],
  ])
  t.ok((quiet?.limit ?? 0) > 0.7 * (before?.limit ?? 0), `${quiet?.limit} from ${before?.limit}`)
  t.ok((after?.callsPerS ?? 0) > 0.8 * (before?.callsPerS ?? 0))
  t.end()
})

t.test('a prefix cache that answers half of the prompts at once does not bring it down', (t) => {
  const seen = (sample: LatencySample, random: () => number): LatencySample =>
    random() < 0.5 ? { ...sample, ttftMs: (sample.ttftMs ?? 0) / 8 } : sample
  const plain = one({}, 200, 400)
  const cached = one({ seen }, 200, 400)
  t.ok(cached.callsPerS > 0.8 * plain.callsPerS, `${cached.callsPerS} beside ${plain.callsPerS}`)
  t.end()
})

t.test('one sample in five that is junk changes little', (t) => {
  const values = [Number.NaN, 0, -1, 1e30, 3_600_000, 1e-300]
  const junk = (random: () => number): number => values[Math.floor(random() * values.length)] ?? 0
  const seen = (sample: LatencySample, random: () => number): LatencySample =>
    random() < 0.2 ? { ...sample, ttftMs: junk(random), tpotMs: junk(random) } : sample
  const plain = one({}, 200, 400)
  const junked = one({ seen }, 200, 400)
  t.ok(junked.limit > 0.7 * plain.limit && junked.limit < 1.4 * plain.limit, `${junked.limit}`)
  t.end()
})

t.test('429 above 24 calls: it stays below for most of the time and does not give up', (t) => {
  const { limit } = one({ refusesAbove: 24 }, 200, 400)
  t.ok(limit > 14 && limit < 30, `${limit}`)
  t.end()
})
