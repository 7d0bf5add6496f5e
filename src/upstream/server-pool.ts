import { Refusal } from '../refusal.ts'
import type { PoolHealth } from './health/pool-health.ts'
import type { Member } from './member.ts'
import type {
  EndpointPool,
  EndpointSnapshot,
  Place,
  PlaceAsked,
  PoolSnapshot,
  RetryReason,
  ServerKind,
} from './pool.ts'
import { FairQueue } from './queue/fair-queue.ts'
import type { Turn } from './queue/held-turn.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { Address, Candidate, Discovery, ServerPoolOptions } from './server-pool-parts.ts'
import { Stay } from './stay.ts'

/** Those who wait look again at least so often: a wait of a server that is left out ends without a word. */
const LOOK_MS = 250

/**
 * The servers of one pool, as they come and go, and who is at them. A server is chosen when the turn comes, not when the
 * wait begins.
 *
 * 1. A server gets no more calls than its limit at that moment; one that may not be called gets none.
 * 2. A call is never sent to a server that it was sent to before.
 * 3. A server that left takes no new calls; those that it has end as they would have, and then it is closed.
 * 4. Nobody waits for a pool without a server that may be called: whoever comes is refused at once, with the time in which
 *    one may be.
 */
export class ServerPool implements EndpointPool {
  readonly name: string
  readonly server: ServerKind
  readonly retries: RetryPolicy
  readonly totalMs: number
  readonly queue: FairQueue
  readonly health: PoolHealth
  readonly cacheSaltOf: (tenant: string) => string | undefined
  readonly #options: ServerPoolOptions
  readonly #members = new Map<string, Member>()
  /** Those that left and still have calls. */
  readonly #leaving = new Set<Member>()
  #discovery: Discovery | undefined
  #hasStarted = false
  #isLooking = false

  constructor(options: ServerPoolOptions) {
    this.#options = options
    this.name = options.name
    this.server = options.server
    this.retries = options.retries
    this.totalMs = options.totalMs
    this.health = options.health
    this.cacheSaltOf = options.cacheSaltOf
    this.queue = new FairQueue({ ...options, places: () => this.places })
  }

  get members(): readonly Member[] {
    return [...this.#members.values()]
  }

  prefixOf(scope: readonly string[], texts: () => Iterable<string>): readonly number[] {
    // One server has all calls, however they begin.
    if (!this.#options.balance.wantsPrefix || this.#members.size < 2) return []
    return this.#options.blocks.of(scope, texts())
  }

  /** Calls that the servers may have at a time, those that servers out of use still have included. */
  get places(): number {
    let places = 0
    for (const member of this.#members.values()) places += member.held + this.#roomAt(member)
    for (const { held } of this.#leaving) places += held
    return places
  }

  called(): void {
    this.#options.budget.attempted()
  }

  retried(reason: RetryReason): boolean {
    if (!this.#options.budget.take()) return false
    this.#options.observer.retried(reason)
    return true
  }

  /** Begins to watch the servers. */
  start(): void {
    this.#hasStarted = true
    this.#discovery = this.#options.discover?.()
    for (const member of this.#members.values()) this.#options.watch(member)
  }

  /** Makes these the servers of the pool. New ones warm up, unless they are the first. */
  adopt(addresses: readonly Address[]): void {
    const origins = new Set(addresses.map(({ origin }) => origin))
    const begins = this.#members.size === 0 ? 'full' : 'slow'
    for (const address of addresses) if (!this.#members.has(address.origin)) this.#join(address, begins)
    for (const member of this.members) if (!origins.has(member.origin)) this.#leave(member)
    this.queue.resized()
  }

  async take(asked: PlaceAsked, signal: AbortSignal): Promise<Place> {
    // Right after the start nobody knows yet who the servers are.
    if (this.#members.size === 0 && this.#discovery) await untilAborted(this.#discovery.ready, signal)
    signal.throwIfAborted()
    const refusal = this.#uncallable(asked)
    if (refusal !== undefined) throw refusal
    const turn = this.queue.wait(asked, signal)
    this.#look()
    return this.#at(await turn, asked)
  }

  forbids(asked: PlaceAsked): Refusal | undefined {
    // Who the servers are may become known while the call is recorded.
    if (this.#members.size === 0 && this.#discovery !== undefined) return undefined
    return this.#uncallable(asked) ?? this.queue.forbids(asked)
  }

  takeNow(asked: PlaceAsked): Place | undefined {
    if (this.#candidates(asked).length === 0) return undefined
    const turn = this.queue.pass(asked)
    return turn && this.#at(turn, asked)
  }

  /** Something changed that may make room: a server's health, its limit. */
  changed(): void {
    this.queue.resized()
  }

  snapshot(): PoolSnapshot {
    const now = this.#options.clock.monotonic()
    const endpoints = this.health.snapshot().flatMap((health): EndpointSnapshot[] => {
      const member = this.#members.get(health.origin)
      if (member === undefined) return []
      const { origin, state, heldBy, share, failures, ejections, since, ejectedUntil = now } = health
      const { held, load } = member
      const times = { sinceMs: now - since, waitMs: Math.max(0, ejectedUntil - now) }
      return [
        {
          origin,
          state,
          heldBy,
          share,
          failures,
          ejections,
          ...times,
          held,
          limit: member.limit.limit,
          load: load.score,
        },
      ]
    })
    const { name, server, places, queue } = this
    return {
      name,
      server,
      places,
      held: queue.held,
      waiting: queue.waiting,
      panics: this.health.panics,
      endpoints,
    }
  }

  async close(): Promise<void> {
    await this.#discovery?.close()
    await Promise.all([...this.#members.values(), ...this.#leaving].map((member) => member.close()))
  }

  #join(address: Address, begins: 'full' | 'slow'): void {
    const member = this.#options.member(address)
    this.#members.set(address.origin, member)
    this.health.add(address.origin, begins)
    this.#options.balance.joined(member)
    if (this.#hasStarted) this.#options.watch(member)
  }

  #leave(member: Member): void {
    this.#members.delete(member.origin)
    this.health.remove(member.origin)
    this.#options.balance.left(member)
    this.#leaving.add(member)
    void member.close().finally(() => this.#leaving.delete(member))
  }

  #roomAt(member: Member, share = this.health.shareOf(member.origin)): number {
    if (share === 0) return 0
    // In probation one call at a time may try.
    return this.#isOnProbation(member) ? Math.min(1, member.room) : member.room
  }

  #uncallable(asked: PlaceAsked): Refusal | undefined {
    if (this.#callable(asked).length > 0) return undefined
    const isFresh = asked.tried.size === 0
    const waitMs = isFresh ? this.health.waitMs : undefined
    return new Refusal('upstream_unavailable', `no ${isFresh ? '' : 'other '}server at pool ${this.name}`, {
      ...(waitMs === undefined ? {} : { retryAfterMs: Math.ceil(waitMs) }),
    })
  }

  #callable({ tried }: PlaceAsked): Candidate[] {
    const candidates: Candidate[] = []
    for (const member of this.#members.values()) {
      if (tried.has(member.origin)) continue
      const share = this.health.shareOf(member.origin)
      if (share > 0) candidates.push({ member, share })
    }
    return candidates
  }

  #candidates(asked: PlaceAsked): Candidate[] {
    return this.#callable(asked).filter(({ member, share }) => this.#roomAt(member, share) > 0)
  }

  /**
   * A server in probation has the next call: what only its small share brought there would keep it out for long in a quiet
   * pool. Not one that failed elsewhere already: it has had its trouble.
   */
  #deciding(candidates: readonly Candidate[], { tried }: PlaceAsked): Member | undefined {
    if (tried.size > 0) return undefined
    return candidates.find(({ member }) => this.#isOnProbation(member))?.member
  }

  #isOnProbation({ origin }: Member): boolean {
    return this.health.healthOf(origin)?.state === 'probation'
  }

  #at(turn: Turn, asked: PlaceAsked): Place {
    const free = this.#candidates(asked)
    // A limit may have shrunk while the turn was on its way: it is not taken back from one who never was anywhere.
    const candidates = free.length === 0 && asked.tried.size === 0 ? this.#callable(asked) : free
    const member = this.#deciding(candidates, asked) ?? this.#options.balance.choose(candidates, asked)
    const health = member && this.health.enter(member.origin)
    if (member === undefined || health === undefined) {
      // The room is at servers that were tried, or went while the turn was on its way.
      turn.end({ inputTokens: 0, outputTokens: 0 })
      throw new Refusal('upstream_overloaded', `no room at another server of pool ${this.name}`)
    }
    const work = member.load.begin({
      inputTokens: this.#options.balance.chosen(member, asked),
      outputTokensExpected: asked.outputTokens,
    })
    return new Stay({
      ...{ clock: this.#options.clock, member, turn, health, work, asked },
      left: () => this.queue.resized(),
    })
  }

  /** While somebody waits, waits of servers that are left out may end. */
  #look(): void {
    if (this.#isLooking || this.queue.waiting === 0) return
    this.#isLooking = true
    this.#options.clock
      .sleep(LOOK_MS)
      .then(() => {
        this.#isLooking = false
        this.queue.resized()
        this.#look()
      })
      .catch(() => {})
  }
}

/** Resolves with the promise, which never rejects, or when the signal aborts. */
async function untilAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>()
  const abort = (): void => resolve()
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
