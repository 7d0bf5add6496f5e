/**
 * What passed here while Redis was away, on its way to Redis. Invariants:
 *
 * 1. Each charge is made once, however often it is sent: under a name that Redis remembers.
 * 2. One is left out only after Redis has answered it.
 */
import type { RunScript } from './link.ts'
import type { Charge } from './outage.ts'
import type { SharedBuckets, Transfer } from './shared-buckets.ts'

const bucketsAtOnce = 64

export class Transfers {
  readonly #replicaId: string
  readonly #shared: Pick<SharedBuckets, 'charge'>
  readonly #waiting = new Map<string, Transfer>()
  #last = 0

  constructor(replicaId: string, shared: Pick<SharedBuckets, 'charge'>) {
    this.#replicaId = replicaId
    this.#shared = shared
  }

  /** Buckets that Redis has not been charged for. */
  get size(): number {
    let size = 0
    for (const { charges } of this.#waiting.values()) size += charges.length
    return size
  }

  add(charges: readonly Charge[]): void {
    for (const group of Map.groupBy(charges, ({ limit }) => limit.shard).values()) {
      for (let from = 0; from < group.length; from += bucketsAtOnce) {
        this.#last += 1
        const id = `${this.#replicaId}/${this.#last}`
        this.#waiting.set(id, { id, charges: group.slice(from, from + bucketsAtOnce) })
      }
    }
  }

  /** Resolves to the number of buckets. Rejects with the first failure; the rest waits for the next time. */
  async send(run: RunScript): Promise<number> {
    let sent = 0
    for (const transfer of [...this.#waiting.values()]) {
      await this.#shared.charge(run, transfer)
      this.#waiting.delete(transfer.id)
      sent += transfer.charges.length
    }
    return sent
  }
}
