import type { KeyObject } from 'node:crypto'
import type { ProfileRules as ExchangeRules } from '../exchange/parts.ts'
import type { DenyList, Kind, Profile, ProfileRules } from '../policy/profile.ts'
import { Profiles } from '../policy/profiles.ts'
import { recognizedKind } from '../policy/recognized-kind.ts'
import { strictest } from '../policy/strictness.ts'
import { recognizers as catalog } from '../redaction/catalog.ts'
import { type CustomRecognizer, customRecognizer, denyListRecognizer } from '../redaction/custom.ts'
import type { Action, Direction } from '../redaction/finding.ts'
import { foldedText } from '../redaction/literal.ts'
import type { Recognizer } from '../redaction/recognizer.ts'
import { entityTraits } from '../redaction/replacement/entity-traits.ts'
import { lookAlike } from '../redaction/replacement/look-alike.ts'
import { Replacement } from '../redaction/replacement/replacement.ts'
import { createRuleSet } from '../redaction/rule-set.ts'

/** The configuration's own type fits. */
export interface RedactionRules {
  readonly profiles: Readonly<Record<string, ProfileRules>>
  readonly recognizers?: Readonly<Record<string, CustomRecognizer>> | undefined
  readonly recognizerService?: { readonly entities: readonly string[] } | undefined
}

/** What is found beside the catalog: the same for all profiles, so that it is compiled once. */
interface Additions {
  readonly recognizers: readonly Recognizer[]
  readonly denyListOf: ReadonlyMap<Recognizer, DenyList>
  /** What a recognizer service is asked for. */
  readonly recognized: readonly Kind[]
}

function additionsOf(
  { profiles, recognizers = {}, recognizerService }: RedactionRules,
  opened: Profiles,
): Additions {
  const denyListOf = new Map<Recognizer, DenyList>()
  for (const [name, { denied = [] }] of Object.entries(profiles))
    for (const [index, list] of denied.entries())
      denyListOf.set(denyListRecognizer(`denied-${name}-${index}`, list.label, list.values), list)
  const customs = Object.entries(recognizers).map(([name, custom]) => customRecognizer(name, custom))
  const kinds = [...catalog, ...customs]
  const recognized = (recognizerService?.entities ?? []).map((entity) => recognizedKind(entity, kinds))
  const found = { recognizers: [...denyListOf.keys(), ...customs], denyListOf, recognized }
  const needsLookAlike = opened.names.some((name) => makesPseudonyms(opened.named(name), found))
  return needsLookAlike ? { ...found, recognizers: [lookAlike, ...found.recognizers] } : found
}

/** What a profile does with what a recognizer finds. */
function actionOf(
  profile: Profile,
  direction: Direction,
  recognizer: Recognizer,
  denyListOf: Additions['denyListOf'],
) {
  const list = denyListOf.get(recognizer)
  return list === undefined ? profile.actionOf(direction, recognizer) : profile.denyActionOf(list)
}

const makesPseudonyms = (profile: Profile, { recognizers, denyListOf, recognized }: Additions): boolean =>
  recognized.some((kind) => profile.actionOf('prompt', kind) === 'pseudonymize') ||
  [...catalog, ...recognizers].some(
    (each) => each !== lookAlike && actionOf(profile, 'prompt', each, denyListOf) === 'pseudonymize',
  )

/**
 * What a profile does with what a recognizer service names; nothing when it allows all that the service is asked for.
 * What it was not asked for is treated by the strictest of these actions: nobody knows what it is.
 */
function recognizedAction(
  profile: Profile,
  recognized: readonly Kind[],
): ((entity: string) => Action) | undefined {
  const actions = new Map(recognized.map((kind) => [kind.entity, profile.actionOf('prompt', kind)]))
  const other = strictest([...actions.values()])
  return other === 'allow' ? undefined : (entity) => actions.get(entity) ?? other
}

/**
 * The rule sets behind every profile name that a permit can carry; each is made once. The profiles themselves are made
 * here and now, because the first scan compiles the recognizers, and no caller should wait for that.
 */
export function redactionRules(
  rules: RedactionRules,
  key?: KeyObject,
): { rulesFor(profile: string): ExchangeRules } {
  const profiles = new Profiles(rules.profiles)
  const additions = additionsOf(rules, profiles)
  const traits = entityTraits([...catalog, ...additions.recognizers])
  const made = new Map<string, ExchangeRules>()
  const rulesFor = (name: string): ExchangeRules => {
    const known = made.get(name)
    if (known) return known
    const profile = profiles.named(name)
    const prompt = ruleSet(profile, 'prompt', additions)
    const reply = ruleSet(profile, 'reply', additions)
    const opened: ExchangeRules = {
      prompt,
      reply,
      restores: (place) => profile.restores(place),
      injection: profile.injection,
      replacementFor: (tenant) => new Replacement(key, tenant, traits),
      recognizedAction: recognizedAction(profile, additions.recognized),
    }
    made.set(name, opened)
    return opened
  }
  for (const name of profiles.names) rulesFor(name).prompt.screen('warm')
  return { rulesFor }
}

function ruleSet(profile: Profile, direction: Direction, additions: Additions) {
  const lookAlikes: Action =
    direction === 'prompt' && makesPseudonyms(profile, additions) ? 'pseudonymize' : 'allow'
  return createRuleSet({
    name: profile.name,
    direction,
    custom: additions.recognizers,
    policyOf: (each) =>
      each === lookAlike ? lookAlikes : actionOf(profile, direction, each, additions.denyListOf),
    scoreMin: profile.scoreMin,
    allowed: new Set([...profile.allowed].map((value) => foldedText(value).toLowerCase())),
  })
}
