import type { Clock } from '../../clock.ts'

/**
 * The ratio of two sums in which what came long ago hardly counts: a sample weighs as much as its denominator, so many
 * small ones do not hide a large one. Sums halve with each `halfLifeMs`.
 */
export class DecayingRatio {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #halfLifeMs: number
  #numerator = 0
  #denominator = 0
  #at: number

  constructor(clock: Pick<Clock, 'monotonic'>, halfLifeMs: number) {
    this.#clock = clock
    this.#halfLifeMs = halfLifeMs
    this.#at = clock.monotonic()
  }

  add(numerator: number, denominator: number): void {
    this.#decay()
    this.#numerator += numerator
    this.#denominator += denominator
  }

  /** Where nothing was added lately, what is presumed: `presumed`, as if that were known from a denominator of `weight`. */
  ratio(presumed: number, weight: number): number {
    return this.with(0, 0, presumed, weight)
  }

  /** What the ratio would be if this were added. */
  with(numerator: number, denominator: number, presumed: number, weight: number): number {
    this.#decay()
    return (this.#numerator + numerator + presumed * weight) / (this.#denominator + denominator + weight)
  }

  #decay(): void {
    const now = this.#clock.monotonic()
    // A choice among many servers asks often in one millisecond, and powers cost more than everything else in it.
    if (now - this.#at < 1) return
    const left = 2 ** ((this.#at - now) / this.#halfLifeMs)
    this.#numerator *= left
    this.#denominator *= left
    this.#at = now
  }
}
