import type { Refusal } from '../refusal.ts'
import type { CallEnd } from './health/call-end.ts'
import type { HealthState } from './health/health-report.ts'
import type { Asking } from './queue/fair-queue.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { EndpointHandle } from './upstream.ts'

export type ServerKind = 'vllm' | 'sglang' | 'llamacpp' | 'tgi' | 'openai'

/** Why a call is sent once more: the server before failed, or it is silent. */
export type RetryReason = 'next_attempt' | 'hedge'

/** What an exchange says when it asks for a place at a pool. */
export interface PlaceAsked extends Asking {
  /** Most output tokens that the call may bring. */
  readonly outputTokens: number
  readonly stream: boolean
  /** What the prompt begins with (balance/prompt-blocks.ts); none when nothing is known of it. */
  readonly prefix: readonly number[]
  /** Servers that this call was sent to already. */
  readonly tried: ReadonlySet<string>
}

/** A place at one server of a pool. Given back once, whatever is done with it afterwards. */
export interface Place {
  readonly endpoint: EndpointHandle
  readonly waitedMs: number
  /** The head of an answer came: its status and its load report (ORCA) say how the server is. */
  answered(status: number, loadReport: string | undefined): void
  /** Output tokens that came since the last call. */
  produced(tokens: number): void
  /** Gives the place back. After an answer only `failed` says anything new. `used`: the true tokens, where they are known. */
  end(end: CallEnd, used?: { readonly inputTokens: number; readonly outputTokens: number }): void
}

/** What operators see of one server. */
export interface EndpointSnapshot {
  readonly origin: string
  readonly state: HealthState
  /** What keeps calls away; `none` beside another state than `healthy`: it is called all the same. */
  readonly heldBy: 'none' | 'calls' | 'probes'
  /** Its part of the load beside the others, 0 to 1. */
  readonly share: number
  /** Milliseconds that it has been in its state. */
  readonly sinceMs: number
  /** Milliseconds until a call may try again; 0 unless it is ejected. */
  readonly waitMs: number
  /** Failed calls in a row. */
  readonly failures: number
  /** Times that it was left out. */
  readonly ejections: number
  /** Calls that it has, and may have. */
  readonly held: number
  readonly limit: number
  /** What it has to do, in tokens at the speed of the pool. */
  readonly load: number
}

export interface PoolSnapshot {
  readonly name: string
  readonly server: ServerKind
  /** Calls that the servers may have at a time, have, and that wait. */
  readonly places: number
  readonly held: number
  readonly waiting: number
  /** So few servers are healthy that failed ones are called, too. */
  readonly panics: boolean
  readonly endpoints: readonly EndpointSnapshot[]
}

/** The servers that answer for a model, all alike. */
export interface EndpointPool {
  readonly name: string
  readonly server: ServerKind
  readonly retries: RetryPolicy
  /** Longest time of one call, reply included. */
  readonly totalMs: number
  /**
   * What a prompt begins with (balance/prompt-blocks.ts), for `take`; nothing where it does not matter. `scope`: whose prompt
   * for which model; others have no beginning in common with it.
   */
  prefixOf(scope: readonly string[], texts: () => Iterable<string>): readonly number[]
  /** Keeps the prefix caches of tenants apart; absent where the servers know no such thing. */
  cacheSaltOf(tenant: string): string | undefined
  /**
   * Resolves with a place, at once or when it is the tenant's turn. Rejects with `upstream_overloaded` (no place in
   * time), `upstream_unavailable` (no server that may be used and was not tried), or the reason of the signal.
   */
  take(asked: PlaceAsked, signal: AbortSignal): Promise<Place>
  /** What `take` would refuse at once. Changes nothing. */
  forbids(asked: PlaceAsked): Refusal | undefined
  /** The same as `take` at once, or nothing. */
  takeNow(asked: PlaceAsked): Place | undefined
  /** A call begins here: what it may cost in retries is set aside. */
  called(): void
  /** Takes a retry from the budget; `false` when it is used up. */
  retried(reason: RetryReason): boolean
  snapshot(): PoolSnapshot
  close(): Promise<void>
}
