/**
 * This gateway among those that share the limits. It says that it lives, and that its exchanges do, as long as Redis is
 * there; an outage that is longer than a member is remembered makes it join anew.
 */
import type { Clock } from '../../clock.ts'
import type { HeldSlots } from './held-slots.ts'
import type { Keys } from './keys.ts'
import type { RunScript } from './link.ts'
import { type Heartbeat, Membership, readHeartbeat } from './members.ts'
import type { RedisTiming } from './options.ts'
import type { SharedBuckets } from './shared-buckets.ts'

export interface PresenceParts {
  readonly replicaId: string
  readonly keys: Keys
  readonly timing: RedisTiming
  readonly clock: Clock
  readonly shared: SharedBuckets
  readonly slots: HeldSlots
  isAway(): boolean
  heard(heartbeat: Heartbeat): void
  failed(error: unknown): void
}

export class Presence {
  readonly membership = new Membership()
  readonly #parts: PresenceParts
  readonly #stop = new AbortController()
  #kept: Promise<void> = Promise.resolve()

  constructor(parts: PresenceParts) {
    this.#parts = parts
  }

  async beat(run: RunScript): Promise<void> {
    const { keys, replicaId, timing, heard } = this.#parts
    const reply = await run('heartbeat', [keys.members, keys.changes], [replicaId, timing.memberMs])
    const heartbeat = readHeartbeat(reply)
    this.membership.heard(heartbeat)
    heard(heartbeat)
  }

  /** Beats from now on, until `stop`. */
  keep(run: RunScript): void {
    this.#kept = this.#keepBeating(run)
  }

  stop(): Promise<void> {
    this.#stop.abort(new Error('the store is closed'))
    return this.#kept
  }

  async #keepBeating(run: RunScript): Promise<void> {
    const { clock, timing, shared, slots, isAway, failed } = this.#parts
    const renewMs = timing.leaseMs / 3
    let renewedMs = clock.monotonic()
    while (!this.#stop.signal.aborted) {
      await clock.sleep(Math.min(timing.heartbeatMs, renewMs), this.#stop.signal).catch(() => {})
      if (this.#stop.signal.aborted || isAway()) continue
      try {
        await this.beat(run)
        if (clock.monotonic() - renewedMs < renewMs) continue
        renewedMs = clock.monotonic()
        await shared.renew(run, slots)
      } catch (error) {
        failed(error)
      }
    }
  }
}
