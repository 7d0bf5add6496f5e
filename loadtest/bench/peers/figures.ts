/** Arithmetic of the benches: medians, quantiles, and ratios of what was measured side by side. */

/** The middle one, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  if (sorted.length % 2 === 1) return sorted[half] as number
  return ((sorted[half - 1] ?? Number.NaN) + (sorted[half] ?? Number.NaN)) / 2
}

/** The smallest value that at least `share` of all are at most; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** Median over rounds of `own / other`: both sides of a ratio are of one round. Keys are rounds. */
export function ratio(own: ReadonlyMap<number, number>, other: ReadonlyMap<number, number>): number {
  return median([...own].map(([round, value]) => value / (other.get(round) ?? Number.NaN)))
}

/**
 * What one more event costs: the difference between a long and a short stream over the difference of their events. What
 * a stream costs once (request, head, settlement) is in both and falls out.
 */
export function perEvent(
  long: { readonly perStream: number; readonly events: number },
  short: { readonly perStream: number; readonly events: number },
): number {
  return (long.perStream - short.perStream) / (long.events - short.events)
}
