/**
 * Who is next among tenants that wait: virtual token counters (Sheng et al., "Fairness in Serving Large Language Models",
 * OSDI'24, arXiv 2401.00588, algorithm 2), weighted. A counter is the service that a tenant has had, divided by its weight.
 *
 * 1. A counter falls only when something is given back; the floor never falls. It is the least counter of those who wait,
 *    or that of whoever left the line last when nobody waits, at its highest so far.
 * 2. A tenant that begins to wait is lifted to the floor: time without a request earns nothing.
 * 3. `next` takes the oldest of the waiting tenant with the least counter. Those of one tenant come in their order.
 * 4. Tenants that have nothing here are forgotten as soon as that changes no decision, at the latest when there are
 *    more than `accountsMax`.
 */
import { type Counted, CounterHeap } from './counter-heap.ts'
import { type Place, WaitingLine } from './waiting-line.ts'

/** What is known of one tenant. */
export interface Account<V> extends Counted {
  readonly tenant: string
  readonly line: WaitingLine<V>
  counter: number
  order: number
  weight: number
  /** Turns that the tenant holds. */
  running: number
}

export class VirtualCounters<V> {
  readonly #accountsMax: number
  readonly #accounts = new Map<string, Account<V>>()
  readonly #waiting = new CounterHeap<Account<V>>()
  /** Whoever left the line last. */
  #last: Account<V> | undefined
  #length = 0
  #weights = 0
  #order = 0
  #floor = 0

  constructor({ accountsMax = 10_000 }: { readonly accountsMax?: number } = {}) {
    this.#accountsMax = accountsMax
  }

  /** Exchanges that wait. */
  get length(): number {
    return this.#length
  }

  /** Weights of the tenants that wait, summed. */
  get weights(): number {
    return this.#weights
  }

  get accounts(): number {
    return this.#accounts.size
  }

  /** Whoever comes begins here. */
  get floor(): number {
    return this.#raiseFloor()
  }

  waitingOf(tenant: string): number {
    return this.#accounts.get(tenant)?.line.length ?? 0
  }

  /** A turn for a tenant while nobody waits. */
  pass(tenant: string, weight: number): Account<V> {
    const account = this.#accountOf(tenant, weight)
    this.#lift(account)
    this.#last = account
    account.running += 1
    return account
  }

  enter(tenant: string, weight: number, value: V): Place<V> {
    const account = this.#accountOf(tenant, weight)
    if (account.line.length === 0) this.#beginWaiting(account)
    this.#length += 1
    return account.line.push(value)
  }

  /** Out of the line without a turn; `false` when it was not in it any more. */
  leave(tenant: string, place: Place<V>): boolean {
    const account = this.#accounts.get(tenant)
    if (!account?.line.remove(place)) return false
    this.#left(account)
    this.#forgetIdle(account)
    return true
  }

  /** Out of the line into a turn. */
  next(): { readonly account: Account<V>; readonly value: V } | undefined {
    const account = this.#waiting.least()
    const place = account?.line.shift()
    if (account === undefined || place === undefined) return undefined
    this.#left(account)
    account.running += 1
    return { account, value: place.value }
  }

  /** Length of the longest line of one tenant. */
  get longest(): Account<V> | undefined {
    let longest: Account<V> | undefined
    for (const account of this.#waiting) {
      if (longest === undefined || account.line.length > longest.line.length) longest = account
    }
    return longest
  }

  /** The youngest of a tenant's line leaves it. */
  displace(account: Account<V>): V | undefined {
    const place = account.line.pop()
    if (place === undefined) return undefined
    this.#left(account)
    this.#forgetIdle(account)
    return place.value
  }

  /** `service` in weighted tokens. */
  charge(account: Account<V>, service: number): void {
    account.counter += service / account.weight
  }

  /** Takes back what was charged too much. */
  giveBack(account: Account<V>, service: number): void {
    this.#raiseFloor()
    const waits = account.line.length > 0
    if (waits) this.#waiting.remove(account)
    account.counter -= service / account.weight
    if (waits) this.#waiting.add(account)
  }

  /** A turn of the tenant is over. */
  ended(account: Account<V>): void {
    account.running -= 1
    this.#forgetIdle(account)
  }

  #beginWaiting(account: Account<V>): void {
    this.#lift(account)
    this.#order += 1
    account.order = this.#order
    this.#waiting.add(account)
    this.#weights += account.weight
  }

  #left(account: Account<V>): void {
    this.#length -= 1
    this.#last = account
    if (account.line.length > 0) return
    this.#waiting.remove(account)
    this.#weights = this.#waiting.size === 0 ? 0 : this.#weights - account.weight
  }

  #lift(account: Account<V>): void {
    account.counter = Math.max(account.counter, this.#raiseFloor())
  }

  #raiseFloor(): number {
    this.#floor = Math.max(this.#floor, (this.#waiting.least() ?? this.#last)?.counter ?? 0)
    return this.#floor
  }

  #accountOf(tenant: string, weight: number): Account<V> {
    const known = this.#accounts.get(tenant) ?? this.#open(tenant)
    // The weight of those who wait is part of a sum.
    if (known.line.length === 0) known.weight = weight
    return known
  }

  #open(tenant: string): Account<V> {
    if (this.#accounts.size >= this.#accountsMax) this.#forgetMany()
    const account = {
      ...{ tenant, line: new WaitingLine<V>(), weight: 1 },
      ...{ counter: 0, running: 0, order: 0, key: 0, at: -1 },
    }
    this.#accounts.set(tenant, account)
    return account
  }

  /** Whoever has not had more than the floor would be lifted to it anyway: nothing is lost. */
  #forgetIdle(account: Account<V>): void {
    if (isIdle(account) && account.counter <= this.floor) this.#accounts.delete(account.tenant)
  }

  /** Those without a loss first; if that is not much, also those that would owe something. */
  #forgetMany(): void {
    for (const account of this.#accounts.values()) this.#forgetIdle(account)
    if (this.#accounts.size * 2 <= this.#accountsMax) return
    for (const account of this.#accounts.values()) {
      if (isIdle(account)) this.#accounts.delete(account.tenant)
    }
  }
}

const isIdle = ({ line, running }: Account<unknown>): boolean => line.length === 0 && running === 0
