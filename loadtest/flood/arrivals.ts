// Who calls when: as soon as the last answer is there (closed loop), or whatever becomes of the calls before (open model).
import { setTimeout as delay } from 'node:timers/promises'
import { seededRandom } from '../simulated/random.ts'
import { call, type Seen } from './call.ts'
import type { Caller, Gateway, Priority } from './gateway.ts'

/** So many callers, each of whom asks again as soon as it is answered. Throws when `signal` aborts. */
export async function closedLoop(
  gateway: Gateway,
  { concurrency, seconds }: { readonly concurrency: number; readonly seconds: number },
  signal: AbortSignal,
): Promise<Seen[]> {
  const start = performance.now()
  const seen: Seen[] = []
  const interactive = gateway.callers.filter(({ priority }) => priority === 'interactive')
  const worker = async (_: unknown, index: number): Promise<void> => {
    const caller = interactive[index % interactive.length] as Caller
    while (performance.now() - start < seconds * 1000) {
      signal.throwIfAborted()
      seen.push(await call(gateway, caller, start, performance.now() - start))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return seen
}

/** Arrivals at random and independent of the answers; a third of them batch. Throws when `signal` aborts. */
export async function openModel(
  gateway: Gateway,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
  signal: AbortSignal,
): Promise<Seen[]> {
  const random = seededRandom(7)
  const start = performance.now()
  const calls: Promise<Seen>[] = []
  let dueMs = 0
  while (dueMs < seconds * 1000) {
    signal.throwIfAborted()
    dueMs += (-Math.log(1 - random.next()) * 1000) / perSecond
    const aheadMs = dueMs - (performance.now() - start)
    if (aheadMs > 1) await delay(aheadMs)
    const priority: Priority = random.next() < 1 / 3 ? 'batch' : 'interactive'
    const able = gateway.callers.filter((caller) => caller.priority === priority)
    calls.push(call(gateway, able[Math.floor(random.next() * able.length)] as Caller, start, dueMs))
  }
  return await Promise.all(calls)
}
