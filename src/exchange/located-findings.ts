import type { Action, Finding, FindingTally, Found } from '../redaction/finding.ts'
import { FoundList } from '../redaction/found.ts'

/** Where one value stood, for the audit record. A type and no interface: only then it is a value of a record. */
export type Place = Readonly<{ entity: string; action: Action; path: string; length: number }>

/** Findings with the field in which each was. */
export interface Located extends Found {
  readonly places: readonly Place[]
}

/** Places that are kept, the first ones; tallies count all. A record has a bound, and so has what a caller may fill it with. */
export const placesMax = 20
const pathUnitsMax = 96

export class LocatedFindings implements Located {
  readonly places: Place[] = []
  readonly #found = new FoundList()

  get findings(): readonly Finding[] {
    return this.#found.findings
  }

  get tallies(): readonly FindingTally[] {
    return this.#found.tallies
  }

  /** Takes over what was found in the field at `path`. */
  addAll(path: string, found: Found): void {
    for (const { entity, action, start, end } of found.findings) {
      if (this.places.length >= placesMax) break
      this.places.push({ entity, action, path: path.slice(0, pathUnitsMax), length: end - start })
    }
    this.#found.addAll(found)
  }
}
