/**
 * What `npm run bench:quota-redis` measures, as a process of its own: admissions and settlements with six limits on a
 * Redis, one after the other, and PINGs on a connection of the same kind. Prints microseconds, and how many scripts the
 * server has run, as JSON.
 *   node scripts/quota-redis-worker.ts <port> <calls>
 */
import { systemClock } from '../src/clock.ts'
import type { Limit } from '../src/policy/limit.ts'
import { connectRedis } from '../src/quota/shared/client.ts'
import { openRedisStore } from '../src/quota/shared/open.ts'
import { benchLimits, correctionsOf, demandsOf, limitCountMax } from './quota-load.ts'

const [port = 6379, calls = 2_000] = process.argv.slice(2).map(Number)
const WARM_UP = 500
const tenants = Array.from({ length: 100 }, (_, tenant) => benchLimits(tenant, limitCountMax))

const options = {
  mode: 'standalone',
  addresses: [`127.0.0.1:${port}`],
  keyPrefix: `bench${process.pid}:`,
  deadlineMs: 10_000,
  replicaId: `bench-${process.pid}`,
  // No heartbeat falls into the measurement.
  timing: { heartbeatMs: 600_000, memberMs: 1_200_000, leaseMs: 3_600_000 },
  clock: systemClock,
  observer: { answered() {}, away() {}, back() {}, repaired() {} },
} as const
const store = await openRedisStore(options)
if (!store.health.available) throw new Error('no server answers')
// Made as the store's connection is.
const redis = connectRedis(options, () => {})
await new Promise((resolve) => redis.once('ready', resolve))

async function timed(call: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await call()
  return (performance.now() - startedAt) * 1_000
}

/** Scripts that the server has run: each is a round trip. */
async function scriptsRun(): Promise<number> {
  const stats = String(await redis.info('commandstats'))
  const of = (name: string): number =>
    Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
  return of('evalsha') + of('eval')
}

const ping: number[] = []
const admit: number[] = []
const settle: number[] = []
const counted = { admissions: 0, settlements: 0 }

async function exchanges(from: number, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, n) => from + n)
  const limits = (n: number): readonly Limit[] => tenants[n % tenants.length] as readonly Limit[]
  const before = await scriptsRun()
  for (const n of ids) {
    ping.push(await timed(() => redis.ping()))
    const demands = demandsOf(limits(n))
    admit.push(await timed(() => store.admit(`e${n}`, demands)))
  }
  const between = await scriptsRun()
  for (const n of ids) {
    const corrections = correctionsOf(limits(n))
    settle.push(await timed(() => store.settle(`e${n}`, corrections)))
  }
  counted.admissions = (between - before) / count
  counted.settlements = ((await scriptsRun()) - between) / count
}

const percentiles = (of: readonly number[]) => {
  const sorted = of.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] as number
  return { p50: at(0.5), p99: at(0.99) }
}

await exchanges(0, WARM_UP)
for (const times of [ping, admit, settle]) times.length = 0
await exchanges(WARM_UP, calls)
const result = {
  limits: limitCountMax,
  ping: percentiles(ping),
  admit: percentiles(admit),
  settle: percentiles(settle),
  perAdmission: counted.admissions,
  perSettlement: counted.settlements,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
redis.disconnect()
await store.close()
