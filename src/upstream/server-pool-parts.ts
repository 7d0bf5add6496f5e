import type { Clock } from '../clock.ts'
import type { PromptBlocks } from './balance/prompt-blocks.ts'
import type { PoolHealth } from './health/pool-health.ts'
import type { Member } from './member.ts'
import type { PlaceAsked, RetryReason, ServerKind } from './pool.ts'
import type { QueueBounds, QueueObserver } from './queue/fair-queue.ts'
import type { RetryPolicy } from './retry-policy.ts'

/** Where a server is. */
export interface Address {
  readonly origin: string
  /** Name that its certificate must bear, where that is not the host of the origin. */
  readonly serverName?: string | undefined
}

export interface ServerPoolOptions {
  readonly name: string
  readonly server: ServerKind
  readonly retries: RetryPolicy
  readonly totalMs: number
  readonly bounds: QueueBounds
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  readonly observer: PoolObserver
  readonly health: PoolHealth
  readonly balance: Balance
  readonly blocks: Pick<PromptBlocks, 'of'>
  readonly budget: { attempted(): void; take(): boolean }
  readonly cacheSaltOf: (tenant: string) => string | undefined
  /** Makes a member; opens no connection yet. */
  member(address: Address): Member
  /** Begins what runs beside the calls of a member. */
  watch(member: Member): void
  /** Begins to follow who the servers are, where that is not written down. */
  discover?(): Discovery
}

/** Told what happens, for metrics. Must not throw. */
export interface PoolObserver extends QueueObserver {
  retried(reason: RetryReason): void
}

export interface Discovery {
  /** Resolves when it is known for the first time, or not to be had. Never rejects. */
  readonly ready: Promise<void>
  close(): Promise<void>
}

/** Who goes where (balance/balancer.ts). */
export interface Balance {
  readonly wantsPrefix: boolean
  choose(candidates: readonly Candidate[], asked: PlaceAsked): Member | undefined
  /** The call goes to this server. Returns the tokens of its prompt that are probably still to be read there. */
  chosen(member: Member, asked: PlaceAsked): number
  joined(member: Member): void
  left(member: Member): void
}

export interface Candidate {
  readonly member: Member
  /** Its part of the load beside the others, above 0; less than 1 while it warms up. */
  readonly share: number
}
