/** Arithmetic of what was measured side by side. */
import { median } from '../../driver/quantiles.ts'

/**
 * Median over rounds of `own / other`: both sides of a ratio are of one round, and a round that one side lacks does not
 * count. Keys are rounds.
 */
export function ratio(own: ReadonlyMap<number, number>, other: ReadonlyMap<number, number>): number {
  const rounds = [...own.keys()].filter((round) => other.has(round))
  return median(rounds.map((round) => (own.get(round) as number) / (other.get(round) as number)))
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
