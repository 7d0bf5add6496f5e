// The same load for minutes: whether memory and handles of the gateway stay where they are.
import { setTimeout as delay } from 'node:timers/promises'
import { agentOf, Calls, type Outcome, Streams } from './flow.ts'
import { type Slope, slopeOf } from './slope.ts'
import { type Held, heldBy, startStage } from './soak-stage.ts'

export interface SteadyResult {
  readonly minutes: number
  readonly calls: Outcome & { readonly p50Ms: number; readonly p99Ms: number }
  readonly streams: Outcome
  /** One a minute. */
  readonly minutesHeld: readonly Held[]
  /** For a minute, MiB. */
  readonly rss: Slope
  readonly heap: Slope
  readonly handles: Slope
  /** Lowest RSS in the first and in the second half, MiB: what is left after the garbage collector has been there. */
  readonly floors: readonly [number, number]
}

export interface SteadyOptions {
  readonly minutes: number
  readonly callsPerSecond: number
  readonly streams: number
}

const SAMPLE_MS = 2_000
/** Not measured: the heap grows to what this load needs. */
const WARM_UP_MS = 60_000

export async function steady(
  secrets: string,
  { minutes, callsPerSecond, streams: count }: SteadyOptions,
  progress: (line: string) => void,
): Promise<SteadyResult> {
  const stage = await startStage(secrets, { inFlightMax: 500 })
  const caller = { url: stage.url, agent: agentOf(stage.files), token: stage.token }
  const streams = new Streams(() => caller, { count, words: 20, gapMs: 100 })
  const calls = new Calls(() => caller, callsPerSecond)
  try {
    await delay(WARM_UP_MS)
    const startedAt = performance.now()
    const samples: (readonly [minute: number, held: Held])[] = []
    const minutesHeld: Held[] = []
    for (;;) {
      const minute = (performance.now() - startedAt) / 60_000
      const held = await heldBy(stage)
      samples.push([minute, held])
      if (minute >= minutesHeld.length) {
        minutesHeld.push(held)
        progress(`minute ${Math.floor(minute)}: RSS ${held.rssMiB.toFixed(1)} MiB, ${held.handles} handles`)
      }
      if (minute >= minutes) break
      await delay(SAMPLE_MS)
    }
    const slope = (key: keyof Held): Slope => slopeOf(samples.map(([minute, held]) => [minute, held[key]]))
    const floor = (from: number, to: number): number =>
      Math.min(...samples.filter(([minute]) => minute >= from && minute < to).map(([, { rssMiB }]) => rssMiB))
    const [stopped, ended] = await Promise.all([calls.stop(), streams.stop()])
    return {
      minutes,
      calls: stopped,
      streams: ended,
      minutesHeld,
      rss: slope('rssMiB'),
      heap: slope('heapMiB'),
      handles: slope('handles'),
      floors: [floor(0, minutes / 2), floor(minutes / 2, Number.POSITIVE_INFINITY)],
    }
  } finally {
    await Promise.all([calls.stop(), streams.stop()])
    await caller.agent.destroy()
    await stage.close()
  }
}
