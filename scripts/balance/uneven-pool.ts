import { gateway, leastRequests, type MakePolicy, oracle, randomly, roundRobin } from './policies.ts'
import { exponential, logNormal, seededRandom } from './seeded-random.ts'
import { ordinaryShape, SimulatedServer } from './simulated-server.ts'
import { type Arrival, SimulatedTime, Simulation } from './simulation.ts'
import { meanOf, quantileOf } from './statistics.ts'

export interface UnevenPool {
  /** How many times as long each server takes. */
  readonly slowness: readonly number[]
  /** Part of what the servers can do together. */
  readonly utilization: number
  /** Gateways in front, which know nothing of each other. */
  readonly gateways: number
  readonly calls: number
  readonly seeds: readonly number[]
}

export interface UnevenRow {
  readonly policy: string
  readonly ttftP50Ms: number
  readonly ttftP99Ms: number
  /** Part of the calls that went to the first server, which is the slow one. */
  readonly slowShare: number
}

const outputTokensMax = 1_024

/** Lengths as in the Azure conversation trace of 2023: prompts of 1 000 tokens, half of them longer; answers of 150. */
function conversation(seed: number, calls: number, everyMs: number): Arrival[] {
  const random = seededRandom(seed)
  let atMs = 0
  return Array.from({ length: calls }, () => {
    atMs += exponential(random, everyMs)
    return {
      atMs,
      inputTokens: within(8, 16_000, logNormal(random, 1_000, 1)),
      outputTokens: within(1, outputTokensMax, logNormal(random, 150, 0.9)),
      blocks: [],
      prefix: [],
    }
  })
}

const within = (min: number, max: number, value: number): number =>
  Math.min(max, Math.max(min, Math.round(value)))

/** Calls a second that one ordinary server gets done when it never waits for any. */
function capacity(): number {
  const calls = 1_000
  const time = new SimulatedTime()
  const only = roundRobin({ servers: [new SimulatedServer(ordinaryShape)], time, random: () => 0 })
  new Simulation([new SimulatedServer(ordinaryShape)], time).run(conversation(1, calls, 0), [only])
  return (calls / time.now) * 1_000
}

const ours = (reports: boolean): MakePolicy => gateway({ wantsPrefix: false, outputTokensMax, reports })

/** The best of the oracles is the one that others are compared with. */
const oracles: Readonly<Record<string, MakePolicy>> = {
  'oracle (prompts)': oracle(0),
  'oracle (all work)': oracle(4),
}
const policies: Readonly<Record<string, MakePolicy>> = {
  sallyport: ours(false),
  'sallyport, load reports': ours(true),
  'least requests': leastRequests,
  random: randomly,
  'round robin': roundRobin,
}

export function unevenPool(pool: UnevenPool): UnevenRow[] {
  const everyMs = 1_000 / (capacity() * meanCapacity(pool) * pool.utilization)
  return Object.entries({ ...oracles, ...policies }).map(([policy, make]) => {
    const gateways = policy in oracles ? 1 : pool.gateways
    const runs = pool.seeds.map((seed) =>
      play(pool, conversation(seed, pool.calls, everyMs), make, [seed, gateways]),
    )
    return {
      policy,
      ttftP50Ms: meanOf(runs.map(({ ttftMs }) => quantileOf(ttftMs, 0.5))),
      ttftP99Ms: meanOf(runs.map(({ ttftMs }) => quantileOf(ttftMs, 0.99))),
      slowShare: meanOf(
        runs.map(({ server }) => server.filter((index) => index === 0).length / server.length),
      ),
    }
  })
}

/** Ordinary servers that would do as much. */
const meanCapacity = ({ slowness }: UnevenPool): number =>
  slowness.reduce((sum, factor) => sum + 1 / factor, 0)

function play(
  { slowness }: UnevenPool,
  arrivals: readonly Arrival[],
  make: MakePolicy,
  [seed, gateways]: [number, number],
) {
  const time = new SimulatedTime()
  const servers = slowness.map((factor) => new SimulatedServer({ ...ordinaryShape, slowness: factor }))
  const makers = Array.from({ length: gateways }, (_, index) =>
    make({ servers, time, random: seededRandom(seed * 1_000 + index) }),
  )
  return new Simulation(servers, time).run(arrivals, makers)
}

/** The 99th percentile of a policy beside that of the best oracle. */
export function besideOracle(rows: readonly UnevenRow[], policy: string): number {
  const p99 = (name: string): number => rows.find((row) => row.policy === name)?.ttftP99Ms ?? Number.NaN
  return p99(policy) / Math.min(...Object.keys(oracles).map(p99))
}
