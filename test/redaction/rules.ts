import type { Action, Direction, RuleSet } from '../../src/redaction/finding.ts'
import type { Recognizer } from '../../src/redaction/recognizer.ts'
import { createRuleSet } from '../../src/redaction/rule-set.ts'

export interface TestProfile {
  readonly direction?: Direction
  /** Action by entity. */
  readonly actions?: Readonly<Record<string, Action>>
  /** Action of every other entity of the standard preset. */
  readonly default?: Action
}

/** What proves itself, but for names: the preset of the standard profile. */
export const isStandard = ({ tier, category }: Recognizer): boolean => tier < 3 && category !== 'name'

/** A rule set over the catalog, by entity; what the standard preset leaves alone is allowed. */
export function rulesOf({
  direction = 'reply',
  actions = {},
  default: otherwise = 'mask',
}: TestProfile): RuleSet {
  const actionOf = (recognizer: Recognizer): Action =>
    actions[recognizer.entity] ?? (isStandard(recognizer) ? otherwise : 'allow')
  return createRuleSet({ name: 'test', direction, policyOf: actionOf })
}
