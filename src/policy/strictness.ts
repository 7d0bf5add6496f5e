import type { Action } from '../redaction/finding.ts'

/**
 * Actions by how much of a value goes on, from all of it to nothing at all. `partial` shows four characters,
 * `pseudonymize` can be turned back by the gateway and `hash` by nobody, though both show that two values are the same;
 * `mask` shows the kind alone. Where several roles grant a call, the later in this list wins.
 */
export const actionsByStrictness = [
  'allow',
  'shadow',
  'partial',
  'pseudonymize',
  'hash',
  'mask',
  'block',
] as const satisfies readonly Action[]

const ranks = new Map<Action, number>(actionsByStrictness.map((action, rank) => [action, rank]))

export const strictnessOf = (action: Action): number => ranks.get(action) ?? actionsByStrictness.length

export const strictest = (actions: readonly Action[]): Action =>
  actions.reduce((a, b) => (strictnessOf(a) >= strictnessOf(b) ? a : b), 'allow')

/** Whether a value goes on as it came. */
export const leavesText = (action: Action): boolean => action === 'allow' || action === 'shadow'
