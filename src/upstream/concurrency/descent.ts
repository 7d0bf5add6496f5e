/**
 * Whether it is concurrency that makes a server slow. While the limit falls, latency is seen at two numbers of calls in
 * flight; the line through both says what one call alone would take now. Where that is more than the usual, the server
 * itself became slower (a longer prompt mix, a capped GPU), and a limit that fell on would only waste it. Latency grows
 * with concurrency ever faster, never slower, so the line never says too much for a server that is merely full.
 *
 * 1. A correction is from 1 to `factorMax`, and made only after the calls in flight fell to `fallenTo` while latency was
 *    above the tolerance all the time.
 * 2. Corrections are taken back, all of them and once, as soon as latency is tolerable without them.
 */
export class Descent {
  readonly #tolerance: number
  #top: Point | undefined
  /** How much slower the server is presumed to be than it was before. */
  #presumed = 1

  constructor(tolerance: number) {
    this.#tolerance = tolerance
  }

  /**
   * What the usual latency is to be multiplied by, from the mean of calls in flight since the last change of the limit and
   * how many times the usual their latency was.
   */
  correction(inFlight: number, congestion: number): number {
    if (congestion > this.#tolerance) return this.#slower(Math.max(1, inFlight), congestion)
    this.#top = undefined
    return congestion * this.#presumed <= this.#tolerance ? this.#takenBack() : 1
  }

  /** The usual latency was measured: nothing is presumed any more. */
  measured(): void {
    this.#top = undefined
    this.#presumed = 1
  }

  #slower(inFlight: number, congestion: number): number {
    if (this.#top === undefined || congestion > this.#top.congestion) this.#top = { inFlight, congestion }
    const { inFlight: topInFlight, congestion: topCongestion } = this.#top
    if (inFlight >= topInFlight * fallenTo) return 1
    const slope = (topCongestion - congestion) / (topInFlight - inFlight)
    const factor = Math.max(1, Math.min(factorMax, congestion - slope * inFlight))
    this.#top = undefined
    this.#presumed *= factor
    return factor
  }

  #takenBack(): number {
    const factor = 1 / this.#presumed
    this.#presumed = 1
    return factor
  }
}

interface Point {
  readonly inFlight: number
  readonly congestion: number
}

export const fallenTo = 0.6
export const factorMax = 4
