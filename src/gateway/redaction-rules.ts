import type { ProfileRules } from '../exchange/parts.ts'
import { actionFor, mergeProfiles, type Profiles } from '../policy/profile.ts'
import type { Direction } from '../redaction/finding.ts'
import { createRuleSet, entities } from '../redaction/rule-set.ts'

/** The rule sets behind every profile name that a permit can carry, merged names included; each is made once. */
export function redactionRules(profiles: Profiles): { rulesFor(profile: string): ProfileRules } {
  const made = new Map<string, ProfileRules>()
  return {
    rulesFor(profile) {
      const known = made.get(profile)
      if (known) return known
      const rules = {
        prompt: ruleSet(profiles, profile, 'prompt'),
        reply: ruleSet(profiles, profile, 'reply'),
      }
      made.set(profile, rules)
      return rules
    },
  }
}

function ruleSet(profiles: Profiles, name: string, direction: Direction) {
  const rules = mergeProfiles(profiles, name)[direction]
  const actions = Object.fromEntries(entities.map((entity) => [entity, actionFor(rules, entity)]))
  return createRuleSet({ name, direction, actions, default: rules.default })
}
