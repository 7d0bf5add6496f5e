import type { LatencySample } from './concurrency/gradient-limit.ts'
import type { EndpointHandle } from './upstream.ts'
import type { WorkLoad } from './work.ts'

/** How many calls a server may have, and what teaches it (concurrency/gradient-limit.ts). */
export interface CallLimit {
  readonly limit: number
  sample(sample: LatencySample): void
  overloaded(): void
}

/** A limit that nothing changes. */
export const fixedLimit = (limit: number): CallLimit => ({ limit, sample: () => {}, overloaded: () => {} })

/** What runs beside the calls of a server: probes, load reports. */
export interface Watch {
  close(): Promise<void>
}

/** One server of a pool, with what is known of it. */
export class Member {
  readonly endpoint: EndpointHandle
  readonly limit: CallLimit
  readonly load: WorkLoad
  readonly watches: Watch[] = []
  /** Calls that it has. */
  held = 0

  constructor(endpoint: EndpointHandle, limit: CallLimit, load: WorkLoad) {
    this.endpoint = endpoint
    this.limit = limit
    this.load = load
  }

  get origin(): string {
    return this.endpoint.origin
  }

  /** Calls that it may have beside those that it has. */
  get room(): number {
    return Math.max(0, this.limit.limit - this.held)
  }

  /** Closes it when its calls have ended. */
  async close(): Promise<void> {
    await Promise.all(this.watches.map((watch) => watch.close()))
    await this.endpoint.close().catch(() => {})
  }
}
