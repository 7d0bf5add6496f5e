// What the flood does to the gateway's process, and whether anything of it is left behind.
import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import type { Child } from '../bench/processes.ts'
import type { Seen } from './call.ts'

const gauges = ['sallyport_requests_in_flight', 'sallyport_upstream_turns', 'sallyport_upstream_waiting']
const QUIET_MS_MAX = 15_000

export interface Watched {
  readonly seen: readonly Seen[]
  /** Resident set, bytes. */
  readonly rssBefore: number
  readonly rssMax: number
  /** Of one core. */
  readonly cpuShare: number
}

export async function watched(child: Child, run: () => Promise<readonly Seen[]>): Promise<Watched> {
  const before = { rss: child.rssBytes(), cpu: child.cpuMs(), at: performance.now() }
  let rssMax = before.rss
  const watch = setInterval(() => {
    rssMax = Math.max(rssMax, child.rssBytes())
  }, 100)
  try {
    const seen = await run()
    const cpuShare = (child.cpuMs() - before.cpu) / (performance.now() - before.at)
    return { seen, rssBefore: before.rss, rssMax, cpuShare }
  } finally {
    clearInterval(watch)
  }
}

/** Milliseconds until nothing is in flight, at the pool or waiting any more; NaN when that does not come. */
export async function untilQuiet(probesPort: number): Promise<number> {
  const start = performance.now()
  while (performance.now() - start < QUIET_MS_MAX) {
    const metrics = await (await request(`http://127.0.0.1:${probesPort}/metrics`)).body.text()
    const sums = gauges.map((name) => sumOf(metrics, name))
    if (sums.every((sum) => sum === 0)) return performance.now() - start
    await delay(100)
  }
  return Number.NaN
}

/** Over all labels. NaN when there is no such metric. */
export function sumOf(metrics: string, name: string): number {
  const lines = metrics.split('\n').filter((line) => new RegExp(`^${name}[ {]`).test(line))
  return lines.length === 0
    ? Number.NaN
    : lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}
