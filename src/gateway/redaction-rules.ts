import type { ProfileRules } from '../exchange/parts.ts'
import { actionFor, mergeProfiles, type Profiles } from '../policy/profile.ts'
import type { Direction } from '../redaction/finding.ts'
import { createRuleSet, entities } from '../redaction/rule-set.ts'

/**
 * The rule sets behind every profile name that a permit can carry; each is made once. The profiles themselves are made
 * here and now, because the first scan compiles the recognizers, and no caller should wait for that.
 */
export function redactionRules(profiles: Profiles): { rulesFor(profile: string): ProfileRules } {
  const made = new Map<string, ProfileRules>()
  const rulesFor = (profile: string): ProfileRules => {
    const known = made.get(profile)
    if (known) return known
    const prompt = ruleSet(profiles, profile, 'prompt')
    const rules = { prompt, reply: ruleSet(profiles, profile, 'reply') }
    made.set(profile, rules)
    return rules
  }
  for (const name of Object.keys(profiles)) rulesFor(name).prompt.screen('warm')
  return { rulesFor }
}

function ruleSet(profiles: Profiles, name: string, direction: Direction) {
  const rules = mergeProfiles(profiles, name)[direction]
  const actions = Object.fromEntries(entities.map((entity) => [entity, actionFor(rules, entity)]))
  return createRuleSet({ name, direction, actions, default: rules.default })
}
