// The middle and the ends of what was measured. NaN stands for what could not be measured: it is in no figure silently, so a
// figure of nothing, or of anything that is NaN, is NaN.

export interface Quantiles {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Of many values (latencies): the smallest one that at least `share` (0 to 1) of all are at most (nearest rank). */
export const quantile = (values: readonly number[], share: number): number => at(ascending(values), share)

/** Quantiles as `quantile` takes them; `max` is the largest. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = ascending(values)
  return { count: sorted.length, p50: at(sorted, 0.5), p99: at(sorted, 0.99), max: at(sorted, 1) }
}

/** Of few values (rounds): the one in the middle, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values)
  const [low, high] = [at(sorted, 0.5), sorted[Math.floor(sorted.length / 2)] ?? Number.NaN]
  return sorted.length % 2 === 1 ? low : (low + high) / 2
}

/** NaN is last. */
const ascending = (values: readonly number[]): Float64Array => Float64Array.from(values).sort()

function at(sorted: Float64Array, share: number): number {
  if (Number.isNaN(sorted.at(-1))) return Number.NaN
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
