/**
 * What happens here while Redis is away, and how Redis learns of it. Invariants:
 *
 * 1. `catchUp` resolves when Redis has answered every settlement and every charge that there was.
 * 2. `end` sends what has passed since, before anything else is asked on the same connection.
 * 3. Nothing is dropped that failed: it waits for the next time.
 */
import { Backlog, type Settlement } from './backlog.ts'
import type { RunScript } from './link.ts'
import { Outage, type OutageMoment, type OutageParts } from './outage.ts'
import type { SharedBuckets } from './shared-buckets.ts'
import { Transfers } from './transfers.ts'

export interface MeanwhileParts extends OutageParts {
  readonly replicaId: string
  readonly shared: SharedBuckets
  now(): OutageMoment
}

/** Settlements that are sent at once after an outage. */
const batchSize = 64

export class Meanwhile {
  readonly #parts: MeanwhileParts
  readonly #transfers: Transfers
  readonly #backlog = new Backlog((oldest) => this.#overflowed(oldest))
  #outage: Outage | undefined
  #last: Outage | undefined

  constructor(parts: MeanwhileParts) {
    this.#parts = parts
    this.#transfers = new Transfers(parts.replicaId, parts.shared)
  }

  /** Settlements and buckets that Redis does not know of. */
  get size(): number {
    return this.#backlog.size + this.#transfers.size + (this.#outage?.size ?? 0)
  }

  /** Present while Redis is away. */
  get outage(): Outage | undefined {
    return this.#outage
  }

  /** Who decides now that Redis does not. */
  begin(): Outage {
    this.#outage ??= new Outage(this.#parts, this.#last)
    return this.#outage
  }

  settleLater(settlement: Settlement): void {
    this.#backlog.add(settlement)
  }

  /** Resolves to the number of settlements and buckets. */
  async catchUp(run: RunScript): Promise<number> {
    let count = 0
    while (this.#backlog.size > 0) count += await this.#settle(run, batchSize)
    this.#drain()
    return count + (await this.#transfers.send(run))
  }

  /** Also settlements that came while the last ones were on their way: nobody would send them before the next outage. */
  async end(run: RunScript): Promise<void> {
    this.#drain()
    this.#last = this.#outage
    this.#last?.end()
    this.#outage = undefined
    await Promise.all([this.#settle(run, this.#backlog.size), this.#transfers.send(run)])
  }

  /** All of them are on their way when this returns. */
  async #settle(run: RunScript, count: number): Promise<number> {
    const batch = this.#backlog.first(count)
    await Promise.all(
      batch.map(async (settlement) => {
        await this.#parts.shared.settle(run, settlement)
        this.#backlog.done(settlement)
      }),
    )
    return batch.length
  }

  #drain(): void {
    this.#transfers.add(this.#outage?.drain(this.#parts.now()) ?? [])
  }

  /** What it would have returned stays charged; what it would have charged is charged by its bucket. */
  #overflowed({ corrections }: Settlement): void {
    for (const { limit, reserved, used, window } of corrections)
      if (used > reserved) this.begin().add({ limit, units: used - reserved, window }, this.#parts.now())
  }
}
