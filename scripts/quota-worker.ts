/**
 * What `npm run bench:quota` measures, as a process of its own: admissions and settlements of exchanges with so many
 * limits each, on the embedded store with its folder, and beside them the least that any limiter does (one look at a
 * clock, one look-up in a map, one write). Prints microseconds of processor time for one exchange, as JSON.
 *   node scripts/quota-worker.ts <limits> <exchanges>
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/clock.ts'
import type { Limit } from '../src/policy/limit.ts'
import { openEmbeddedStore } from '../src/quota/embedded/open.ts'
import type { QuotaStore } from '../src/quota/store.ts'
import { benchLimits, correctionsOf, demandsOf } from './quota-load.ts'

const [limitCount = 6, exchanges = 50_000] = process.argv.slice(2).map(Number)
const TENANTS = 1_000
const tenants = Array.from({ length: TENANTS }, (_, tenant) => benchLimits(tenant, limitCount))

async function exchange(store: QuotaStore, id: string, limits: readonly Limit[]): Promise<void> {
  await store.admit(id, demandsOf(limits))
  await store.settle(id, correctionsOf(limits))
}

async function cpuUs(run: (index: number) => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  for (let index = 0; index < exchanges; index += 1) await run(index)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / exchanges
}

const directory = mkdtempSync(join(tmpdir(), 'sallyport-bench-quota-'))
const store = await openEmbeddedStore({ clock: systemClock, directory })
const map = new Map<string, number>()
const floor = async (index: number): Promise<void> => {
  const key = `t${index % TENANTS}`
  map.set(key, Math.max(map.get(key) ?? 0, performance.now()) + 1)
}
const one = (index: number): Promise<void> =>
  exchange(store, `e${process.pid}-${index}`, tenants[index % TENANTS] as readonly Limit[])
try {
  await cpuUs(one)
  await cpuUs(floor)
  const again = (index: number): Promise<void> => one(index + exchanges)
  process.stdout.write(
    `${JSON.stringify({ limits: limitCount, us: await cpuUs(again), floorUs: await cpuUs(floor) })}\n`,
  )
} finally {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
}
