/**
 * What an admission and a settlement through the primary process cost: time of a pair over a real channel between two
 * processes, one at a time and in a crowd, beside the same on the store itself. Prints JSON.
 */
import { fork } from 'node:child_process'
import { systemClock } from '../src/clock.ts'
import type { Limit } from '../src/policy/limit.ts'
import { openEmbeddedStore } from '../src/quota/embedded/open.ts'
import { ServedStore } from '../src/quota/remote/served-store.ts'
import { RemoteStore } from '../src/quota/remote/store.ts'
import type { QuotaStore } from '../src/quota/store.ts'
import { IpcPeer } from '../src/workers/ipc-peer.ts'
import { portOf } from '../src/workers/ipc-port.ts'

const pairs = 5_000
const limitsPerCall = 6

const limitOf = (index: number): Limit => ({
  name: `limit-${index}`,
  key: `limit-${index}|total_tokens/minute|tenant=acme`,
  shard: 'acme',
  counts: 'total_tokens',
  per: 'minute',
  amount: 1_000_000_000,
  burst: 1_000_000_000,
  mode: 'enforce',
  onStoreFailure: 'lease',
  timeZone: 'UTC',
  source: 'config',
})
const limits = Array.from({ length: limitsPerCall }, (_, index) => limitOf(index))

async function pair(store: QuotaStore, id: string): Promise<void> {
  await store.admit(
    id,
    limits.map((limit) => ({ limit, amount: 100 })),
  )
  await store.settle(
    id,
    limits.map((limit) => ({ limit, reserved: 100, used: 50 })),
  )
}

const microseconds = (startedAt: number): number => (performance.now() - startedAt) * 1_000

async function measured(store: QuotaStore, label: string) {
  for (let n = 0; n < 1_000; n += 1) await pair(store, `${label}-warm-${n}`)
  const times: number[] = []
  for (let n = 0; n < pairs; n += 1) {
    const startedAt = performance.now()
    await pair(store, `${label}-${n}`)
    times.push(microseconds(startedAt))
  }
  times.sort((a, b) => a - b)
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: 100 }, async (_, caller) => {
      for (let n = 0; n < pairs / 100; n += 1) await pair(store, `${label}-crowd-${caller}-${n}`)
    }),
  )
  const { user, system } = process.cpuUsage(cpu)
  return {
    store: label,
    medianUs: Math.round(times[Math.floor(pairs / 2)] as number),
    p99Us: Math.round(times[Math.floor(pairs * 0.99)] as number),
    crowdPairsPerSecond: Math.round(pairs / ((performance.now() - startedAt) / 1_000)),
    crowdCpuUsPerPairHere: Math.round((user + system) / pairs),
  }
}

if (process.send === undefined) {
  const store = await openEmbeddedStore({ clock: systemClock })
  const alone = await measured(store, 'the store itself')
  const child = fork(import.meta.filename)
  const served = new ServedStore({ store, clock: systemClock })
  const peer = new IpcPeer({ port: portOf(child), clock: systemClock })
  served.serve(peer)
  const cpu = process.cpuUsage()
  peer.on('measured', ([remote]) => {
    const { user, system } = process.cpuUsage(cpu)
    const primaryCpuUsPerPair = Math.round((user + system) / (2 * pairs + 1_000))
    process.stdout.write(`${JSON.stringify({ alone, remote, primaryCpuUsPerPair }, null, 2)}\n`)
    served.close()
    child.disconnect()
  })
  peer.on('ready', () => peer.tell('begin'))
} else {
  const peer = new IpcPeer({ port: portOf(process), clock: systemClock })
  const store = new RemoteStore({ line: peer, clock: systemClock })
  peer.on('begin', async () => peer.tell('measured', [await measured(store, 'through the primary')]))
  peer.tell('ready')
}
