// What one request, one streamed event and one long prompt take of the gateway: counts, not times.
import { setTimeout as delay } from 'node:timers/promises'
import type { Gateways, Side } from '../../driver/gateways.ts'
import { monotonicMs } from '../../driver/monotonic-clock.ts'
import { median } from '../../driver/quantiles.ts'
import type { LockstepModel } from './lockstep.ts'

export interface Effort extends Calls {
  /** Rounds that are not counted. */
  readonly warmUp: number
  readonly rounds: number
}

/** Of one round. */
interface Calls {
  readonly requests: number
  readonly streams: number
  /** Tokens of each stream. */
  readonly tokens: number
  readonly prompts: number
}

export interface Count {
  /** What is compared. */
  readonly value: number
  /** The same of each round. */
  readonly rounds: readonly number[]
}

/** A name is `unit.what`. */
export type Counts = Readonly<Record<string, Count>>

interface Taken {
  readonly allocatedBytes: number
  readonly readsAndWrites: number
  readonly cpuMs: number
}

const prose =
  'The quick brown fox jumps over the lazy dog and then it writes a report about it for everyone. '
const KIB = 1_024
const IDLE_MS = 2_000
const LONG_PROMPT_BYTES = 500_000
const promptOf = (bytes: number): string => prose.repeat(Math.ceil(bytes / prose.length))

/**
 * The rounds are taken in turn, after calls that are not counted: code that is not yet compiled takes more. `onRound` hears
 * of each.
 */
export async function takeCounts(
  model: LockstepModel,
  { sallyport, bare }: Gateways,
  { warmUp, ...effort }: Effort,
  { signal, onRound }: { readonly signal: AbortSignal; readonly onRound: (n: number) => void },
): Promise<Counts> {
  const nothing = { allocatedBytes: 0, readsAndWrites: 0, cpuMs: 0 }
  for (let n = 0; n < warmUp; n += 1) {
    signal.throwIfAborted()
    for (const side of [bare, sallyport]) await countRound(model, side, effort, nothing)
  }
  const [ownIdle, floorIdle] = await Promise.all([idleOf(sallyport), idleOf(bare)])
  const own: Round[] = []
  const floor: Round[] = []
  for (let n = 0; n < effort.rounds; n += 1) {
    signal.throwIfAborted()
    own.push(await countRound(model, sallyport, effort, ownIdle))
    floor.push(await countRound(model, bare, effort, floorIdle))
    onRound(n + 1)
  }
  return countsOf(own, floor)
}

const units = ['request', 'event', 'longPrompt'] as const
type Round = Readonly<Record<(typeof units)[number], Taken>>

function countsOf(own: readonly Round[], floor: readonly Round[]): Counts {
  const of = (unit: (typeof units)[number], what: keyof Taken): Count =>
    counted(own.map((round) => round[unit][what]))
  const ratio = (unit: (typeof units)[number]): Count =>
    cpuRatio(
      own.map((round) => round[unit].cpuMs),
      floor.map((round) => round[unit].cpuMs),
    )
  return {
    'request.allocatedBytes': of('request', 'allocatedBytes'),
    'request.readsAndWrites': of('request', 'readsAndWrites'),
    'request.cpuRatio': ratio('request'),
    'event.allocatedBytes': of('event', 'allocatedBytes'),
    'event.readsAndWrites': of('event', 'readsAndWrites'),
    'event.cpuRatio': ratio('event'),
    // Not its reads: the kernel decides in how many a long prompt comes. Not its CPU time: the bare relay does not read it.
    'longPrompt.allocatedBytes': of('longPrompt', 'allocatedBytes'),
  }
}

export const counted = (rounds: readonly number[]): Count => ({ value: median(rounds), rounds })

/**
 * What others do on the machine only adds to CPU time: the rounds that were disturbed least are compared. (Medians of pairwise
 * ratios varied twice as much.)
 */
export const cpuRatio = (own: readonly number[], floor: readonly number[]): Count => ({
  value: Math.min(...own) / Math.min(...floor),
  rounds: own.map((ms, n) => ms / (floor[n] as number)),
})

/** (largest - smallest) / median of the rounds, percent. */
export const spreadPercent = ({ rounds }: Pick<Count, 'rounds'>): number =>
  ((Math.max(...rounds) - Math.min(...rounds)) / median(rounds)) * 100

/** What a process takes by the clock, for a millisecond: it must not count by how long the machine took. */
type Idle = Taken

async function countRound(model: LockstepModel, side: Side, effort: Calls, idle: Idle): Promise<Round> {
  const prompt = promptOf(KIB)
  const long = promptOf(LONG_PROMPT_BYTES)
  const { requests, streams, tokens, prompts } = effort
  const each = counter(side, idle)
  return {
    request: await each(requests, 1, () => model.whole(side, prompt)),
    event: await each(streams, tokens, () => model.stream(side, tokens)),
    longPrompt: await each(prompts, 1, () => model.whole(side, long)),
  }
}

/** Counts what `times` calls of `units` units each take, for one unit. */
function counter(side: Side, idle: Idle) {
  return async (times: number, units: number, one: () => Promise<void>): Promise<Taken> => {
    // A collection within the calls would be counted: it copies, and gives parts of pages up (0.1 to 0.9 MB each, measured).
    await side.measured.collect()
    const { taken, tookMs } = await takenDuring(side, async () => {
      for (let n = 0; n < times; n += 1) await one()
    })
    return map(taken, (amount, what) => (amount - idle[what] * tookMs) / (times * units))
  }
}

async function idleOf(side: Side): Promise<Idle> {
  await side.measured.collect()
  const { taken, tookMs } = await takenDuring(side, () => delay(IDLE_MS))
  return map(taken, (amount) => amount / tookMs)
}

async function takenDuring(
  side: Side,
  act: () => Promise<unknown>,
): Promise<{ taken: Taken; tookMs: number }> {
  const startMs = monotonicMs()
  const before = await takenBy(side)
  await act()
  const after = await takenBy(side)
  return {
    taken: map(after, (amount, what) => amount - before[what]),
    tookMs: monotonicMs() - startMs,
  }
}

async function takenBy({ measured }: Side): Promise<Taken> {
  return {
    allocatedBytes: await measured.allocatedBytes(),
    readsAndWrites: measured.readsAndWrites(),
    cpuMs: await measured.cpuMs(),
  }
}

const map = (taken: Taken, change: (amount: number, what: keyof Taken) => number): Taken => ({
  allocatedBytes: change(taken.allocatedBytes, 'allocatedBytes'),
  readsAndWrites: change(taken.readsAndWrites, 'readsAndWrites'),
  cpuMs: change(taken.cpuMs, 'cpuMs'),
})
