import type { Action, Direction } from '../redaction/finding.ts'
import type { Recognizer, Tier } from '../redaction/recognizer.ts'
import { globMatches } from './glob.ts'
import { type Preset, type PresetName, presets } from './preset.ts'

/** What a profile knows of a recognizer. */
export type Kind = Pick<Recognizer, 'entity' | 'category' | 'tier'>

/** One action for all tiers up to the profile's `tierMax`, or an action for each tier that is named. */
export type TierActions = Action | { readonly [T in `${Tier}`]?: Action | undefined }

/** The most specific setting counts: entity before category before default. */
export interface DirectionRules {
  /** For the kinds that the preset selects; `mask` where it is left out. */
  readonly default?: TierActions | undefined
  readonly categories?: Readonly<Partial<Record<string, TierActions>>> | undefined
  readonly entities?: Readonly<Partial<Record<string, TierActions>>> | undefined
}

/** Literal values that are always found, by a label of their own. */
export interface DenyList {
  readonly label: string
  readonly action: Action
  readonly values: readonly string[]
}

/** Where pseudonyms are turned back into what the caller wrote. */
export interface RestoreRules {
  /** In what the caller reads. */
  readonly replies: boolean
  /** In the arguments of these tools (globs): whoever runs them gets the values. */
  readonly tools: 'none' | readonly string[]
}

/** Whether hints at prompt injection in prompts are counted; nothing is done about them. */
export type InjectionMode = 'off' | 'signal'

/** A profile as the configuration has it. */
export interface ProfileRules {
  readonly preset?: PresetName | undefined
  readonly tierMax?: number | undefined
  readonly scoreMin?: number | undefined
  readonly allowed?: readonly string[] | undefined
  readonly denied?: readonly DenyList[] | undefined
  readonly restore?: RestoreRules | undefined
  readonly injection?: InjectionMode | undefined
  readonly prompt?: DirectionRules | undefined
  readonly reply?: DirectionRules | undefined
}

/** What is done to the data of a call. One profile, or the strictest mixture of several. */
export interface Profile {
  readonly name: string
  actionOf(direction: Direction, kind: Kind): Action
  /** What is done with the values of a deny list, by the list itself; nothing, when it is another profile's. */
  denyActionOf(list: DenyList): Action
  readonly denied: readonly DenyList[]
  /** Values that are no findings, in lower case. */
  readonly allowed: ReadonlySet<string>
  readonly scoreMin: number
  readonly injection: InjectionMode
  restores(place: 'reply' | { readonly tool: string }): boolean
  /** Entities that the rules name: all others of a category and tier are treated alike. */
  readonly named: readonly string[]
  /** Replies leave as they came, event by event: nothing looks for anything in them, and nothing is turned back. */
  readonly passesReplies: boolean
}

export const directions = ['prompt', 'reply'] as const satisfies readonly Direction[]
export const tiers = [1, 2, 3] as const satisfies readonly Tier[]

export const scoreMinDefault = 0.5
export const injectionDefault: InjectionMode = 'signal'
export const restoreDefault: RestoreRules = { replies: true, tools: 'none' }

const own = <Value>(from: Readonly<Partial<Record<string, Value>>> | undefined, key: string) =>
  from !== undefined && Object.hasOwn(from, key) ? from[key] : undefined

/** The name in a profile for what its rules do not name; no entity can be called so. */
const unnamed = '*'

/** Every kind that rules with these names could tell apart. */
export function* kindsNaming(entities: readonly string[]): Generator<Kind> {
  for (const entity of [...entities, unnamed])
    for (const category of presets.strict.categories)
      for (const tier of tiers) yield { entity, category, tier }
}

class SingleProfile implements Profile {
  readonly name: string
  readonly #rules: ProfileRules
  readonly #preset: Preset
  readonly #tierMax: number
  readonly named: readonly string[]
  readonly allowed: ReadonlySet<string>

  constructor(name: string, rules: ProfileRules) {
    this.name = name
    this.#rules = rules
    this.#preset = presets[rules.preset ?? 'standard']
    this.#tierMax = rules.tierMax ?? this.#preset.tierMax
    this.named = [
      ...new Set(directions.flatMap((direction) => Object.keys(rules[direction]?.entities ?? {}))),
    ]
    this.allowed = new Set(rules.allowed?.map((value) => value.toLowerCase()))
  }

  actionOf(direction: Direction, { entity, category, tier }: Kind): Action {
    const rules = this.#rules[direction]
    const named =
      this.#ofTier(own(rules?.entities, entity), tier) ?? this.#ofTier(own(rules?.categories, category), tier)
    if (named !== undefined) return named
    if (!this.#preset.categories.includes(category)) return 'allow'
    return this.#ofTier(rules?.default, tier) ?? (tier <= this.#tierMax ? 'mask' : 'allow')
  }

  #ofTier(setting: TierActions | undefined, tier: Tier): Action | undefined {
    if (typeof setting === 'string') return tier <= this.#tierMax ? setting : undefined
    return setting?.[`${tier}`]
  }

  get denied(): readonly DenyList[] {
    return this.#rules.denied ?? []
  }

  denyActionOf(list: DenyList): Action {
    return this.denied.includes(list) ? list.action : 'allow'
  }

  get scoreMin(): number {
    return this.#rules.scoreMin ?? scoreMinDefault
  }

  get injection(): InjectionMode {
    return this.#rules.injection ?? injectionDefault
  }

  restores(place: 'reply' | { readonly tool: string }): boolean {
    const { replies, tools } = this.#rules.restore ?? restoreDefault
    if (place === 'reply') return replies
    return tools !== 'none' && tools.some((glob) => globMatches(glob, place.tool))
  }

  get passesReplies(): boolean {
    return passesRepliesOf(this)
  }
}

/** Scanning alone delays text, and turning pseudonyms back moves it: then logprobs would belong to other text. */
export function passesRepliesOf(profile: Omit<Profile, 'passesReplies'>): boolean {
  const kinds = [...kindsNaming(profile.named)]
  const makesPseudonyms =
    kinds.some((kind) => profile.actionOf('prompt', kind) === 'pseudonymize') ||
    profile.denied.some((list) => profile.denyActionOf(list) === 'pseudonymize')
  return (
    kinds.every((kind) => profile.actionOf('reply', kind) === 'allow') &&
    profile.denied.every((list) => profile.denyActionOf(list) === 'allow') &&
    !makesPseudonyms
  )
}

/** Makes the rules of one profile ready to be asked. */
export const openProfile = (name: string, rules: ProfileRules): Profile => new SingleProfile(name, rules)
