import type { Clock } from '../../clock.ts'
import type { Cause } from './cause.ts'
import { heartbeatMs, memberMs } from './members.ts'

export interface RedisTls {
  /** PEM. Absent: the authorities of the system. */
  readonly ca?: string | Buffer
  readonly certificate?: string | Buffer
  readonly key?: string | Buffer
  /** The name that certificates must have, when it is not the host of the address. */
  readonly serverName?: string
}

/** What the store tells while it works. Never awaited; what it throws is not caught. */
export interface RedisObserver {
  /** A command was answered after so many milliseconds. */
  answered(ms: number): void
  /** The server went away: limits go by this gateway's share from now on. */
  away(cause: Cause, error: unknown): void
  /** It is back, and was charged with what happened meanwhile: settlements of exchanges that it knew, and buckets. */
  back(awayMs: number, settled: number): void
  /** A key of ours held something else and was deleted: its bucket began anew. */
  repaired(key: string): void
}

export interface RedisStoreOptions {
  readonly mode: 'standalone' | 'sentinel' | 'cluster'
  /** `host:port` of the server, of sentinels, or of some nodes. */
  readonly addresses: readonly string[]
  /** Name of the master that the sentinels watch. */
  readonly masterName?: string
  readonly tls?: RedisTls
  readonly username?: string
  /** Called for each connection: a new password counts from the next one on. */
  readonly password?: () => string
  readonly keyPrefix: string
  /** Longest wait for an answer, milliseconds. */
  readonly deadlineMs: number
  /** Unique among the gateways that share limits, and of this process: another start is another replica. */
  readonly replicaId: string
  readonly clock: Clock
  readonly observer: RedisObserver
  readonly timing?: Partial<RedisTiming>
}

/** Milliseconds. */
export interface RedisTiming {
  /** How often a gateway says that it lives; documents that were changed are noticed as soon. */
  readonly heartbeatMs: number
  /** A gateway that was not heard of for so long is no member any more. */
  readonly memberMs: number
  /** A slot is held so long after its gateway last said that the exchange lives. */
  readonly leaseMs: number
  /** Longer than an exchange may live: its settlement finds what it was charged. */
  readonly openMs: number
  /** So long a settlement that is sent again is known to have been made. */
  readonly settledMs: number
  /** Longest wait before a server that is away is tried again. */
  readonly probeMsMax: number
  /** Longest wait for a connection at the start. */
  readonly connectMs: number
}

export const defaultTiming: RedisTiming = {
  heartbeatMs,
  memberMs,
  leaseMs: 60_000,
  openMs: 3_600_000,
  settledMs: 600_000,
  probeMsMax: 2_000,
  connectMs: 1_000,
}
