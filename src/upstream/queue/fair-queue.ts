/**
 * Turns at a pool of model servers. Whoever comes while a place is free has it at once; when all are taken, callers wait
 * and are admitted by what their tenants have had (virtual-counters.ts), in two classes of priority.
 *
 * 1. No turn begins while as many are held as there are places at that moment (there can be fewer of them from one moment
 *    to the next), and nobody waits while a place is free.
 * 2. A wait ends once: with a turn, with a refusal, or with the reason of its signal; a turn is given back once, whatever
 *    is done with it. Afterwards neither leaves anything behind.
 * 3. No more wait than `waitingMax`, nor of one tenant than `waitingPerTenantMax`. At the first bound the youngest of the
 *    longest line makes room for a tenant with a shorter one; a tenant that fills its own line disturbs nobody.
 * 4. Nobody waits longer than the least of `waitMsMax` and its own time, and nobody begins a wait that is foreseen to be
 *    longer.
 * 5. `interactive` goes before `batch`, but of `batchEvery` turns that are given while batch waits it has one.
 * 6. Of two tenants of one class that wait all the time, with turns of at most `in` and `out` tokens, neither has had more
 *    service per weight than the other by more than twice `(inputPrice x in + outputPrice x out x places) / weight`, of
 *    the smaller weight.
 * 7. Whoever is the first of its line waits for at most one turn of each other tenant of its class that waits already.
 */
import type { Clock } from '../../clock.ts'
import type { Priority } from '../../policy/priority.ts'
import { Refusal } from '../../refusal.ts'
import { atLeastOne, HeldTurn, inputPrice, type Turn } from './held-turn.ts'
import { type Account, VirtualCounters } from './virtual-counters.ts'

export interface QueueBounds {
  /** 0: nobody waits. */
  readonly waitingMax: number
  readonly waitingPerTenantMax: number
  readonly waitMsMax: number
}

/** What an exchange says when it asks for a turn. */
export interface Asking {
  readonly tenant: string
  /** Share of the tenant beside the others, above 0. */
  readonly weight: number
  readonly priority: Priority
  /** Estimated tokens of the prompt. */
  readonly inputTokens: number
  /** What the exchange can wait at most. */
  readonly waitMsMax: number
}

export const queueRefusals = ['queue_full', 'tenant_queue_full', 'displaced', 'hopeless', 'deadline'] as const
export type QueueRefusal = (typeof queueRefusals)[number]

/** Told of waits that have ended, for metrics. Must not throw. */
export interface QueueObserver {
  waited(priority: Priority, waitMs: number): void
  refused(reason: QueueRefusal): void
}

export interface FairQueueOptions {
  readonly name: string
  /** Turns at a time. Whenever it has grown, `resized` is to be called. */
  readonly places: () => number
  readonly bounds: QueueBounds
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  readonly observer: QueueObserver
}

export const batchEvery = 10
/** What a new turn's duration counts in the mean. */
const turnShare = 1 / 16
/** The stock SDKs obey a wait of up to a minute; a shorter one than a second spreads nobody. */
const retryMsMin = 1_000
const retryMsMax = 60_000

interface Waiter {
  readonly asking: Asking
  readonly since: number
  resolve(turn: Turn): void
  reject(reason: unknown): void
}

type Line = VirtualCounters<Waiter>

export class FairQueue {
  readonly #options: FairQueueOptions
  readonly #lines: Readonly<Record<Priority, Line>> = {
    interactive: new VirtualCounters(),
    batch: new VirtualCounters(),
  }
  #held = 0
  /** Interactive turns given in a row while batch waited. */
  #passedBatch = 0
  #turnMs = 0

  constructor(options: FairQueueOptions) {
    this.#options = options
  }

  get places(): number {
    return this.#options.places()
  }

  get held(): number {
    return this.#held
  }

  get waiting(): number {
    return this.#lines.interactive.length + this.#lines.batch.length
  }

  /** Resolves with a turn; rejects with `upstream_overloaded`, or with the signal's reason as soon as it is aborted. */
  async wait(asking: Asking, signal: AbortSignal): Promise<Turn> {
    signal.throwIfAborted()
    const turn = this.pass(asking)
    if (turn !== undefined) return turn
    const waitMsMax = Math.min(this.#options.bounds.waitMsMax, asking.waitMsMax)
    this.#makeRoom(asking, waitMsMax)
    return await this.#standInLine(asking, waitMsMax, signal)
  }

  /** A turn at once, or none. */
  pass(asking: Asking): Turn | undefined {
    if (this.#held >= this.places) return undefined
    const line = this.#lines[asking.priority]
    return this.#begin(line, line.pass(asking.tenant, asking.weight), asking, 0)
  }

  /** What `wait` would refuse at once; `undefined`: nothing yet. Changes nothing. */
  forbids(asking: Asking): Refusal | undefined {
    if (this.#held < this.places) return undefined
    const reason = this.#forbidden(asking, Math.min(this.#options.bounds.waitMsMax, asking.waitMsMax))
    return reason && this.#refusal(reason, asking)
  }

  /** There may be more places than before: those who wait for them get them. */
  resized(): void {
    while (this.#held < this.places && this.waiting > 0) this.#admitNext()
  }

  /** How long somebody who came now would wait: turns before it, at the pace of late. 0 while no turn has ended. */
  foresee(asking: Pick<Asking, 'tenant' | 'weight' | 'priority'>): number {
    return ((this.#before(asking) + 1) * this.#turnMs) / Math.max(1, this.places)
  }

  /** Turns that are given before: own line first, and beside each of it what the weights of the others call for. */
  #before({ tenant, weight, priority }: Pick<Asking, 'tenant' | 'weight' | 'priority'>): number {
    const { interactive, batch } = this.#lines
    const line = this.#lines[priority]
    const own = line.waitingOf(tenant)
    const weights = line.weights + (own === 0 ? weight : 0)
    const before = Math.min(line.length, Math.ceil(((own + 1) * weights) / weight) - 1)
    if (priority === 'interactive')
      return before + Math.min(batch.length, Math.floor(before / (batchEvery - 1)))
    return Math.min(before + interactive.length, (before + 1) * batchEvery - 1)
  }

  #makeRoom(asking: Asking, waitMsMax: number): void {
    const reason = this.#forbidden(asking, waitMsMax)
    if (reason !== undefined) throw this.#refusal(reason, asking)
    if (this.waiting >= this.#options.bounds.waitingMax) this.#displaceOne()
  }

  #forbidden(asking: Asking, waitMsMax: number): QueueRefusal | undefined {
    const { waitingMax, waitingPerTenantMax } = this.#options.bounds
    const { interactive, batch } = this.#lines
    const own = interactive.waitingOf(asking.tenant) + batch.waitingOf(asking.tenant)
    if (own >= waitingPerTenantMax) return 'tenant_queue_full'
    if (waitMsMax <= 0 || this.foresee(asking) > waitMsMax) return 'hopeless'
    if (this.waiting < waitingMax) return undefined
    // Somebody makes room only while that line stays at least as long as the one that grows.
    const [, longest] = this.#longest()
    return waitingMax > 0 && (longest?.line.length ?? 0) > own + 1 ? undefined : 'queue_full'
  }

  /** The last of the longest line leaves. */
  #displaceOne(): void {
    const [line, longest] = this.#longest()
    const waiter = longest && line.displace(longest)
    waiter?.reject(this.#refusal('displaced', waiter.asking))
  }

  #longest(): readonly [Line, Account<Waiter> | undefined] {
    const { interactive, batch } = this.#lines
    const [first, second] = [interactive.longest, batch.longest]
    return (first?.line.length ?? 0) > (second?.line.length ?? 0) ? [interactive, first] : [batch, second]
  }

  async #standInLine(asking: Asking, waitMsMax: number, signal: AbortSignal): Promise<Turn> {
    const { clock, observer } = this.#options
    const line = this.#lines[asking.priority]
    const { promise, resolve, reject } = Promise.withResolvers<Turn>()
    const since = clock.monotonic()
    const place = line.enter(asking.tenant, asking.weight, { asking, since, resolve, reject })
    const ended = new AbortController()
    const gone = (): void => {
      if (line.leave(asking.tenant, place)) reject(signal.reason)
    }
    const late = (): void => {
      if (line.leave(asking.tenant, place)) reject(this.#refusal('deadline', asking))
    }
    signal.addEventListener('abort', gone, { once: true })
    clock.sleep(waitMsMax, ended.signal).then(late, () => {})
    try {
      return await promise
    } finally {
      ended.abort()
      signal.removeEventListener('abort', gone)
      observer.waited(asking.priority, clock.monotonic() - since)
    }
  }

  #refusal(reason: QueueRefusal, asking: Asking): Refusal {
    this.#options.observer.refused(reason)
    const retryAfterMs = Math.min(Math.max(Math.ceil(this.foresee(asking)), retryMsMin), retryMsMax)
    return new Refusal('upstream_overloaded', `${reason} at pool ${this.#options.name}`, { retryAfterMs })
  }

  #begin(line: Line, account: Account<Waiter>, asking: Asking, waitedMs: number): Turn {
    this.#held += 1
    const inputTokens = atLeastOne(asking.inputTokens)
    line.charge(account, inputPrice * inputTokens)
    return new HeldTurn(line, account, {
      ...{ inputTokens, waitedMs, startedAt: this.#options.clock.monotonic() },
      giveBack: (startedAt) => this.#giveBack(startedAt),
    })
  }

  #giveBack(startedAt: number): void {
    const turnMs = this.#options.clock.monotonic() - startedAt
    this.#turnMs = this.#turnMs === 0 ? turnMs : this.#turnMs + (turnMs - this.#turnMs) * turnShare
    this.#held -= 1
    this.resized()
  }

  #admitNext(): void {
    const line = this.#nextLine()
    const next = line.next()
    if (next === undefined) throw new Error('a line with a length and nobody in it')
    const { asking, since, resolve } = next.value
    resolve(this.#begin(line, next.account, asking, this.#options.clock.monotonic() - since))
  }

  #nextLine(): Line {
    const { interactive, batch } = this.#lines
    const isBatchDue = batch.length > 0 && this.#passedBatch >= batchEvery - 1
    if (interactive.length === 0 || isBatchDue) {
      this.#passedBatch = 0
      return batch
    }
    this.#passedBatch = batch.length > 0 ? this.#passedBatch + 1 : 0
    return interactive
  }
}
