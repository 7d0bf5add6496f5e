// How well the balancer places calls, in simulated time: `npm run bench:balance [-- --json]`.
import { parseArgs } from 'node:util'
import { mooncakeArrivals } from './balance/mooncake-trace.ts'
import { type PrefixPool, prefixPolicies, prefixTrace } from './balance/prefix-trace.ts'
import { besideOracle, type UnevenPool, unevenPool } from './balance/uneven-pool.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })

const slowOf = (servers: number, slow: number): number[] =>
  Array.from({ length: servers }, (_, index) => (index < slow ? 4 : 1))

const runs = { calls: 6_000, seeds: [1, 2, 3] }
const unevenPools: readonly UnevenPool[] = [
  { slowness: slowOf(4, 1), utilization: 0.75, gateways: 1, ...runs },
  { slowness: slowOf(4, 1), utilization: 0.8, gateways: 1, ...runs },
  { slowness: slowOf(4, 1), utilization: 0.75, gateways: 2, ...runs },
  { slowness: slowOf(4, 1), utilization: 0.75, gateways: 4, ...runs },
  { slowness: slowOf(16, 4), utilization: 0.75, gateways: 1, calls: 12_000, seeds: [1] },
  { slowness: slowOf(16, 4), utilization: 0.75, gateways: 4, calls: 12_000, seeds: [1] },
]

/** 4 000 blocks are two million tokens. */
const bounded = 4_000
const prefixPools: readonly PrefixPool[] = [
  { servers: 8, cacheBlocks: Number.POSITIVE_INFINITY, gateways: 1 },
  { servers: 8, cacheBlocks: bounded, gateways: 1 },
  { servers: 4, cacheBlocks: bounded, gateways: 1 },
  { servers: 16, cacheBlocks: bounded, gateways: 1 },
  { servers: 8, cacheBlocks: Number.POSITIVE_INFINITY, gateways: 2 },
  { servers: 8, cacheBlocks: Number.POSITIVE_INFINITY, gateways: 4 },
  { servers: 8, cacheBlocks: bounded, gateways: 4 },
]
/** All policies for the first pool; for the others those that it leaves open. */
const someOf = (index: number): string[] =>
  Object.keys(prefixPolicies).filter((name) => index === 0 || /^(sallyport|hash of block 1)/.test(name))

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const unevenTitle = ({ slowness, utilization, gateways }: UnevenPool): string =>
  `${slowness.length} servers, ${slowness.filter((factor) => factor > 1).length} of them 4x slower, ` +
  `${utilization * 100} % of capacity, gateways: ${gateways}`

const prefixTitle = ({ servers, cacheBlocks, gateways }: PrefixPool): string =>
  `${servers} servers, cache of ${cacheBlocks === Number.POSITIVE_INFINITY ? 'any size' : `${cacheBlocks} blocks each`}, gateways: ${gateways}`

/** A table as soon as it is known: all of them take a minute or two. */
function shown(pool: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  if (!values.json) console.log(`\n${pool}\n\n${table(head, rows)}`)
}

const uneven = unevenPools.map((pool) => {
  const rows = unevenPool(pool)
  shown(
    unevenTitle(pool),
    ['policy', 'TTFT p50, ms', 'TTFT p99, ms', 'p99 beside the oracle', 'calls to the first slow server'],
    rows.map((row) => [
      row.policy,
      row.ttftP50Ms.toFixed(0),
      row.ttftP99Ms.toFixed(0),
      besideOracle(rows, row.policy).toFixed(2),
      row.slowShare.toFixed(3),
    ]),
  )
  return { pool, rows }
})

const trace = mooncakeArrivals()
const prefix = prefixPools.map((pool, index) => {
  const rows = prefixTrace(trace, pool, someOf(index))
  shown(
    prefixTitle(pool),
    [
      'policy',
      'hit rate',
      'of one infinite cache',
      'load: max / mean',
      'in 5 minutes',
      'TTFT p50, ms',
      'TTFT p99, ms',
    ],
    rows.map((row) => [
      row.policy,
      row.hitRate.toFixed(3),
      row.ofInfinite.toFixed(3),
      row.load.toFixed(2),
      row.windowLoad.toFixed(2),
      row.ttftP50Ms.toFixed(0),
      row.ttftP99Ms.toFixed(0),
    ]),
  )
  return { pool, rows }
})

if (values.json) console.log(JSON.stringify({ uneven, prefix }))
