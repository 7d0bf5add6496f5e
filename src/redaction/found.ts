import type { Finding, FindingTally, Found } from './finding.ts'

/** How many findings one list keeps with their places; the tallies count every one. */
export const findingsKeptMax = 256

interface GrowingTally extends FindingTally {
  count: number
}

/** Findings in bounded memory: the first ones with their places, all of them counted by entity and action. */
export class FoundList implements Found {
  readonly findings: Finding[] = []
  readonly #tallies = new Map<string, GrowingTally>()

  get tallies(): readonly FindingTally[] {
    return [...this.#tallies.values()]
  }

  add(finding: Finding): void {
    this.#keep(finding)
    this.#count(finding, 1)
  }

  /** Takes over what another list found. */
  addAll({ findings, tallies }: Found): void {
    for (const finding of findings) if (!this.#keep(finding)) break
    for (const tally of tallies) this.#count(tally, tally.count)
  }

  #keep(finding: Finding): boolean {
    if (this.findings.length >= findingsKeptMax) return false
    this.findings.push(finding)
    return true
  }

  #count({ entity, action }: Pick<Finding, 'entity' | 'action'>, count: number): void {
    const key = `${entity}/${action}`
    const tally = this.#tallies.get(key)
    if (tally === undefined) this.#tallies.set(key, { entity, action, count })
    else tally.count += count
  }
}
