import type { Direction, FindingTally, Found } from '../../redaction/finding.ts'

/** A type and no interface: only then it is a value of a record. */
export type DirectedTally = Readonly<Pick<FindingTally, 'entity' | 'action' | 'count'>> & {
  readonly direction: Direction
}

/** Findings by entity and action: what a record and a metric may know of them. */
export const countFindings = (direction: Direction, found: Found | undefined): DirectedTally[] =>
  (found?.tallies ?? []).map(({ entity, action, count }) => ({ entity, direction, action, count }))
