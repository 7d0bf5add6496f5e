// One measurement of one way: calls, then what the model server knows of them, then the pairs.
import { setTimeout as delay } from 'node:timers/promises'
import { type ArrivalsMade, openArrivals } from '../../driver/open-arrivals.ts'
import { faultOf, pairStream, pairWhole } from '../../driver/pairing.ts'
import { type Quantiles, quantiles } from '../../driver/quantiles.ts'
import { type Blanks, type TimedCall, timedBody, tokensOf } from '../../driver/timed-call.ts'
import { call, type Received } from '../../driver/timed-client.ts'
import type { Stand, Way } from './stand.ts'

export const KIB = 1_024
export const PROMPT_BYTES = 500_000
const WHOLE_TOKENS = 16
export const STREAM_TOKENS = 40
export const STREAM_GAP_MS = 10
/** Far above what runs at half the knee; callers beyond it would only show that the machine has stopped. */
const OPEN_MAX = 1_000

/** All times in milliseconds. */
export interface Measured {
  readonly calls: number
  /** Calls without a whole answer, and the first reason. */
  readonly faults: number
  readonly firstFault: string | undefined
  /** Calls that were due and not begun, and how late the others began: the driver's own noise. */
  readonly dropped: number
  readonly lateP99: number
  readonly times: Readonly<Record<string, Quantiles>>
}

export interface Load {
  readonly perSecond: number
  readonly seconds: number
  readonly seed: number
}

interface Made {
  readonly order: TimedCall
  readonly received: Received
}

/** Whole answers to prompts of 1 KB. */
export async function measureWhole(stand: Stand, way: Way, load: Load): Promise<Measured> {
  const { made, arrivals } = await callOpenly(stand, way, load, {
    order: { tokens: WHOLE_TOKENS, gapMs: 0, blanks: 'trailing' },
    stream: false,
  })
  return await pairAll(stand, made, arrivals, ({ received }, sent) => ({
    outside: [pairWhole(received, sent).outsideMs],
  }))
}

/** Streams. `load.perSecond`: tokens. */
export async function measureStreams(stand: Stand, way: Way, load: Load, blanks: Blanks): Promise<Measured> {
  const perSecond = load.perSecond / STREAM_TOKENS
  const { made, arrivals } = await callOpenly(
    stand,
    way,
    { ...load, perSecond },
    {
      order: { tokens: STREAM_TOKENS, gapMs: STREAM_GAP_MS, blanks },
      stream: true,
    },
  )
  return await pairAll(stand, made, arrivals, ({ order, received }, sent) => {
    const { firstTokenMs, gapsMs, delaysMs } = pairStream(received, sent, tokensOf(order))
    return { firstToken: [firstTokenMs], gap: gapsMs, delay: delaysMs }
  })
}

/** Prompts of 500 KB, one at a time; `longestTurn`: of the gateway's event loop during each. */
export async function measurePrompts(stand: Stand, way: Way, count: number): Promise<Measured> {
  const measured = way === 'direct' ? undefined : stand.sides[way].measured
  const made: Made[] = []
  const turns = new Map<number, number>()
  await measured?.watchEventLoop()
  for (let n = 0; n < count; n += 1) {
    stand.signal.throwIfAborted()
    const order: TimedCall = { id: stand.nextId(), tokens: WHOLE_TOKENS, gapMs: 0, blanks: 'trailing' }
    await measured?.longestTurnMs()
    const received = await call(stand.targets[way], timedBody(order, { stream: false, bytes: PROMPT_BYTES }))
    if (measured !== undefined) turns.set(order.id, await measured.longestTurnMs())
    made.push({ order, received })
    // What one call leaves behind is not the next one's.
    await delay(20)
  }
  await measured?.unwatchEventLoop()
  return await pairAll(stand, made, undefined, ({ order, received }, sent) => ({
    outside: [pairWhole(received, sent).outsideMs],
    longestTurn: [turns.get(order.id) ?? Number.NaN],
  }))
}

/** Opens connections and lets the code be compiled: neither is what is measured. */
export async function warmUp(stand: Stand, way: Way, calls: number): Promise<void> {
  const one = (tokens: number, gapMs: number, stream: boolean) =>
    call(
      stand.targets[way],
      timedBody({ id: stand.nextId(), tokens, gapMs, blanks: 'trailing' }, { stream, bytes: KIB }),
    )
  for (let n = 0; n < calls; n += 32) {
    stand.signal.throwIfAborted()
    await Promise.all(Array.from({ length: 16 }, () => one(STREAM_TOKENS, 1, true)))
    await Promise.all(Array.from({ length: 32 }, () => one(WHOLE_TOKENS, 0, false)))
  }
  await stand.takeSent()
}

async function callOpenly(
  stand: Stand,
  way: Way,
  load: Load,
  { order, stream }: { readonly order: Omit<TimedCall, 'id'>; readonly stream: boolean },
): Promise<{ made: Made[]; arrivals: ArrivalsMade }> {
  stand.signal.throwIfAborted()
  const made: Made[] = []
  const arrivals = await openArrivals({ ...load, openMax: OPEN_MAX }, async () => {
    const numbered = { id: stand.nextId(), ...order }
    const received = await call(stand.targets[way], timedBody(numbered, { stream, bytes: KIB }))
    made.push({ order: numbered, received })
  })
  return { made, arrivals }
}

type Pair = (made: Made, sent: Parameters<typeof pairWhole>[1]) => Readonly<Record<string, readonly number[]>>

async function pairAll(
  stand: Stand,
  made: readonly Made[],
  arrivals: ArrivalsMade | undefined,
  pair: Pair,
): Promise<Measured> {
  const sentBy = await stand.takeSent()
  const faults: string[] = []
  const all: Record<string, number[]> = {}
  for (const each of made) {
    const sent = sentBy.get(each.order.id)
    const fault = faultOf(each.received, sent)
    if (fault !== undefined || sent === undefined) {
      faults.push(fault ?? 'not sent')
      continue
    }
    for (const [name, times] of Object.entries(pair(each, sent))) {
      const list = all[name] ?? []
      all[name] = list
      for (const time of times) list.push(time)
    }
  }
  return {
    calls: made.length,
    faults: faults.length,
    firstFault: faults[0],
    dropped: arrivals?.dropped ?? 0,
    lateP99: arrivals?.lateMs.p99 ?? 0,
    times: Object.fromEntries(Object.entries(all).map(([name, times]) => [name, quantiles(times)])),
  }
}
