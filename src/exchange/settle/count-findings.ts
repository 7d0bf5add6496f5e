import type { Action, Direction, Finding } from '../../redaction/finding.ts'

export type FindingTally = {
  readonly entity: string
  readonly direction: Direction
  readonly action: Action
  readonly count: number
}

/** Findings by entity and action: what a record and a metric may know of them. */
export function countFindings(direction: Direction, findings: readonly Finding[]): FindingTally[] {
  const tallies = new Map<string, FindingTally>()
  for (const { entity, action } of findings) {
    const key = `${entity}/${action}`
    tallies.set(key, { entity, direction, action, count: (tallies.get(key)?.count ?? 0) + 1 })
  }
  return [...tallies.values()]
}
