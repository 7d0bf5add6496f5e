// Calls that begin when they are due, whether those before have been answered or not: a slow server gets no fewer of them.
//
// 1. The schedule is drawn before the first call and depends on the seed alone.
// 2. Every scheduled call is begun or counted as dropped; dropped are only those that would be more than `openMax` at once.
// 3. It resolves when every call that was begun has ended.
import { setTimeout as delay } from 'node:timers/promises'
import { seededRandom } from '../simulated/random.ts'
import { monotonicMs } from './monotonic-clock.ts'
import { type Quantiles, quantiles } from './quantiles.ts'

export interface Arrivals {
  readonly perSecond: number
  readonly seconds: number
  readonly seed: number
  /** Most calls that run at one time. */
  readonly openMax: number
}

export interface ArrivalsMade {
  readonly begun: number
  readonly dropped: number
  /** How late the driver began its calls: its own noise. Milliseconds. */
  readonly lateMs: Quantiles
}

/** Poisson arrivals: milliseconds from the start, ascending. */
export function schedule({ perSecond, seconds, seed }: Omit<Arrivals, 'openMax'>): number[] {
  const random = seededRandom(seed)
  const times: number[] = []
  for (let atMs = 0; ; ) {
    atMs -= (Math.log(1 - random.next()) * 1000) / perSecond
    if (atMs >= seconds * 1000) return times
    times.push(atMs)
  }
}

/** Begins `one` at each arrival. `one` must not reject. */
export async function openArrivals(
  arrivals: Arrivals,
  one: (n: number) => Promise<unknown>,
): Promise<ArrivalsMade> {
  const times = schedule(arrivals)
  const open = new Set<Promise<unknown>>()
  const late: number[] = []
  const startMs = monotonicMs()
  for (const [n, dueMs] of times.entries()) {
    const earlyMs = startMs + dueMs - monotonicMs()
    if (earlyMs > 0) await delay(earlyMs)
    if (open.size >= arrivals.openMax) continue
    late.push(monotonicMs() - startMs - dueMs)
    const running = one(n).finally(() => open.delete(running))
    open.add(running)
  }
  await Promise.all(open)
  return { begun: late.length, dropped: times.length - late.length, lateMs: quantiles(late) }
}
