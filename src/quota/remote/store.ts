/**
 * The store of another process, as its workers have it: every decision is made there, one after the other, so limits are
 * exact over all workers. Invariants:
 *
 * 1. What the other process decides is what is decided. Where it does not answer, limits do as `onStoreFailure` says, with
 *    `lease` as `closed`: a worker has no share of its own. What it may have charged meanwhile is given back.
 * 2. A settlement that could not be sent waits and is sent later. Of those that give nothing back at most `settlementsMax`
 *    wait; the others are no more than the exchanges under way. One that was sent is never sent again: it is in the
 *    channel, and channels keep their order.
 * 3. Nothing is remembered here but what was last heard of buckets (shared/known-buckets.ts).
 */
import type { Clock } from '../../clock.ts'
import type { Limit } from '../../policy/limit.ts'
import { Refusal } from '../../refusal.ts'
import { KnownBuckets } from '../shared/known-buckets.ts'
import type {
  Correction,
  Decision,
  DecisionStore,
  Demand,
  KeyPage,
  LimitState,
  QuotaStore,
  StoreHealth,
  Verdict,
} from '../store.ts'
import { RemoteDocuments } from './documents.ts'
import { isAway, nameOf, type StoreLine, wasNotSent } from './line.ts'
import { decodeDecision, decodeState, encodeCorrection, encodeDemand, encodeLimit } from './wire.ts'

export interface RemoteStoreOptions {
  readonly line: StoreLine
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly settlementsMax?: number
  /** The other process stopped answering; it answers again after so long. */
  readonly observer?: { away(): void; back(awayMs: number): void }
}

/** What the other process says of its store, now and then. */
export interface HeardState {
  readonly available: boolean
  readonly buckets: number
  readonly leases: number
}

/** When a process that does not answer is asked again. */
const retryMs = 1_000

export class RemoteStore implements QuotaStore {
  readonly kind = 'embedded'
  readonly documents: RemoteDocuments
  readonly decisions: DecisionStore
  readonly #line: StoreLine
  readonly #clock: RemoteStoreOptions['clock']
  readonly #settlementsMax: number
  readonly #observer: RemoteStoreOptions['observer']
  readonly #known = new KnownBuckets()
  readonly #unsent = new Map<string, readonly Correction[]>()
  readonly #settling = new Set<Promise<void>>()
  #awaySince: { readonly wallMs: number; readonly monotonicMs: number } | undefined
  #heard: HeardState = { available: true, buckets: 0, leases: 0 }

  constructor({ line, clock, settlementsMax = 100_000, observer }: RemoteStoreOptions) {
    this.#line = line
    this.#clock = clock
    this.#settlementsMax = settlementsMax
    this.#observer = observer
    this.documents = new RemoteDocuments(line)
    this.decisions = {
      keep: (exchangeId, text) => line.tell(nameOf('keep'), [exchangeId, text]),
      find: async (exchangeId) =>
        ((await this.#ask('find', [exchangeId])) ?? undefined) as string | undefined,
    }
    line.on(nameOf('state'), ([state]) => {
      this.#heard = state as HeardState
      this.#answered()
    })
  }

  get health(): StoreHealth {
    const since = this.#awaySince
    return {
      available: since === undefined && this.#heard.available,
      ...(since === undefined ? {} : { awaySince: since.wallMs }),
      replicas: 1,
      backlog: this.#unsent.size,
    }
  }

  get size(): { readonly buckets: number; readonly leases: number } {
    const { buckets, leases } = this.#heard
    return { buckets, leases }
  }

  async admit(exchangeId: string, demands: readonly Demand[]): Promise<Decision> {
    const sentMs = this.#clock.monotonic()
    try {
      const reply = await this.#ask('admit', [exchangeId, demands.map(encodeDemand)])
      const decision = decodeDecision(reply, demands)
      this.#known.learn(decision, [], { sentMs, nowMs: this.#clock.monotonic() })
      return decision
    } catch (error) {
      if (error instanceof Refusal) throw error
      return this.#alone(exchangeId, demands, error)
    }
  }

  foresee(demands: readonly Demand[]): Verdict | undefined {
    return this.#known.refusing(demands, this.#clock.monotonic())
  }

  async settle(exchangeId: string, corrections: readonly Correction[]): Promise<void> {
    const settling = this.#settle(exchangeId, corrections)
    this.#settling.add(settling)
    await settling
    this.#settling.delete(settling)
  }

  async peek(limits: readonly Limit[]): Promise<readonly LimitState[]> {
    try {
      const states = (await this.#ask('peek', [limits.map(encodeLimit)])) as readonly unknown[]
      return limits.map((limit, index) => decodeState(limit, states[index]))
    } catch {
      return this.#lastKnown(limits)
    }
  }

  async reset(limit: Limit): Promise<void> {
    await this.#ask('reset', [encodeLimit(limit)])
    this.#known.forget(limit.key)
  }

  async keys(prefix: string, cursor: string, countMax: number): Promise<KeyPage> {
    return (await this.#ask('keys', [prefix, cursor, countMax])) as KeyPage
  }

  /** Waits for what is being settled. */
  async close(): Promise<void> {
    this.#sendUnsent()
    await Promise.all(this.#settling)
  }

  async #ask(method: string, args: readonly unknown[]): Promise<unknown> {
    try {
      const value = await this.#line.call(nameOf(method), args)
      this.#answered()
      return value
    } catch (error) {
      if (isAway(error)) this.#away()
      throw error
    }
  }

  async #settle(exchangeId: string, corrections: readonly Correction[]): Promise<void> {
    try {
      await this.#ask('settle', [exchangeId, corrections.map(encodeCorrection)])
    } catch (error) {
      if (wasNotSent(error)) this.#keepUnsent(exchangeId, corrections)
    }
  }

  #keepUnsent(exchangeId: string, corrections: readonly Correction[]): void {
    const frees = corrections.some(({ reserved }) => reserved > 0)
    if (this.#unsent.has(exchangeId) || (!frees && this.#unsent.size >= this.#settlementsMax)) return
    this.#unsent.set(exchangeId, corrections)
  }

  #sendUnsent(): void {
    const unsent = [...this.#unsent]
    this.#unsent.clear()
    for (const [exchangeId, corrections] of unsent) void this.settle(exchangeId, corrections)
  }

  #alone(exchangeId: string, demands: readonly Demand[], error: unknown): Decision {
    const states = this.#lastKnown(demands.map(({ limit }) => limit))
    const index = demands.findIndex(
      ({ limit }) => limit.mode === 'enforce' && limit.onStoreFailure !== 'open',
    )
    const state = states[index]
    // What passes is settled by its exchange.
    if (state === undefined) return { allowed: true, states, shadowed: [], by: 'open' }
    // The admission may still be made over there: it would hold its slots for ever.
    const nothing = demands.map(({ limit, amount }) => ({ limit, reserved: amount, used: 0 }))
    if (!wasNotSent(error)) void this.settle(exchangeId, nothing)
    const deciding = { state, asked: demands[index]?.amount ?? 0, waitMs: retryMs }
    return { allowed: false, states, deciding, shadowed: [], by: 'closed' }
  }

  /** A bucket that nothing is known of is shown as unused. */
  #lastKnown(limits: readonly Limit[]): readonly LimitState[] {
    return limits.map((limit) => {
      const known = this.#known.of(limit.key)?.state
      return known === undefined
        ? { limit, used: 0, remaining: limit.burst, resetMs: 0 }
        : { ...known, limit }
    })
  }

  #away(): void {
    if (this.#awaySince !== undefined) return
    this.#awaySince = { wallMs: this.#clock.now(), monotonicMs: this.#clock.monotonic() }
    this.#known.forgetRefusals()
    this.#observer?.away()
  }

  #answered(): void {
    if (this.#awaySince !== undefined) {
      this.#observer?.back(this.#clock.monotonic() - this.#awaySince.monotonicMs)
      this.#awaySince = undefined
    }
    if (this.#unsent.size > 0) this.#sendUnsent()
  }
}
