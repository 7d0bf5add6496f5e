/**
 * Limits and their state in the memory of one process. Invariants:
 *
 * 1. All or nothing: `admit` looks at every limit before it changes any, without giving up its turn in
 *    between.
 * 2. A slot lives from `admit` to the first disposal of its admission, whatever happens to the exchange.
 * 3. Everything kept is bounded: buckets by `bucketsMax`, leases by `exchangesMax`; beyond that `admit`
 *    refuses.
 */
import type { Clock } from '../clock.ts'
import type { Limit } from '../policy/policy.ts'
import { Refusal } from '../refusal.ts'
import { levelOf, take } from './bucket.ts'
import { Buckets } from './buckets.ts'
import { InFlight } from './in-flight.ts'
import { LimitRefusal } from './limit-refusal.ts'
import type { Admission, Consumption, LimitState, Quota, Reservation } from './quota.ts'

/**
 * When a slot becomes free is not known: a guess that lets a short exchange end and stays far below a
 * client's patience.
 */
const slotRetryMs = 1000

export interface MemoryQuotaOptions {
  readonly clock: Clock
  readonly bucketsMax?: number
  readonly exchangesMax?: number
}

/** What one limit says to one exchange; no wait is consent. */
interface Verdict {
  readonly limit: Limit
  readonly waitMs: number
}

const toMs = (us: number): number => Math.ceil(us / 1000)
const bucketOf = ({ key, name }: Limit): string => `${name} ${key}`

const longest = (one: Verdict, other: Verdict): Verdict => (other.waitMs > one.waitMs ? other : one)

function refusalBy({ limit, waitMs }: Verdict, states: readonly LimitState[]): LimitRefusal {
  const { key, name, amount, burst } = limit
  return name === 'requests'
    ? new LimitRefusal(
        'rate_limit_exceeded',
        `limit ${key}: ${amount} requests a minute, burst ${burst}`,
        waitMs,
        states,
      )
    : new LimitRefusal(
        'concurrency_limit_exceeded',
        `limit ${key}: ${amount} exchanges in flight`,
        waitMs,
        states,
      )
}

class MemoryQuota implements Quota {
  readonly #clock: Clock
  readonly #buckets: Buckets
  readonly #slots: InFlight

  constructor({ clock, bucketsMax = 100_000, exchangesMax = 100_000 }: MemoryQuotaOptions) {
    this.#clock = clock
    this.#buckets = new Buckets(bucketsMax)
    this.#slots = new InFlight(exchangesMax)
  }

  get inFlight(): number {
    return this.#slots.leases
  }

  get buckets(): number {
    return this.#buckets.size
  }

  // Nothing is awaited in here: between the first look and the last write no other exchange gets a turn.
  async admit(exchangeId: string, limits: readonly Limit[]): Promise<Admission> {
    const nowUs = Math.floor(this.#clock.monotonic() * 1000)
    /** Buckets as they will be. */
    const taken = new Map<string, number>()
    const verdicts = limits.map((limit) => ({ limit, waitMs: this.#waitMs(limit, taken, nowUs) }))
    const refusing = verdicts.filter(({ waitMs }) => waitMs > 0)
    if (refusing.length > 0) throw refusalBy(refusing.reduce(longest), this.#states(limits, nowUs))
    this.#checkRoom(taken.keys(), nowUs)
    this.#slots.begin(exchangeId, limits.filter(({ name }) => name === 'in_flight').map(bucketOf))
    for (const [key, tatUs] of taken) this.#buckets.set(key, tatUs, nowUs)
    return this.#admission(exchangeId, this.#states(limits, nowUs))
  }

  async reserve(_exchangeId: string, _limits: readonly Limit[], tokens: Consumption): Promise<Reservation> {
    return { ...tokens, [Symbol.asyncDispose]: async () => undefined }
  }

  // No limit counts tokens, so the truth about them changes nothing, however often it is told.
  async settle(_exchangeId: string, _used: Consumption): Promise<void> {}

  #waitMs(limit: Limit, taken: Map<string, number>, nowUs: number): number {
    const key = bucketOf(limit)
    if (limit.name === 'in_flight') return this.#slots.count(key) < limit.amount ? 0 : slotRetryMs
    const { tatUs, waitUs } = take(taken.get(key) ?? this.#buckets.fullAt(key), nowUs, limit)
    taken.set(key, tatUs)
    return toMs(waitUs)
  }

  #states(limits: readonly Limit[], nowUs: number): LimitState[] {
    return limits.map((limit) => {
      const key = bucketOf(limit)
      if (limit.name === 'in_flight') {
        return { limit, remaining: Math.max(0, limit.amount - this.#slots.count(key)), resetMs: 0 }
      }
      const { remaining, resetUs } = levelOf(this.#buckets.fullAt(key), nowUs, limit)
      return { limit, remaining, resetMs: toMs(resetUs) }
    })
  }

  #checkRoom(keys: Iterable<string>, nowUs: number): void {
    if (this.#slots.full || !this.#buckets.hasRoomFor(keys, nowUs)) {
      throw new Refusal('overloaded', 'the quota store is full', { retryAfterMs: slotRetryMs })
    }
  }

  #admission(exchangeId: string, states: readonly LimitState[]): Admission {
    let held = true
    return {
      states,
      [Symbol.asyncDispose]: async () => {
        // By this admission, not by id alone: the id may have been used again since.
        if (held) this.#slots.end(exchangeId)
        held = false
      },
    }
  }
}

/** A quota store for one process. Its state ends with it. */
export const memoryQuota = (options: MemoryQuotaOptions): Quota => new MemoryQuota(options)
