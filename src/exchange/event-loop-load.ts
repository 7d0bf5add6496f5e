/**
 * Whether this process has more to do than it can do in time, and who is then turned away: `batch` first, and when that is
 * not enough a share of `interactive`. Asked before a body is read, so that a refusal costs next to nothing.
 *
 * 1. Nothing is shed before delay, or utilization, was above its bound in `windowsMin` windows in a row: one long tick (a
 *    garbage collection, a large prompt) sheds nobody, however long it is. Delay counts only while utilization is above
 *    `workMin`: a process that is late with little to do waits for the processor, and sending callers away would not help.
 * 2. Shedding ends when both were below `calmShare` of their bounds, or there was little to do, for as many windows; between
 *    the two nothing changes.
 * 3. `interactive` is shed only while `batch` is, and only after delay was above twice its bound. The share is that of the
 *    client throttling of Google's SRE book, chapter 21, with K = 2: `(asked - 2 x in time) / (asked + 1)`, where a call
 *    that was admitted counts as in time by `delayMsMax / delay`. It grows as long as shedding does not help, is never
 *    above `shareMax`, and is 0 again when shedding ends.
 * 4. A look costs the same however many exchanges there are.
 */
import type { Clock } from '../clock.ts'
import type { Priority } from '../policy/priority.ts'
import type { EventLoopMeter, LoopWindow } from './event-loop-meter.ts'

export interface EventLoopBounds {
  /** 100 by default: time to a first token is a few times that. */
  readonly delayMsMax: number
  /** 0.95 by default. */
  readonly utilizationMax: number
  /** 500 by default. */
  readonly windowMs: number
}

export const eventLoopBounds: EventLoopBounds = { delayMsMax: 100, utilizationMax: 0.95, windowMs: 500 }

export interface EventLoopLoadOptions {
  readonly meter: EventLoopMeter
  readonly clock: Pick<Clock, 'monotonic'>
  /** From 0 to below 1. */
  readonly random: () => number
  readonly bounds?: Partial<EventLoopBounds>
}

export const windowsMin = 2
export const calmShare = 0.8
export const shareMax = 0.95
export const workMin = 0.7
/** K of the formula. */
const excess = 2
/** What counts of the window before. */
const kept = 0.5
/** The stock SDKs obey it; twice that at most, so that those who were shed together do not come back together. */
const retryMs = { interactive: 1_000, batch: 5_000 } as const

export class EventLoopLoad {
  readonly #options: EventLoopLoadOptions
  readonly #bounds: EventLoopBounds
  #since: number
  #window: LoopWindow = { delayMs: 0, utilization: 0 }
  /** Windows in a row. */
  #delayed = 0
  #busy = 0
  #calm = 0
  #isShedding = false
  /** Interactive calls of this window. */
  #asked = 0
  #admitted = 0
  /** Of the windows before, fading. */
  #askedBefore = 0
  #inTimeBefore = 0
  #share = 0

  constructor(options: EventLoopLoadOptions) {
    this.#options = options
    this.#bounds = { ...eventLoopBounds, ...options.bounds }
    this.#since = options.clock.monotonic()
  }

  /** The last window that ended. */
  get window(): LoopWindow {
    return this.#window
  }

  get isShedding(): boolean {
    return this.#isShedding
  }

  /** Share of `interactive` that is shed, 0 to `shareMax`. */
  get share(): number {
    return this.#share
  }

  /** Whether to turn away a call that comes now. */
  shed(priority: Priority): boolean {
    this.#look()
    if (priority === 'batch') return this.#isShedding
    this.#asked += 1
    if (this.#share > 0 && this.#options.random() < this.#share) return true
    this.#admitted += 1
    return false
  }

  /** What a call that was turned away is told to wait. */
  retryAfterMs(priority: Priority): number {
    return Math.round(retryMs[priority] * (1 + this.#options.random()))
  }

  #look(): void {
    const now = this.#options.clock.monotonic()
    const elapsedMs = now - this.#since
    if (elapsedMs < this.#bounds.windowMs) return
    this.#since = now
    this.#window = this.#options.meter.read()
    // A long window is one in which nobody came: if it was calm, it was calm for long.
    this.#judge(Math.max(1, Math.floor(elapsedMs / this.#bounds.windowMs)))
    this.#weigh()
  }

  #judge(windows: number): void {
    const { delayMs, utilization } = this.#window
    const { delayMsMax, utilizationMax } = this.#bounds
    // Each by itself: of one long tick, utilization can tell in one window and delay in the next.
    this.#delayed = delayMs > delayMsMax && utilization > workMin ? this.#delayed + 1 : 0
    this.#busy = utilization > utilizationMax ? this.#busy + 1 : 0
    const isOnTime = delayMs < delayMsMax * calmShare || utilization < workMin * calmShare
    const isCalm = isOnTime && utilization < utilizationMax * calmShare
    this.#calm = isCalm ? this.#calm + windows : 0
    if (this.#delayed >= windowsMin || this.#busy >= windowsMin) this.#isShedding = true
    else if (this.#calm >= windowsMin) this.#isShedding = false
  }

  #weigh(): void {
    const { delayMs, utilization } = this.#window
    const inTime = utilization > workMin ? Math.min(1, this.#bounds.delayMsMax / Math.max(1, delayMs)) : 1
    this.#askedBefore = this.#askedBefore * kept + this.#asked
    this.#inTimeBefore = this.#inTimeBefore * kept + this.#admitted * inTime
    this.#asked = 0
    this.#admitted = 0
    const over = (this.#askedBefore - excess * this.#inTimeBefore) / (this.#askedBefore + 1)
    this.#share = this.#isShedding ? Math.max(0, Math.min(shareMax, over)) : 0
    if (this.#isShedding) return
    this.#askedBefore = 0
    this.#inTimeBefore = 0
  }
}
