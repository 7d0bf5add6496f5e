import type { Action, Finding, Found } from '../finding.ts'
import type { Stretch } from './runs.ts'

/**
 * Yields texts to be scanned, is told what was found in them, and returns the findings in the whole. Yields `undefined`
 * where others may have a turn.
 */
export type Search<Result> = Generator<string | undefined, Result, Found>

export const rank: Readonly<Record<Action, number>> = {
  block: 3,
  mask: 2,
  partial: 2,
  pseudonymize: 2,
  hash: 2,
  shadow: 1,
  allow: 0,
}

export type Label = Pick<Finding, 'entity' | 'action' | 'recognizer'>

/** The gravest of what was found; what is allowed is nothing. */
export const gravest = <One extends Pick<Finding, 'action'>>(found: readonly One[]): One | undefined =>
  found.reduce<One | undefined>(
    (worst, one) => (rank[one.action] > (worst === undefined ? 0 : rank[worst.action]) ? one : worst),
    undefined,
  )

/** By its tallies: of the findings only the first are kept. */
export function labelFor({ findings, tallies }: Found): Label | undefined {
  const worst = gravest(tallies)
  if (worst === undefined) return undefined
  const { entity, action } = worst
  const first = findings.find((one) => one.entity === entity && one.action === action)
  return { entity, action, recognizer: first?.recognizer ?? unnamed }
}

const unnamed = 'encoded-text'

export const at = ({ start, end }: Stretch, { entity, action, recognizer }: Label): Finding => ({
  entity,
  recognizer,
  action,
  start,
  end,
})

/** In order, none over another. */
export function apart(found: readonly Finding[]): Finding[] {
  const kept: Finding[] = []
  for (const one of [...found].sort((a, b) => a.start - b.start || b.end - a.end))
    if (one.start >= (kept.at(-1)?.end ?? 0)) kept.push(one)
  return kept
}
