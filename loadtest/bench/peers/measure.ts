// Measures one load against one row, with the CPU time of everybody who took part.
import { setTimeout as delay } from 'node:timers/promises'
import { quantiles } from '../../driver/quantiles.ts'
import { arrivals, closedLoop, connect, type Target } from './drive.ts'
import { type Load, shortChat } from './loads.ts'
import { usageOf } from './program.ts'
import type { Latency, Quantiles, Sample } from './results.ts'
import type { Running } from './running.ts'
import type { Scene } from './world.ts'

/** What a gateway does after the last byte (audit, log, journal) is its cost too. */
const SETTLED_MS = 100
const MIB = 2 ** 20
const WARM_UP_STEP_MS = 250
/** Above this the load generator, one process, is what is measured. */
const HALF_PER_SECOND_MAX = 600
/** Calls without the row, beside those through it: enough to compare with, too few to be in their way. */
const DIRECT_PER_SECOND_MAX = 100

export interface Taken {
  readonly round: number
  /** Part of the times of a full run. */
  readonly scale: number
}

/** So many calls that code which is compiled as it runs has been, or as many as the time allows. */
export async function warmUp(
  target: Target,
  { calls, msMax }: { readonly calls: number; readonly msMax: number },
): Promise<void> {
  const until = performance.now() + msMax
  for (let made = 0; made < calls && performance.now() < until; ) {
    const { completed, failures } = await closedLoop(target, shortChat, WARM_UP_STEP_MS)
    made += completed + failures
  }
}

/** CPU time of a closed loop. The load generator is this process. */
export async function measureLoad(running: Running, scene: Scene, load: Load, taken: Taken): Promise<Sample> {
  const { program, target, row } = running
  await connect(target, shortChat, load.concurrency)
  await delay(SETTLED_MS)
  const before = usages(running, scene)
  const start = performance.now()
  const outcome = await closedLoop(target, load, load.budgetMs * taken.scale)
  const seconds = (performance.now() - start) / 1_000
  await delay(SETTLED_MS)
  const after = usages(running, scene)
  return {
    row: row.name,
    round: taken.round,
    load: load.name,
    ...outcome,
    seconds: rounded(seconds),
    cpuMs: rounded(after.gateway - before.gateway),
    modelCpuMs: rounded(after.model - before.model),
    generatorCpuMs: rounded(after.generator - before.generator),
    rssMiB: Math.round(program.usage().rssBytes / MIB),
  }
}

const usages = ({ program }: Running, { model }: Scene) => ({
  gateway: program.usage().cpuMs,
  model: model.usage().cpuMs,
  generator: ownCpuMs(),
})

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** Latency through the row and without it, at a rate, in the same seconds: both sides see the same machine. */
export async function measureLatency(
  { row, target }: Running,
  direct: Target,
  rate: { readonly name: string; readonly perSecond: number },
  { round, seconds }: { readonly round: number; readonly seconds: number },
): Promise<Latency> {
  const { name, perSecond } = rate
  for (const each of [target, direct]) await connect(each, shortChat, shortChat.concurrency)
  const directRate = Math.min(perSecond, DIRECT_PER_SECOND_MAX)
  const [through, without] = await Promise.all([
    arrivals(target, shortChat, { perSecond, seconds }),
    arrivals(direct, shortChat, { perSecond: directRate, seconds }),
  ])
  return {
    row: row.name,
    round,
    rate: name,
    perSecond,
    dropped: through.dropped,
    failures: through.failures,
    ...(through.failure === undefined ? {} : { failure: through.failure }),
    gateway: roundedQuantiles(through.latenciesMs),
    direct: roundedQuantiles(without.latenciesMs),
  }
}

/** `half` of what the row bore in this round's closed loop of 64. */
export function perSecondOf(rate: string, knee: Sample | undefined): number | undefined {
  if (rate !== 'half') return Number(rate)
  if (knee === undefined || knee.completed === 0) return undefined
  return Math.max(1, Math.min(HALF_PER_SECOND_MAX, Math.round(knee.completed / knee.seconds / 2)))
}

function roundedQuantiles(values: readonly number[]): Quantiles {
  const { count, p50, p99 } = quantiles(values)
  return { count, p50Ms: rounded(p50), p99Ms: rounded(p99) }
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000
export const rssMiBOf = (pid: number): number => Math.round(usageOf(pid).rssBytes / MIB)
