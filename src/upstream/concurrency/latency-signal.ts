import { LatencyBaseline, median } from './latency-baseline.ts'

/**
 * One latency of a server since its limit was last changed, as ratios to the usual.
 *
 * 1. Only a number above 0 and at most an hour is a latency. Anything else changes nothing.
 * 2. At most `ratiosMax` ratios are kept.
 */
export class LatencySignal {
  readonly #baseline = new LatencyBaseline()
  readonly #ratios: number[] = []
  /** The median of before the last change. */
  #congestion = 1

  get length(): number {
    return this.#ratios.length
  }

  /** A call of a server that is busy. */
  busy(tokens: number, ms: number): void {
    this.#baseline.meet(tokens, ms, this.#congestion)
    this.#note(tokens, ms)
  }

  /** A call of a server that has little to do. */
  calm(tokens: number, ms: number): void {
    this.#note(tokens, ms)
    this.#baseline.learn(tokens, ms)
  }

  /** `undefined` below `callsMin` calls. The median: half of the calls would have to lie to move it at will. */
  median(callsMin: number): number | undefined {
    return this.#ratios.length < callsMin ? undefined : median(this.#ratios)
  }

  /** The server became faster or slower. */
  scale(factor: number): void {
    this.#baseline.scale(factor)
  }

  clear(): void {
    if (this.#ratios.length > 0) this.#congestion = median(this.#ratios)
    this.#ratios.length = 0
  }

  #note(tokens: number, ms: number): void {
    if (this.#ratios.length < ratiosMax) this.#ratios.push(this.#baseline.ratio(tokens, ms))
  }
}

export const ratiosMax = 1_024
const hourMs = 3_600_000

export const isLatency = (ms: number | undefined): ms is number => ms !== undefined && ms > 0 && ms <= hourMs
