// What the gateways hold while k6 runs, looked at from outside, and what is left of the callers when they have gone.
import { setTimeout as delay } from 'node:timers/promises'
import { evidenceOf, isWhole } from '../deploy/evidence.ts'
import { metricOf, textOf } from '../deploy/places.ts'
import { slopeOf } from '../deploy/slope.ts'
import type { Stage } from './stage.ts'

const SAMPLE_MS = 1_000
const MIB = 1024 ** 2
const REST_MS_MAX = 20_000
/** Slopes of less than that say nothing: the heap is still growing to what the load needs. */
const LEVELS_SECONDS_MIN = 240
const WARM_UP_SECONDS = 60

export interface Sample {
  readonly seconds: number
  readonly rssMiB: number
  readonly handles: number
  readonly cpuMs: number
}

export interface Found {
  /** In words, for the report. */
  readonly said: readonly string[]
  readonly faults: readonly string[]
}

/** Samples all gateways together until `stop`. */
export class Watch {
  readonly #stage: Stage
  readonly #startedAt = performance.now()
  readonly #samples: Sample[] = []
  readonly #timer: NodeJS.Timeout

  constructor(stage: Stage) {
    this.#stage = stage
    this.#look()
    this.#timer = setInterval(() => this.#look(), SAMPLE_MS)
  }

  get samples(): readonly Sample[] {
    return this.#samples
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#look()
  }

  #look(): void {
    const gateways = [...this.#stage.running.values()]
    const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)
    try {
      this.#samples.push({
        seconds: (performance.now() - this.#startedAt) / 1000,
        rssMiB: sum(gateways.map((gateway) => gateway.rssBytes())) / MIB,
        handles: sum(gateways.map((gateway) => gateway.handles())),
        cpuMs: sum(gateways.map((gateway) => gateway.cpuMs())),
      })
    } catch {
      // A gateway that is being restarted has no process to look at.
    }
  }
}

/** Memory and handles over the run; with `levels` it is a fault when they climb. */
export function levelsOf(samples: readonly Sample[], levels: boolean): Found {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined) return { said: [], faults: [] }
  const most = Math.max(...samples.map(({ rssMiB }) => rssMiB))
  const said = [
    `gateways: RSS ${first.rssMiB.toFixed(0)} MiB at the start, ${most.toFixed(0)} at most, ${last.rssMiB.toFixed(0)} at the end; handles ${first.handles}, ${Math.max(...samples.map(({ handles }) => handles))}, ${last.handles}`,
  ]
  if (!levels) return { said, faults: [] }
  if (last.seconds < LEVELS_SECONDS_MIN)
    return { said: [...said, `too short for slopes: those need ${LEVELS_SECONDS_MIN} s`], faults: [] }
  const warm = samples.filter(({ seconds }) => seconds >= WARM_UP_SECONDS)
  const slope = (key: 'rssMiB' | 'handles') =>
    slopeOf(warm.map((sample) => [sample.seconds / 60, sample[key]] as const))
  const [rss, handles] = [slope('rssMiB'), slope('handles')]
  const middle = (warm[0]?.seconds ?? 0) / 2 + last.seconds / 2
  const floor = (half: readonly Sample[]): number => Math.min(...half.map(({ rssMiB }) => rssMiB))
  const floors = [
    floor(warm.filter(({ seconds }) => seconds < middle)),
    floor(warm.filter(({ seconds }) => seconds >= middle)),
  ] as const
  return {
    said: [
      ...said,
      `a minute: RSS ${rss.slope.toFixed(1)} ± ${rss.plusMinus.toFixed(1)} MiB, handles ${handles.slope.toFixed(1)} ± ${handles.plusMinus.toFixed(1)}; lowest RSS of either half ${floors[0].toFixed(0)} and ${floors[1].toFixed(0)} MiB`,
    ],
    faults: [
      ...(handles.slope - handles.plusMinus > 0.5 ? ['handles climb'] : []),
      // RSS goes up and down with the garbage collector: its floor tells whether something stays.
      ...(floors[1] > floors[0] * 1.15 ? ['the floor of RSS climbs'] : []),
    ],
  }
}

/** Whether nothing is left when callers have gone: no exchange, no work for the model server, no gap in the audit log. */
export async function leftBehind(stage: Stage): Promise<Found> {
  const faults: string[] = []
  const until = performance.now() + REST_MS_MAX
  for (;;) {
    const counts = await countsOf(stage)
    if (counts.every(([, count]) => count === 0)) break
    if (performance.now() > until) {
      for (const [name, count] of counts) if (count !== 0) faults.push(`${count} left: ${name}`)
      break
    }
    await delay(200)
  }
  const codes = await Promise.all(
    [...stage.running.values()].map((gateway) => {
      gateway.signal('SIGTERM')
      return gateway.ended
    }),
  )
  faults.push(...codes.filter((code) => code !== 0).map((code) => `a gateway ended with ${code}`))
  const evidence = await Promise.all(stage.places.map(evidenceOf))
  faults.push(
    ...evidence.filter((each) => !isWhole(each)).map(({ name }) => `the audit log of ${name} has a gap`),
  )
  const sum = (key: 'records' | 'admitted'): number => evidence.reduce((all, each) => all + each[key], 0)
  const said = `${sum('records')} audit records, ${sum('admitted')} admissions, each with its ending`
  return { said: faults.length === 0 ? ['nothing is left behind', said] : [], faults }
}

async function countsOf({ places, modelPort }: Stage): Promise<(readonly [name: string, count: number])[]> {
  const gateways = await Promise.all(
    places.map(
      async (place) =>
        [
          `exchanges at gateway ${place.name}`,
          await metricOf(place, 'sallyport_requests_in_flight'),
        ] as const,
    ),
  )
  const page = await textOf(`http://127.0.0.1:${modelPort}/metrics`)
  const work = [...page.matchAll(/^vllm:num_requests_(?:running|waiting)\{.*\} (\d+)$/gm)]
  const atModel = work.reduce((all, [, count]) => all + Number(count), 0)
  return [...gateways, ['requests at the model server', atModel]]
}
