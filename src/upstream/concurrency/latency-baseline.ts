/**
 * What a latency of one server usually is, by size of the call, with which it grows: a call is held against calls of its
 * own size, so that longer prompts do not look like a slow server.
 *
 * 1. Whatever is fed, each usual value is a positive finite number, and there are at most `sizeClasses` of them.
 * 2. Once a size is known, one call moves its usual value by at most `2 ** learnRate`, however far off that call is.
 * 3. Nothing depends on the unit: latencies that are all twice as long give the same ratios.
 */
export class LatencyBaseline {
  readonly #usual = new Map<number, Usual>()

  /** How many times the usual latency this is; 1 for a size that was never seen. */
  ratio(tokens: number, ms: number): number {
    const usual = this.#usual.get(sizeClass(tokens))
    return usual === undefined ? 1 : ms / usual.ms
  }

  /** A call while the server had little to do: its latency is what is usual. */
  learn(tokens: number, ms: number): void {
    const usual = this.#usual.get(sizeClass(tokens))
    if (usual === undefined || usual.first.length < firstCalls) this.meet(tokens, ms, 1)
    else {
      const off = Math.max(-1, Math.min(1, Math.log2(ms / usual.ms)))
      usual.ms = bounded(usual.ms * 2 ** (learnRate * off))
    }
  }

  /**
   * A call while the others took `congestion` times their usual: counts only for a size of which little is known. What
   * congestion leaves of it is a guess, so it is held between the sizes below and above.
   */
  meet(tokens: number, ms: number, congestion: number): void {
    const size = sizeClass(tokens)
    const usual = this.#usual.get(size)
    const calm = congestion > 1 ? this.#between(size, ms / congestion) : bounded(ms)
    if (usual === undefined) this.#usual.set(size, { ms: calm, first: [calm] })
    else if (usual.first.length < firstCalls) {
      usual.first.push(calm)
      usual.ms = median(usual.first)
    }
  }

  #between(size: number, ms: number): number {
    const known = (step: number, from = size + step): number | undefined => {
      for (let at = from; at >= 0 && at < sizeClasses; at += step) if (this.#usual.has(at)) return at
      return undefined
    }
    const [below, above] = [this.#usual.get(known(-1) ?? -1), this.#usual.get(known(1) ?? -1)]
    return bounded(Math.max(below?.ms ?? msMin, Math.min(above?.ms ?? msMax, ms)))
  }

  /** The server became faster or slower for every size. */
  scale(factor: number): void {
    for (const usual of this.#usual.values()) {
      usual.ms = bounded(usual.ms * factor)
      for (const [index, ms] of usual.first.entries()) usual.first[index] = bounded(ms * factor)
    }
  }

  get sizes(): number {
    return this.#usual.size
  }
}

interface Usual {
  ms: number
  /** Until the size is known: one of them that is far off does not decide. */
  readonly first: number[]
}

/** What one call counts for a size that is known. */
export const learnRate = 0.1
/** Calls after which a size is known. */
const firstCalls = 8
/** Two classes for each doubling, up to 2^20 tokens: within one, prompts differ by a factor of 1.4. */
export const sizeClasses = 41
const msMin = 1e-6
const msMax = 1e9

const bounded = (ms: number): number => Math.max(msMin, Math.min(msMax, ms))

/** The middle one, the lower of two; 1 of none. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 1

const sizeClass = (tokens: number): number =>
  tokens > 1 ? Math.min(sizeClasses - 1, Math.round(2 * Math.log2(tokens))) : 0
