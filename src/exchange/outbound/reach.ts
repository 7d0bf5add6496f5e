import type { Clock } from '../../clock.ts'
import { retryDelayMs } from '../../upstream/backoff.ts'
import type { Place, RetryReason } from '../../upstream/pool.ts'
import { mayTryAgain } from '../../upstream/retry-policy.ts'
import type { Leg } from '../../upstream/routes.ts'
import type { Life } from '../life.ts'
import type { StreamBounds } from '../parts.ts'
import { attempt, type HeldAnswer, type Outgoing } from './attempt.ts'
import { hedged } from './hedge.ts'
import { promptPrefix } from './prompt-prefix.ts'
import type { Itinerary } from './route.ts'
import { placeAsked, waitTurn } from './wait-turn.ts'

interface Surroundings {
  readonly clock: Pick<Clock, 'sleep'>
  readonly stream: Pick<StreamBounds, 'totalTimeoutMs'>
}

/**
 * Itinerary -> Answer: a place at a server, the call sent there, and when that fails before the caller has a byte, the
 * next server, the next pool.
 *
 * 1. A server is sent the call at most once, and all of them together at most `attemptsMax` times, a hedge included.
 * 2. A call goes to another server only when nobody can have begun to work on it (`mayTryAgain`), and the pool's budget
 *    of retries has room; to another pool also when the first has no place for it.
 * 3. What the caller is told is the last failure of a server; if none was asked, why the first pool had no place.
 * 4. One answer at most comes out of it, and holds one place; every other place was given back.
 */
export async function reach(
  itinerary: Itinerary,
  outgoing: Outgoing,
  gateway: Surroundings,
  life: Pick<Life, 'signal' | 'limit'>,
): Promise<HeldAnswer> {
  const journey = new Journey(itinerary, outgoing, gateway, life)
  for (const leg of itinerary.legs) {
    const answer = await journey.along(leg)
    if (answer !== undefined) return answer
  }
  throw journey.failure
}

/** One call on its way. */
class Journey {
  /** What the caller is told if nobody answers. */
  failure: unknown
  readonly #itinerary: Itinerary
  readonly #outgoing: Outgoing
  readonly #gateway: Surroundings
  readonly #life: Pick<Life, 'signal' | 'limit'>
  readonly #tried = new Set<string>()
  /** A pool has shortened the time of the exchange; the next one gives it back. */
  #isShortened = false

  constructor(
    itinerary: Itinerary,
    outgoing: Outgoing,
    gateway: Surroundings,
    life: Pick<Life, 'signal' | 'limit'>,
  ) {
    this.#itinerary = itinerary
    this.#outgoing = outgoing
    this.#gateway = gateway
    this.#life = life
    itinerary.legs[0]?.pool.called()
  }

  /** The answer of a server of this pool; `undefined` when the next pool is to be tried. Throws when none is. */
  async along(leg: Leg): Promise<HeldAnswer | undefined> {
    for (;;) {
      const place = await this.#place(leg)
      if (place === undefined) return undefined
      try {
        return await this.#send(leg, place)
      } catch (error) {
        this.#life.signal.throwIfAborted()
        this.failure = error
        this.#outgoing.trail.attemptFailed(place.endpoint.origin, error)
        if (!this.#goesOn(leg, error)) throw error
        await this.#pause()
      }
    }
  }

  /** Calls that failed together do not come back together. */
  async #pause(): Promise<void> {
    const { signal } = this.#life
    const delayMs = retryDelayMs(this.#tried.size, 'another server', Math.random)
    if (delayMs > 0) await this.#gateway.clock.sleep(delayMs, signal).catch(() => {})
    signal.throwIfAborted()
  }

  #goesOn({ pool: { retries } }: Leg, error: unknown): boolean {
    return this.#tried.size < retries.attemptsMax && mayTryAgain(error, retries)
  }

  async #place(leg: Leg): Promise<Place | undefined> {
    const { signal } = this.#life
    try {
      const place = await waitTurn(leg, this.#asked(leg), signal)
      this.#outgoing.trail.queued(leg)
      return this.#within(leg, place, 'next_attempt')
    } catch (error) {
      signal.throwIfAborted()
      // The first says more than that the fallbacks have no place either.
      this.failure ??= error
      return undefined
    }
  }

  /** A place for a retry counts against the budget of its pool; only now is it known that there is one. */
  #within({ pool }: Leg, place: Place, reason: RetryReason): Place | undefined {
    if (this.#tried.size === 0 || pool.retried(reason)) return place
    place.end('abandoned')
    return undefined
  }

  #asked({ pool }: Leg) {
    const { screened, permit, trail } = this.#outgoing
    const prefix = promptPrefix(pool, screened, permit)
    const asked = { stream: screened.call.stream, prefix, tried: this.#tried }
    return placeAsked(permit, asked, trail, this.#gateway.stream.totalTimeoutMs)
  }

  async #send(leg: Leg, place: Place): Promise<HeldAnswer> {
    const { signal } = this.#life
    this.#tried.add(place.endpoint.origin)
    this.#limit(leg)
    const first = (until: AbortSignal) => attempt(leg, place, this.#outgoing, until)
    const { hedge } = this.#itinerary
    if (hedge === undefined || this.#outgoing.reserved.outputTokensMax > hedge.outputTokensMax)
      return await first(signal)
    return await hedged(first, (until) => this.#second(leg, until), hedge, signal)
  }

  /** To one more server, where a place is free at once. */
  #second(leg: Leg, until: AbortSignal): Promise<HeldAnswer> | undefined {
    const { pool } = leg
    if (this.#tried.size >= pool.retries.attemptsMax) return undefined
    const place = pool.takeNow(this.#asked(leg))
    if (place === undefined || this.#within(leg, place, 'hedge') === undefined) return undefined
    this.#tried.add(place.endpoint.origin)
    return attempt(leg, place, this.#outgoing, until)
  }

  /** The time of the exchange is the shorter of the gateway's and this pool's. */
  #limit({ pool }: Leg): void {
    const leftMs = this.#gateway.stream.totalTimeoutMs - this.#outgoing.trail.elapsedMs
    if (pool.totalMs >= leftMs && !this.#isShortened) return
    this.#isShortened = true
    this.#life.limit(Math.min(pool.totalMs, leftMs))
  }
}
