export interface Quantiles {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Nearest-rank quantiles; NaN where there are no numbers. */
export function quantiles(numbers: readonly number[]): Quantiles {
  const sorted = Float64Array.from(numbers).sort()
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? Number.NaN
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

export const median = (numbers: readonly number[]): number => quantiles(numbers).p50
