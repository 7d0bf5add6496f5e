/**
 * Names that configuration made known and that may therefore become label values or stand in a log line.
 *
 * Invariants
 * 1. A name that was never learned folds to `_other`, so what a caller sends never becomes a label or a log field.
 * 2. A kind holds at most `namesMax` names over the life of the process; names beyond that fold to `_other`.
 * 3. A learned name stays known: an exchange that began before a reload is still counted under its own model.
 */
export const nameKinds = ['model', 'pool', 'issuer', 'entity', 'reason', 'limit'] as const
export type NameKind = (typeof nameKinds)[number]

/** The value that stands for everything outside a closed set. */
export const other = '_other'

export const namesMax = 200
const nameLengthMax = 200

export class KnownNames {
  readonly #known: Readonly<Record<NameKind, Set<string>>> = {
    model: new Set(),
    pool: new Set(),
    issuer: new Set(),
    entity: new Set(),
    reason: new Set(),
    limit: new Set(),
  }

  /** Adds names of one kind, at start and at each reload. Returns how many did not fit and will fold. */
  learn(kind: NameKind, names: Iterable<string>): number {
    const set = this.#known[kind]
    let left = 0
    for (const name of names) {
      if (set.has(name)) continue
      if (set.size >= namesMax || name.length > nameLengthMax || name === other) left++
      else set.add(name)
    }
    return left
  }

  /** The name itself when it is known, else `_other`. */
  fold(kind: NameKind, name: unknown): string {
    return typeof name === 'string' && this.#known[kind].has(name) ? name : other
  }

  size(kind: NameKind): number {
    return this.#known[kind].size
  }
}
