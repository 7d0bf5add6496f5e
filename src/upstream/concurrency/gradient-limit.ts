/**
 * How many calls one model server may have at a time, learned from how long it takes: Netflix's Gradient2, fed with what
 * a batch of sequences makes slower. Total time says nothing (a long answer is no slow server); the time to the first
 * token beside that of prompts of this size, and the time per output token do.
 *
 * The limit falls when these are more than `tolerance` times the usual and grows otherwise. With 2 it settles where
 * throughput divided by latency is greatest for a server whose step takes `a + b x sequences`: at twice the latency of an
 * idle one. Gradient2's own baseline follows every call and, in a flood that lasts, takes the flood for the usual; here it
 * is learned from calls that had the server nearly to themselves, and from all calls once the limit is at its least.
 *
 * 1. The limit is a whole number from `limitMin` to `limitMax`, whatever is fed.
 * 2. It does not grow unless a call since the last change found at least half of it in flight.
 * 3. It changes once in `limit / 2` calls, at least in `callsMin`: then the calls of before have ended. One change takes at
 *    most a tenth, and adds at most `0.4 x sqrt(limit)`, or a quarter as long as it has never met latency half way to the
 *    tolerance.
 * 4. `overloaded` takes a quarter, once in `overloadQuietMs` or the time to the first token, whichever is longer.
 * 5. What is not a latency changes nothing: not a number, 0 or less, more than an hour.
 * 6. Above the floors nothing depends on the unit of time, nor on the mix of prompt sizes as long as each takes its usual time.
 */
import type { Clock } from '../../clock.ts'
import { Descent } from './descent.ts'
import { isLatency, LatencySignal } from './latency-signal.ts'

export interface GradientLimitOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Calls at a time that are never exceeded: the connections to the server. At least 1. */
  readonly limitMax: number
  /** 4 by default: a batch that small costs no server much latency, and still teaches what is usual. */
  readonly limitMin?: number
  /** Where it begins, 16 by default. */
  readonly limitInitial?: number
  /** How many times the usual latency is accepted: 2 by default, above 1. */
  readonly tolerance?: number
  /** Share of the way to the new limit that one change goes: 0.2 by default. */
  readonly smoothing?: number
  /** Calls that one change is based on, at least: 8 by default. */
  readonly callsMin?: number
  /** 1 s by default. */
  readonly overloadQuietMs?: number
  /**
   * Up to these, latencies are all the same: they are this process's own event loop and the network, and for a server that
   * answers in a millisecond three are no congestion. 0 by default.
   */
  readonly ttftFloorMs?: number
  readonly perTokenFloorMs?: number
}

/** What one call tells, at once when it ends or in parts as they become known. `undefined`: not known (yet). */
export interface LatencySample {
  /** From sending the request to the first token of a stream, or to the answer of a call that makes no tokens. */
  readonly ttftMs?: number | undefined
  /** From the first token to the last, divided by the tokens after the first. */
  readonly tpotMs?: number | undefined
  /** A reply that came whole: all of its time, which is divided by its `outputTokens`. */
  readonly replyMs?: number | undefined
  readonly outputTokens?: number | undefined
  readonly inputTokens: number
  /** Calls that were at the server when this one was sent, itself among them. */
  readonly inFlight: number
}

const gradientMin = 0.5
/** A call that finds no more than this share of the limit in flight has the server nearly to itself. */
const calmShare = 1 / 8
/** Latency below this share of the usual is no accident of a few calls: the server became faster. */
const fasterBelow = 0.8
const fasterFactor = 0.7
const backoffFactor = 0.75
const startFactor = 0.25
const roundTripMsMax = 10_000

export class GradientLimit {
  readonly #options: Required<GradientLimitOptions>
  readonly #descent: Descent
  readonly #ttft = new LatencySignal()
  readonly #tpot = new LatencySignal()
  readonly #reply = new LatencySignal()
  readonly #signals = [this.#ttft, this.#tpot, this.#reply]
  #limit: number
  #congestion = 1
  /** Nothing yet said where the limit may be. */
  #isStarting = true
  #inFlightMost = 0
  #inFlightSum = 0
  #calls = 0
  #ttftMs = 0
  #quietUntil = Number.NEGATIVE_INFINITY

  constructor(options: GradientLimitOptions) {
    this.#options = withDefaults(options)
    this.#descent = new Descent(this.#options.tolerance)
    this.#limit = this.#bounded(this.#options.limitInitial)
  }

  get limit(): number {
    return Math.round(this.#limit)
  }

  /** How many times the usual latency the server took of late; 1 when nothing is known. */
  get congestion(): number {
    return this.#congestion
  }

  sample({ ttftMs, tpotMs, replyMs, outputTokens, inputTokens, inFlight }: LatencySample): void {
    const outputs = Math.max(1, outputTokens ?? 1)
    const { ttftFloorMs, perTokenFloorMs } = this.#options
    const perToken = replyMs === undefined ? undefined : atLeast(perTokenFloorMs, replyMs / outputs)
    if (isLatency(ttftMs)) this.#ttftMs = ttftMs
    const isAny = [
      this.#feed(this.#ttft, inputTokens, atLeast(ttftFloorMs, ttftMs), inFlight),
      this.#feed(this.#tpot, inputTokens, atLeast(perTokenFloorMs, tpotMs), inFlight),
      // The wait for the first token is shared by all: the fewer they are, the longer each takes.
      this.#feed(this.#reply, 2 ** 20 / outputs, perToken, inFlight),
    ].includes(true)
    if (!isAny) return
    const known = inFlight > 0 ? Math.min(inFlight, this.#options.limitMax) : 0
    this.#inFlightMost = Math.max(this.#inFlightMost, known)
    this.#inFlightSum += known
    this.#calls += 1
    const enough = Math.max(this.#options.callsMin, Math.ceil(this.#limit / 2))
    if (this.#signals.some(({ length }) => length >= enough)) this.#change()
  }

  /** The server said that it is full: 429 or 503. */
  overloaded(): void {
    const now = this.#options.clock.monotonic()
    if (now < this.#quietUntil) return
    const roundTripMs = Math.min(roundTripMsMax, this.#ttftMs)
    this.#quietUntil = now + Math.max(this.#options.overloadQuietMs, roundTripMs)
    this.#isStarting = false
    this.#limit = this.#bounded(this.#limit * backoffFactor)
    this.#beginAnew()
  }

  #feed(signal: LatencySignal, tokens: number, ms: number | undefined, inFlight: number): boolean {
    if (!isLatency(ms)) return false
    if (this.#isCalm(inFlight)) signal.calm(tokens, ms)
    else signal.busy(tokens, ms)
    return true
  }

  #change(): void {
    const { tolerance, smoothing, callsMin } = this.#options
    this.#congestion = Math.max(...this.#signals.map((signal) => signal.median(callsMin / 2) ?? 0))
    this.#correct()
    if (this.#congestion > (1 + tolerance) / 2) this.#isStarting = false
    const step = this.#step(tolerance / this.#congestion, smoothing)
    const isInUse = this.#inFlightMost >= this.#limit / 2
    if (step < 0 || isInUse) this.#limit = this.#bounded(this.#limit + step)
    this.#beginAnew()
  }

  /**
   * Corrects what is usual where calls at a busy server show that it is not any more. All signals together, by the worst of
   * them: each alone would be misled by a prefix cache, or by a queue that only the time to the first token feels.
   */
  #correct(): void {
    const inFlight = this.#inFlightSum / this.#calls
    if (this.#isCalm(inFlight)) this.#descent.measured()
    else this.#scale(this.#descent.correction(inFlight, this.#congestion))
    if (this.#congestion < fasterBelow) this.#scale(fasterFactor)
  }

  #scale(factor: number): void {
    if (factor !== 1) for (const signal of this.#signals) signal.scale(factor)
  }

  #isCalm(inFlight: number): boolean {
    return inFlight <= Math.max(this.#options.limitMin, this.#limit * calmShare)
  }

  #step(slack: number, smoothing: number): number {
    if (this.#isStarting) return this.#limit * startFactor
    const gradient = Math.max(gradientMin, Math.min(1, slack))
    const headroom = (Math.sqrt(this.#limit) / 2) * Math.max(1, Math.min(2, slack)) ** 2
    return smoothing * (this.#limit * gradient + headroom - this.#limit)
  }

  /** What was measured so far was measured under another limit. */
  #beginAnew(): void {
    for (const signal of this.#signals) signal.clear()
    this.#inFlightMost = 0
    this.#inFlightSum = 0
    this.#calls = 0
  }

  #bounded(limit: number): number {
    return Math.max(this.#options.limitMin, Math.min(this.#options.limitMax, limit))
  }
}

const atLeast = (floorMs: number, ms: number | undefined): number | undefined =>
  isLatency(ms) ? Math.max(floorMs, ms) : ms

function withDefaults(options: GradientLimitOptions): Required<GradientLimitOptions> {
  const limitMax = Math.max(1, Math.floor(options.limitMax))
  const limitMin = Math.max(1, Math.min(limitMax, Math.ceil(options.limitMin ?? 4)))
  const defaults = { limitInitial: 16, tolerance: 2, smoothing: 0.2, callsMin: 8, overloadQuietMs: 1_000 }
  const floors = { ttftFloorMs: 0, perTokenFloorMs: 0 }
  return { ...defaults, ...floors, ...options, limitMax, limitMin }
}
