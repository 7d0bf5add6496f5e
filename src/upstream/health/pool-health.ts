/**
 * Which servers of a pool may be called.
 *
 * 1. Of servers that are out (`ejected` or in `probation`) for failed calls alone, at most `ejectedPercentMax` of the pool,
 *    rounded down but at least one, are held out: the worst. The others take calls all the same, with the smallest share.
 * 2. Panic: fewer than `panicPercent` of the servers are healthy. Then none is held out for failed calls.
 * 3. A server whose probes fail is held out in either case: there is proof beside the calls. Like every other it may have
 *    one call when its wait is over.
 * 4. A pool of one server has no other to spare it. Failed calls hold nobody out of it: a try costs no more than a refusal,
 *    and who breaks one call must not be able to have the next refused. Failed probes do, for `ejectionMs` at a time; then
 *    one call tries, and when that has told nothing for `ejectionMs`, all may. There is no panic.
 * 5. `shareOf` is 0 exactly when `enter` lets no call in.
 * 6. A server that leaves and comes back within `healthyMs` is as healthy as it was: a name service that lists it now and
 *    then washes nothing clean, and makes nothing cold. At most `departedMax` are remembered.
 */
import type { Clock } from '../../clock.ts'
import { EndpointHealth, type HealthTurn } from './endpoint-health.ts'
import type { HealthBounds } from './health-bounds.ts'
import type { HealthChange, HealthSnapshot } from './health-report.ts'

export interface PoolHealthOptions {
  readonly bounds: HealthBounds
  /** Most servers that failed calls hold out, in percent of the pool. 0: none. */
  readonly ejectedPercentMax: number
  /** 0: no panic. */
  readonly panicPercent: number
  readonly clock: Pick<Clock, 'monotonic'>
  /** From 0 to below 1. */
  readonly random: () => number
  readonly observer?: PoolHealthObserver
}

/** Must not throw. */
export interface PoolHealthObserver {
  changed(origin: string, change: HealthChange): void
  panicked(now: 'panic' | 'calm'): void
}

export interface MemberSnapshot extends HealthSnapshot {
  readonly origin: string
  /** What keeps calls away; `none` beside another state than `healthy`: it is called all the same. */
  readonly heldBy: 'none' | 'calls' | 'probes'
}

interface Departed {
  readonly health: EndpointHealth
  readonly at: number
}

const departedMax = 256

export class PoolHealth {
  readonly #options: PoolHealthOptions
  readonly #members = new Map<string, EndpointHealth>()
  readonly #departed = new Map<string, Departed>()
  #healthy = 0
  #panics = false

  constructor(options: PoolHealthOptions) {
    this.#options = options
  }

  /** Fewer healthy servers than `panicPercent`. */
  get panics(): boolean {
    return this.#panics
  }

  /** Milliseconds until some server may be called; 0: now. `undefined` when the pool is empty. For `retry-after`. */
  get waitMs(): number | undefined {
    let least: number | undefined
    for (const [origin, health] of this.#members) {
      const waitMs = this.shareOf(origin) > 0 ? 0 : Math.min(health.waitMs, this.#waitMsMax)
      if (least === undefined || waitMs < least) least = waitMs
    }
    return least
  }

  /** Takes a server in; one that is there already stays as it is. `slow`: with slow start, for a new server. */
  add(origin: string, begins: 'full' | 'slow'): EndpointHealth {
    const present = this.#members.get(origin)
    if (present !== undefined) return present
    const health = this.#remembered(origin) ?? this.#create(origin, begins)
    // Its wait may have ended while nobody looked: that is not for the pool to count.
    if (health.state === 'healthy') this.#healthy += 1
    this.#members.set(origin, health)
    this.#sizeChanged()
    return health
  }

  remove(origin: string): void {
    const health = this.#members.get(origin)
    if (health === undefined) return
    if (health.state === 'healthy') this.#healthy -= 1
    this.#members.delete(origin)
    this.#remember(origin, health)
    this.#sizeChanged()
  }

  healthOf(origin: string): EndpointHealth | undefined {
    return this.#members.get(origin)
  }

  /** Its part of the load beside the others of the pool; see `EndpointHealth.share`. */
  shareOf(origin: string): number {
    const health = this.#members.get(origin)
    if (health === undefined) return 0
    const { share } = health
    return share > 0 || this.#isHeld(origin, health) ? share : this.#options.bounds.slowStartFloor
  }

  /** Lets a call in at this server, if one may be sent there now. Each that was let in must end. */
  enter(origin: string): HealthTurn | undefined {
    const health = this.#members.get(origin)
    if (health === undefined) return undefined
    return health.enter() ?? (this.#isHeld(origin, health) ? undefined : health.enterAnyway())
  }

  snapshot(): MemberSnapshot[] {
    return [...this.#members].map(([origin, health]) => ({
      origin,
      heldBy: this.#heldBy(origin, health),
      ...health.snapshot(),
    }))
  }

  #heldBy(origin: string, health: EndpointHealth): MemberSnapshot['heldBy'] {
    if (health.state === 'healthy' || !this.#isHeld(origin, health)) return 'none'
    return health.isProbedDown ? 'probes' : 'calls'
  }

  /** For a server that is out. */
  #isHeld(origin: string, health: EndpointHealth): boolean {
    if (this.#heldMax === 0 && !health.isProbedDown) return false
    if (this.#members.size === 1)
      return health.isProbedDown && health.triedMs < this.#options.bounds.ejectionMs
    if (health.isProbedDown) return true
    return !this.#panics && this.#worseThan(origin, health) < this.#heldMax
  }

  /** Longest time that a server is held out. */
  get #waitMsMax(): number {
    const { ejectionMs, ejectionMsMax } = this.#options.bounds
    return this.#members.size === 1 ? ejectionMs : ejectionMsMax
  }

  get #heldMax(): number {
    const { ejectedPercentMax } = this.#options
    if (ejectedPercentMax === 0) return 0
    return Math.max(1, Math.floor((this.#members.size * ejectedPercentMax) / 100))
  }

  /** Servers that failed calls hold out before this one: ejected more often, or as often and listed first. */
  #worseThan(origin: string, health: EndpointHealth): number {
    let worse = 0
    let isAfter = false
    for (const [name, other] of this.#members) {
      if (name === origin) isAfter = true
      else if (other.state !== 'healthy' && !other.isProbedDown) {
        const more = other.ejectionsInRow - health.ejectionsInRow
        if (more > 0 || (more === 0 && !isAfter)) worse += 1
      }
    }
    return worse
  }

  #create(origin: string, begins: 'full' | 'slow'): EndpointHealth {
    const { bounds, clock, random, observer } = this.#options
    const health: EndpointHealth = new EndpointHealth({
      ...{ bounds, clock, random, begins },
      changed: (change) => {
        if (this.#members.get(origin) !== health) return
        if (change.from === 'healthy') this.#healthy -= 1
        if (change.to === 'healthy') this.#healthy += 1
        this.#boundLoneWait()
        observer?.changed(origin, change)
        this.#judgePanic()
      },
    })
    return health
  }

  #sizeChanged(): void {
    this.#boundLoneWait()
    this.#judgePanic()
  }

  #boundLoneWait(): void {
    if (this.#members.size !== 1) return
    for (const health of this.#members.values()) health.retryWithin(this.#options.bounds.ejectionMs)
  }

  #judgePanic(): void {
    const { size } = this.#members
    const panics = size > 1 && this.#healthy * 100 < this.#options.panicPercent * size
    if (panics === this.#panics) return
    this.#panics = panics
    this.#options.observer?.panicked(panics ? 'panic' : 'calm')
  }

  #remember(origin: string, health: EndpointHealth): void {
    this.#departed.delete(origin)
    this.#departed.set(origin, { health, at: this.#options.clock.monotonic() })
    if (this.#departed.size <= departedMax) return
    for (const oldest of this.#departed.keys()) {
      this.#departed.delete(oldest)
      return
    }
  }

  #remembered(origin: string): EndpointHealth | undefined {
    const departed = this.#departed.get(origin)
    this.#departed.delete(origin)
    if (departed === undefined) return undefined
    const awayMs = this.#options.clock.monotonic() - departed.at
    return awayMs < this.#options.bounds.healthyMs ? departed.health : undefined
  }
}
