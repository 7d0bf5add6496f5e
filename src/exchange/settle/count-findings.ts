import type { Direction, FindingTally, Found } from '../../redaction/finding.ts'
import type { Located, Place } from '../located-findings.ts'

/** A type and no interface: only then it is a value of a record. */
export type DirectedTally = Readonly<Pick<FindingTally, 'entity' | 'action' | 'count'>> & {
  readonly direction: Direction
}

/** Findings by entity and action: what a metric may know of them. */
export const countFindings = (direction: Direction, found: Found | undefined): DirectedTally[] =>
  (found?.tallies ?? []).map(({ entity, action, count }) => ({ entity, direction, action, count }))

/** Kinds of findings that one record tells apart: a prompt can be made of every kind there is. */
const recordedTalliesMax = 40
const rest = '_other'

/** The same for a record, in bounded space: the most frequent kinds, and the sum of the others by action. */
export function recordFindings(direction: Direction, found: Found | undefined): DirectedTally[] {
  const tallies = countFindings(direction, found).sort((a, b) => b.count - a.count)
  const sums = new Map<DirectedTally['action'], number>()
  for (const { action, count } of tallies.slice(recordedTalliesMax))
    sums.set(action, (sums.get(action) ?? 0) + count)
  const others = [...sums].map(([action, count]) => ({ entity: rest, direction, action, count }))
  return [...tallies.slice(0, recordedTalliesMax), ...others]
}

/** Where values stood and how long they were; never what they were. */
export const recordPlaces = (found: Located | undefined): Place[] =>
  (found?.places ?? []).map((place) => ({ ...place }))
