import type { Instruments } from './instruments.ts'
import type {
  endpointStates,
  healthReasons,
  loadReports,
  lookups,
  priorities,
  probeVerdicts,
  queueRefusals,
  retryReasons,
} from './label-values.ts'
import { seconds } from './seconds.ts'

type Endpoints = Readonly<Record<(typeof endpointStates)[number], number>>

/** What a pool of model servers is at the moment of a scrape. */
export interface PoolState {
  readonly pool: string
  /** Exchanges that hold a place. */
  readonly turns: number
  /** Exchanges that wait for one. */
  readonly waiting: number
  /** Places of all servers that may be called. */
  readonly places: number
  readonly endpoints: Endpoints
  readonly panics: boolean
}

/** What happens at one pool of model servers, counted. */
export class PoolMetrics {
  readonly #to: Pick<Instruments, 'inc' | 'observe'>
  readonly #pool: string

  constructor(to: Pick<Instruments, 'inc' | 'observe'>, pool: string) {
    this.#to = to
    this.#pool = pool
  }

  /** A model server answered with `status`, or not at all (`undefined`). */
  answered(status: number | undefined, firstByteMs?: number): void {
    this.#to.inc('sallyport_upstream_requests_total', { pool: this.#pool, code: status ?? 'none' })
    this.#to.observe('sallyport_upstream_first_byte_seconds', { pool: this.#pool }, seconds(firstByteMs))
  }

  connected(connectMs: number): void {
    this.#to.observe('sallyport_upstream_connect_seconds', { pool: this.#pool }, seconds(connectMs))
  }

  retried(reason: (typeof retryReasons)[number]): void {
    this.#to.inc('sallyport_upstream_retries_total', { pool: this.#pool, reason })
  }

  /** A wait for a place is over, whatever came of it. */
  waited(priority: (typeof priorities)[number], waitMs: number): void {
    this.#to.observe('sallyport_upstream_wait_seconds', { pool: this.#pool, priority }, seconds(waitMs))
  }

  waitRefused(reason: (typeof queueRefusals)[number]): void {
    this.#to.inc('sallyport_upstream_wait_refusals_total', { pool: this.#pool, reason })
  }

  ejected(reason: (typeof healthReasons)[number]): void {
    this.#to.inc('sallyport_upstream_ejections_total', { pool: this.#pool, reason })
  }

  probed(result: (typeof probeVerdicts)[number]): void {
    this.#to.inc('sallyport_upstream_probes_total', { pool: this.#pool, result })
  }

  loadReported(result: (typeof loadReports)[number]): void {
    this.#to.inc('sallyport_upstream_load_reports_total', { pool: this.#pool, result })
  }

  lookedUp(result: (typeof lookups)[number]): void {
    this.#to.inc('sallyport_upstream_lookups_total', { pool: this.#pool, result })
  }
}

/** Sets the gauges of a pool. */
export function showPool(state: PoolState, to: Pick<Instruments, 'set'>): void {
  const { pool } = state
  to.set('sallyport_upstream_turns', { pool }, state.turns)
  to.set('sallyport_upstream_waiting', { pool }, state.waiting)
  to.set('sallyport_upstream_places', { pool }, state.places)
  to.set('sallyport_upstream_panic', { pool }, state.panics ? 1 : 0)
  for (const [name, count] of Object.entries(state.endpoints))
    to.set('sallyport_upstream_endpoints', { pool, state: name }, count)
}
