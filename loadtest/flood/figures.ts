// From the calls to the figures of a run, and the bars that they are held against.
import { quantile } from '../driver/quantiles.ts'
import type { Seen } from './call.ts'
import { type Priority, WAIT_MS_MAX } from './gateway.ts'
import type { FloodOptions } from './options.ts'
import type { Watched } from './watch.ts'

/** Until pace and queues have settled. */
const RISE_S = 1
/** The model is as fast in a flood. Where places are held longer than this, the processor was what was waited for. */
const BUSY_MAX = 1.1
const GOODPUT_MIN = 0.9
/** Of the time without congestion, what may be added to the wait for a place. */
const LATENCY_FACTOR_MAX = 1.5
const RSS_BYTES_MAX = 1024 ** 3
/** Arrivals that are later than this are no open model any more. */
const LATE_MS_MAX = 250

/** Of completed calls; times in milliseconds. */
export interface Summary {
  /** Calls a second. */
  readonly goodput: number
  /** How long a call had its place, in the mean. */
  readonly heldMs: number
  readonly firstP50: number
  readonly firstP99: number
  readonly totalP50: number
  readonly totalP99: number
}

export interface Step extends Summary {
  readonly concurrency: number
}

export interface ByClass extends Summary {
  readonly asked: number
  /** By code. */
  readonly counts: Readonly<Record<string, number>>
}

export interface Measured {
  /** The first one is without congestion. */
  readonly sweep: readonly [Step, ...Step[]]
  /** The best goodput of the sweep. */
  readonly peak: number
  readonly flood: Watched
  readonly quietMs: number
  readonly after: Summary
}

/** What was completed from `RISE_S` to the end of the phase, per second, and how long it took. */
export function summary(seen: readonly Seen[], seconds: number): Summary {
  const done = seen.filter(({ code }) => code === 'completed')
  const counted = done.filter(({ endMs }) => endMs >= RISE_S * 1000 && endMs < seconds * 1000)
  const first = done.map(({ firstTokenMs }) => firstTokenMs)
  const total = done.map(({ totalMs }) => totalMs)
  const held = done.map(({ totalMs, beforeMs }) => totalMs - beforeMs)
  return {
    goodput: counted.length / (seconds - RISE_S),
    heldMs: held.reduce((sum, ms) => sum + ms, 0) / held.length,
    ...{ firstP50: quantile(first, 0.5), firstP99: quantile(first, 0.99) },
    ...{ totalP50: quantile(total, 0.5), totalP99: quantile(total, 0.99) },
  }
}

function byClass(seen: readonly Seen[], priority: Priority, seconds: number): ByClass {
  const own = seen.filter((each) => each.priority === priority)
  const codes = Object.groupBy(own, ({ code }) => code)
  const counts = Object.fromEntries(Object.entries(codes).map(([code, list]) => [code, list?.length ?? 0]))
  return { asked: own.length, ...summary(own, seconds), counts }
}

const p99 = (seen: readonly Seen[], value: (seen: Seen) => number): number => quantile(seen.map(value), 0.99)

export function figuresOf(
  { sweep, peak, flood, quietMs, after }: Measured,
  { seconds, factor, connectionsMax }: Omit<FloodOptions, 'json'>,
) {
  const { seen, ...process } = flood
  const refused = seen.filter(({ status }) => status >= 400)
  return {
    ...{ seconds, factor, connectionsMax, sweep, peak },
    offered: seen.length / seconds,
    whole: summary(seen, seconds),
    perClass: {
      interactive: byClass(seen, 'interactive', seconds),
      batch: byClass(seen, 'batch', seconds),
    },
    refusedP99: p99(refused, ({ totalMs }) => totalMs),
    recordP99: p99(seen, ({ recordMs }) => recordMs),
    ...process,
    lateP99: p99(seen, ({ lateMs }) => lateMs),
    ...{ quietMs, after },
  }
}

export type Figures = ReturnType<typeof figuresOf>

/** Whether each bar is met, by its name. A figure that could not be taken has missed its bar. */
export function barsOf(
  { sweep, peak, whole, rssMax, quietMs, after, lateP99 }: Figures,
  seen: readonly Pick<Seen, 'status' | 'code'>[],
): Record<string, boolean> {
  const [calm] = sweep
  const latencyMax = (calmMs: number): number => calmMs * LATENCY_FACTOR_MAX + WAIT_MS_MAX
  return {
    'goodput / peak': whole.goodput / peak >= GOODPUT_MIN,
    'p99 of admitted bounded':
      whole.firstP99 <= latencyMax(calm.firstP99) && whole.totalP99 <= latencyMax(calm.totalP99),
    'every call answered': seen.every(
      ({ status, code }) => status > 0 && code !== 'broken stream' && status < 504,
    ),
    'memory bounded': rssMax <= RSS_BYTES_MAX,
    'nothing left behind': quietMs >= 0,
    // Not the total: the lengths of the replies are drawn, and few are seen here.
    'latency back': after.firstP50 <= calm.firstP50 * 1.2,
    'places held as long as before (else the machine was busy, and the run says nothing)':
      whole.heldMs <= calm.heldMs * BUSY_MAX,
    'arrivals in time (else the run says nothing)': lateP99 <= LATE_MS_MAX,
  }
}
