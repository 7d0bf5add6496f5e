export interface Slope {
  /** Units of y for one unit of x. */
  readonly slope: number
  /** Half of the 95 % interval of the slope. */
  readonly plusMinus: number
}

/**
 * A line through the points by least squares; three points at least, at even distances. Memory goes up and down with
 * the garbage collector, so neighbors say the same thing twice: the interval counts so many points only as would be
 * independent by the correlation of neighbors.
 */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): Slope {
  const count = points.length
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / count
  const [x0, y0] = [mean(0), mean(1)]
  const sxx = points.reduce((sum, [x]) => sum + (x - x0) ** 2, 0)
  const slope = points.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0) / sxx
  const rests = points.map(([x, y]) => y - y0 - slope * (x - x0))
  const independent = Math.max(3, count * shareOf(rests))
  const variance = squares(rests) / (count - 2) / sxx
  const error = Math.sqrt((variance * (count - 2)) / Math.max(1, independent - 2))
  return { slope, plusMinus: studentOf(independent - 2) * error }
}

const squares = (numbers: readonly number[]): number => numbers.reduce((sum, rest) => sum + rest ** 2, 0)

/** (1 - r) / (1 + r) of the correlation of neighbors, at most 1. */
function shareOf(rests: readonly number[]): number {
  const both = rests.slice(1).reduce((sum, rest, index) => sum + rest * (rests[index] as number), 0)
  const all = squares(rests)
  const correlation = all === 0 ? 0 : Math.min(0.999, Math.max(0, both / all))
  return (1 - correlation) / (1 + correlation)
}

/** Student's factor for 95 %, two sides; exact at 1 (12.7) and for many, within 4 % between. */
const studentOf = (freedom: number): number =>
  1.96 + 2.4 / Math.max(1, freedom) + 8.35 / Math.max(1, freedom) ** 3
