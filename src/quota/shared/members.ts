/**
 * Which gateways share the limits, and so which part of them this one goes on with alone.
 *
 * 1. Ranks of gateways that heard of the same members are distinct and make 0..n-1.
 * 2. A gateway has a place only after `joiningBeats` heartbeats without a gap after the one that made it a member: each
 *    of the others has had one since, and counts it. One that never saw Redis has none.
 */
import type { Place } from './share.ts'

/** How often a gateway says that it lives; documents that were changed are noticed as soon. */
export const heartbeatMs = 2_000
/** A gateway that was not heard of for so long is no member any more. */
export const memberMs = 10_000
const joiningBeats = 2

/** What heartbeat.lua answers. */
export interface Heartbeat {
  readonly redisMs: number
  readonly wasMember: boolean
  readonly changes: number
  readonly rank: number
  readonly replicas: number
}

export function readHeartbeat(reply: unknown): Heartbeat {
  const [redisMs = 0, known, changes = 0, rank = 0, replicas = 1] = reply as readonly number[]
  return { redisMs, wasMember: known === 1, changes, rank, replicas }
}

export class Membership {
  /** Heartbeats since the one that made this gateway a member. */
  #beats = -1
  #last: Place = { rank: 0, replicas: 1 }

  get replicas(): number {
    return this.#last.replicas
  }

  get place(): Place | undefined {
    return this.#beats >= joiningBeats ? this.#last : undefined
  }

  heard({ wasMember, rank, replicas }: Heartbeat): void {
    this.#beats = wasMember && this.#beats >= 0 ? this.#beats + 1 : 0
    this.#last = { rank, replicas }
  }
}
