import { BlockCache } from './block-cache.ts'
import { blockHash, gateway, leastRequests, type MakePolicy, randomly, roundRobin } from './policies.ts'
import { seededRandom } from './seeded-random.ts'
import { ordinaryShape, SimulatedServer } from './simulated-server.ts'
import { type Arrival, SimulatedTime, Simulation } from './simulation.ts'
import { maxByMean, quantileOf, sumOf } from './statistics.ts'

export interface PrefixPool {
  readonly servers: number
  /** Blocks of 512 tokens in the prefix cache of each server. */
  readonly cacheBlocks: number
  /** Gateways in front, which know nothing of each other. */
  readonly gateways: number
}

export interface PrefixRow {
  readonly policy: string
  /** Prompt blocks that a server had in its cache, of all. */
  readonly hitRate: number
  /** The same beside what one cache without bounds would have had. */
  readonly ofInfinite: number
  /** Tokens read and made by the busiest server, beside the mean: over all, and in the worst five minutes. */
  readonly load: number
  readonly windowLoad: number
  readonly ttftP50Ms: number
  readonly ttftP99Ms: number
}

const ours = (wantsPrefix: boolean): MakePolicy =>
  gateway({ wantsPrefix, outputTokensMax: 2_000, reports: false })

export const prefixPolicies: Readonly<Record<string, MakePolicy>> = {
  sallyport: ours(true),
  'sallyport, prefixAffinity: false': ours(false),
  'least requests': leastRequests,
  random: randomly,
  'round robin': roundRobin,
  'hash of block 0': blockHash((blocks) => blocks[0] ?? 0),
  'hash of block 1': blockHash((blocks) => blocks[1] ?? 0),
  'hash of the prompt': blockHash((blocks) => blocks.at(-1) ?? 0),
}

/** The trace is meant for eight servers; for more or fewer it is played faster or slower, so each has as much to do. */
const tracedServers = 8

export function prefixTrace(
  trace: readonly Arrival[],
  pool: PrefixPool,
  policies: readonly string[] = Object.keys(prefixPolicies),
): PrefixRow[] {
  const stretch = tracedServers / pool.servers
  const arrivals = trace.map((arrival) => ({ ...arrival, atMs: arrival.atMs * stretch }))
  const infinite = infiniteHits(arrivals) / sumOf(arrivals.map(({ blocks }) => blocks.length))
  return policies.map((policy) => ({
    policy,
    ...play(arrivals, pool, prefixPolicies[policy] as MakePolicy, infinite),
  }))
}

/** Blocks that one cache without bounds has when they are asked for. */
export function infiniteHits(arrivals: readonly Arrival[]): number {
  const cache = new BlockCache(Number.POSITIVE_INFINITY)
  let hits = 0
  for (const { blocks } of arrivals) {
    hits += cache.hits(blocks)
    cache.add(blocks)
  }
  return hits
}

function play(
  arrivals: readonly Arrival[],
  pool: PrefixPool,
  make: MakePolicy,
  infinite: number,
): Omit<PrefixRow, 'policy'> {
  const time = new SimulatedTime()
  const servers = Array.from(
    { length: pool.servers },
    () => new SimulatedServer(ordinaryShape, new BlockCache(pool.cacheBlocks)),
  )
  const gateways = Array.from({ length: pool.gateways }, (_, index) =>
    make({ servers, time, random: seededRandom(index) }),
  )
  const { ttftMs, windows } = new Simulation(servers, time).run(arrivals, gateways)
  const hitRate =
    sumOf(servers.map(({ hitBlocks }) => hitBlocks)) / sumOf(servers.map((each) => each.askedBlocks))
  const inWindow = windows.map((work, index) =>
    work.map((tokens, server) => tokens - (windows[index - 1]?.[server] ?? 0)),
  )
  return {
    hitRate,
    ofInfinite: hitRate / infinite,
    load: maxByMean(servers.map(({ workTokens }) => workTokens)),
    // The last window is what was left over.
    windowLoad: Math.max(...inWindow.slice(0, -1).map(maxByMean)),
    ttftP50Ms: quantileOf(ttftMs, 0.5),
    ttftP99Ms: quantileOf(ttftMs, 0.99),
  }
}
