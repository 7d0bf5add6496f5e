/**
 * Whether one model server may be called, from how calls and probes ended.
 *
 *     healthy --failuresMax failed calls, or probeFailuresMax failed probes, in a row--> ejected
 *     ejected --its wait is over, or a probe says that it is back--> probation
 *     probation --one call--> answered: healthy (slow start) | failed: ejected, for twice as long
 *
 * 1. While it is ejected no call enters, save by `enterAnyway`. In probation one does; the next may when the end of that
 *    one told nothing, or has not come within `probationMs`.
 * 2. It is ejected by exactly `failuresMax` failed calls in a row or `probeFailuresMax` failed probes in a row while it is
 *    healthy, or a failed call of its probation. `overloaded` and `abandoned` ends leave both rows as they are. Any answer
 *    ends the row of probes; that of calls ends with an answer to a call that entered after the first of them failed, for
 *    a server that shuts down refuses new calls while it completes old ones.
 * 3. A call that entered before an ejection never prolongs it and counts for nothing after it; its answer opens the
 *    probation of a server that failed probes, no more.
 * 4. The wait of the k-th ejection is between 80 and 100 % of `min(ejectionMs x 2^(k-1), ejectionMsMax)`; k begins anew
 *    after `healthyMs` of health. Failed calls never make a wait longer once it runs.
 * 5. Only a call makes it healthy. A probe opens its probation, and so ends a wait early, when it brings news: on the
 *    first ejection, or after `probeFailuresMax` failed probes. A server that is good at probes alone waits in full.
 * 6. `share` is 0 exactly when no call may enter; while healthy it never falls, and is 1 after `slowStartMs`.
 * 7. Time is monotonic; jumps of the wall clock change nothing. Each change of state is told once, in order.
 */
import type { Clock } from '../../clock.ts'
import type { CallEnd } from './call-end.ts'
import type { HealthBounds } from './health-bounds.ts'
import type { HealthChange, HealthReason, HealthSnapshot, HealthState } from './health-report.ts'

export interface EndpointHealthOptions {
  readonly bounds: HealthBounds
  readonly clock: Pick<Clock, 'monotonic'>
  /** From 0 to below 1. */
  readonly random: () => number
  /** A new server warms up (`slow`); those that were there from the beginning do not. */
  readonly begins?: 'full' | 'slow'
  /** Must not throw. That a wait is over is told when somebody looks, not by a timer. */
  readonly changed?: (change: HealthChange) => void
}

/** A call that was let in. */
export interface HealthTurn {
  /** A response head below 500 came, 429 excepted; the rest is to come. It decides a probation, and may be left out. */
  answered(): void
  /** How it ended. The first one counts. */
  ended(end: CallEnd): void
}

type Part = 'plain' | 'deciding'

interface Entered {
  readonly part: Part
  /** Counted from 1. */
  readonly number: number
  /** Ejections that it came after. */
  readonly ejections: number
  hasHead: boolean
}

/** Part of a wait that chance may take away, so that gateways do not try again all at once. */
const JITTER = 0.2

export class EndpointHealth {
  readonly #options: EndpointHealthOptions
  readonly #bounds: HealthBounds
  #state: HealthState = 'healthy'
  #since: number
  #entered = 0
  /** The row of failed calls: those without a head, those that broke after it, and how many had entered when it began. */
  #headless = 0
  #broken = 0
  #rowAfter = 0
  /** The same of the first that broke: where the row begins when a head has ended the others. */
  #brokenAfter = 0
  #probeFailures = 0
  #ejections = 0
  #ejectionsInRow = 0
  #ejectedUntil = 0
  /** Calls of this probation that have not ended. */
  #deciding = 0
  #nextDecidingAt = 0
  #warmedFrom: number

  constructor(options: EndpointHealthOptions) {
    this.#options = options
    this.#bounds = options.bounds
    this.#since = options.clock.monotonic()
    this.#warmedFrom = options.begins === 'slow' ? this.#since : Number.NEGATIVE_INFINITY
  }

  get state(): HealthState {
    if (this.#state === 'ejected' && this.#now() >= this.#ejectedUntil) this.#onProbation('wait_over')
    return this.#state
  }

  /** Ejections since it was added. */
  get ejections(): number {
    return this.#ejections
  }

  /** Ejections since it was last healthy for `healthyMs`. */
  get ejectionsInRow(): number {
    const isLongHealthy = this.#state === 'healthy' && this.#now() - this.#since >= this.#bounds.healthyMs
    return isLongHealthy ? 0 : this.#ejectionsInRow
  }

  /** Its probes fail, so it is known to be down however its calls are counted. */
  get isProbedDown(): boolean {
    return this.#probeFailures >= this.#bounds.probeFailuresMax
  }

  /** Milliseconds until a call may enter; 0: now. */
  get waitMs(): number {
    const { state } = this
    if (state === 'healthy') return 0
    const at = state === 'ejected' ? this.#ejectedUntil : this.#nextDecidingAt
    return Math.max(0, at - this.#now())
  }

  /** How long the newest call of its probation has been under way, in milliseconds; 0: none is. */
  get triedMs(): number {
    if (this.state !== 'probation' || this.#deciding === 0) return 0
    return this.#now() - (this.#nextDecidingAt - this.#bounds.probationMs)
  }

  /**
   * Its part of the load beside other servers: compare them by load per share. Not a limit: a server that is alone has
   * all calls whatever its share. 0: no call may be sent now.
   */
  get share(): number {
    if (this.waitMs > 0) return 0
    const { slowStartFloor, slowStartMs } = this.#bounds
    if (this.#state === 'probation') return slowStartFloor
    const warmMs = this.#now() - this.#warmedFrom
    return warmMs >= slowStartMs ? 1 : slowStartFloor + (1 - slowStartFloor) * (warmMs / slowStartMs)
  }

  /** Lets a call in, if one may be sent now. Each that was let in must end. */
  enter(): HealthTurn | undefined {
    if (this.waitMs > 0) return undefined
    if (this.#state === 'healthy') return this.#turn('plain')
    this.#deciding += 1
    this.#nextDecidingAt = this.#now() + this.#bounds.probationMs
    return this.#turn('deciding')
  }

  /** For a pool that has nothing better: its answer makes the server healthy, its failure changes nothing. */
  enterAnyway(): HealthTurn {
    return this.enter() ?? this.#turn('plain')
  }

  /** How a probe ended that began after the last ejection. */
  probed(verdict: 'alive' | 'down'): void {
    if (verdict === 'down') this.#probeFailed()
    else this.#probeAnswered()
  }

  /** Shortens the wait that runs, if any. */
  retryWithin(ms: number): void {
    this.#ejectedUntil = Math.min(this.#ejectedUntil, this.#now() + ms)
  }

  snapshot(): HealthSnapshot {
    const { state, share } = this
    return {
      state,
      since: this.#since,
      share,
      failures: this.#headless + this.#broken,
      probeFailures: this.#probeFailures,
      ejections: this.#ejections,
      ejectionsInRow: this.ejectionsInRow,
      ejectedUntil: state === 'ejected' ? this.#ejectedUntil : undefined,
    }
  }

  #now(): number {
    return this.#options.clock.monotonic()
  }

  #turn(part: Part): HealthTurn {
    this.#entered += 1
    const entered: Entered = { part, number: this.#entered, ejections: this.#ejections, hasHead: false }
    let hasEnded = false
    return {
      answered: () => {
        if (!hasEnded) this.#headCame(entered)
      },
      ended: (end) => {
        if (hasEnded) return
        hasEnded = true
        this.#ended(entered, end)
      },
    }
  }

  #headCame(entered: Entered): void {
    entered.hasHead = true
    if (entered.ejections !== this.#ejections) this.#outlived()
    else if (this.state !== 'healthy') this.#recovered()
    else {
      this.#probeFailures = 0
      // Broken ones stay: a server that breaks every reply in its middle would never be ejected.
      if (entered.number > this.#rowAfter) this.#endHeadless()
    }
  }

  #ended(entered: Entered, end: CallEnd): void {
    const { state } = this
    if (entered.ejections !== this.#ejections) {
      if (end === 'answered') this.#outlived()
    } else if (end === 'answered') this.#answered(entered)
    else if (state === 'healthy') this.#failedOrNot(entered, end)
    else if (entered.part === 'deciding') this.#decided(end)
  }

  /** A call that is older than the ejection was answered: proof against probes, but not against other calls. */
  #outlived(): void {
    if (this.state !== 'ejected' || !this.isProbedDown) return
    this.#probeFailures = 0
    this.#onProbation('call_answered')
  }

  #answered({ number }: Entered): void {
    if (this.#state !== 'healthy') this.#recovered()
    this.#probeFailures = 0
    if (number > this.#rowAfter) this.#endRow()
  }

  #failedOrNot({ hasHead }: Entered, end: CallEnd): void {
    if (end !== 'failed') return
    if (this.#headless + this.#broken === 0) this.#rowAfter = this.#entered
    if (hasHead && this.#broken === 0) this.#brokenAfter = this.#entered
    if (hasHead) this.#broken += 1
    else this.#headless += 1
    if (this.#headless + this.#broken >= this.#bounds.failuresMax) this.#eject('calls_failed')
  }

  #endHeadless(): void {
    this.#headless = 0
    if (this.#broken > 0) this.#rowAfter = Math.max(this.#rowAfter, this.#brokenAfter)
  }

  #endRow(): void {
    this.#headless = 0
    this.#broken = 0
  }

  /** The end of a call of the probation that runs, other than an answer. */
  #decided(end: CallEnd): void {
    this.#deciding -= 1
    if (end === 'failed') this.#eject('probation_failed')
    // One that is full would else draw call after call: it has no load and refuses at once.
    else if (this.#deciding === 0)
      this.#nextDecidingAt = this.#now() + (end === 'overloaded' ? this.#bounds.ejectionMs : 0)
  }

  #probeFailed(): void {
    this.#probeFailures += 1
    // In probation a call decides: where probes are wrong and calls are rare, none would ever come to try.
    if (this.isProbedDown && this.state === 'healthy') this.#eject('probes_failed')
  }

  #probeAnswered(): void {
    const isNews = this.isProbedDown || this.#ejectionsInRow <= 1
    this.#probeFailures = 0
    if (this.state === 'ejected' && isNews) this.#onProbation('probe_answered')
  }

  #eject(reason: HealthReason): void {
    const { ejectionMs, ejectionMsMax } = this.#bounds
    this.#ejectionsInRow = this.ejectionsInRow + 1
    this.#ejections += 1
    this.#deciding = 0
    const fullMs = Math.min(ejectionMsMax, ejectionMs * 2 ** (this.#ejectionsInRow - 1))
    const waitMs = fullMs * (1 - JITTER * this.#options.random())
    this.#ejectedUntil = this.#now() + waitMs
    this.#become('ejected', reason, waitMs)
  }

  #onProbation(reason: HealthReason): void {
    this.#nextDecidingAt = this.#now()
    this.#become('probation', reason)
  }

  #recovered(): void {
    this.#endRow()
    this.#probeFailures = 0
    this.#warmedFrom = this.#now()
    this.#become('healthy', 'call_answered')
  }

  #become(to: HealthState, reason: HealthReason, waitMs = 0): void {
    const from = this.#state
    this.#state = to
    this.#since = this.#now()
    this.#options.changed?.({ from, to, reason, waitMs })
  }
}
