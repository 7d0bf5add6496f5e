/** What is done with an entity; the same words as in redaction/finding.ts. */
export type ProfileAction = 'mask' | 'block' | 'allow'

export interface DirectionRules {
  /** For every entity that is not listed. */
  readonly default: ProfileAction
  readonly entities?: Readonly<Record<string, ProfileAction>> | undefined
}

export interface ProfileRules {
  readonly prompt: DirectionRules
  readonly reply: DirectionRules
}

export type Profiles = Readonly<Record<string, ProfileRules>>

/** Stands between the names of profiles in a merged name; no name of a single profile holds it. */
const JOINT = '+'

const strictness: Readonly<Record<ProfileAction, number>> = { allow: 0, mask: 1, block: 2 }
const stricter = (a: ProfileAction, b: ProfileAction): ProfileAction =>
  strictness[a] >= strictness[b] ? a : b

/** What a profile does with an entity. */
export const actionFor = ({ default: otherwise, entities }: DirectionRules, entity: string): ProfileAction =>
  entities !== undefined && Object.hasOwn(entities, entity) ? (entities[entity] as ProfileAction) : otherwise

/** For each entity and direction the stricter of the two: block before mask before allow. */
const mergeTwo = (a: ProfileRules, b: ProfileRules): ProfileRules => ({
  prompt: mergeDirections(a.prompt, b.prompt),
  reply: mergeDirections(a.reply, b.reply),
})

const mergeDirections = (a: DirectionRules, b: DirectionRules): DirectionRules => ({
  default: stricter(a.default, b.default),
  entities: Object.fromEntries(
    entitiesOf(a, b).map((entity) => [entity, stricter(actionFor(a, entity), actionFor(b, entity))]),
  ),
})

const entitiesOf = (...directions: readonly DirectionRules[]): string[] => [
  ...new Set(directions.flatMap(({ entities }) => Object.keys(entities ?? {}))),
]

/** Whether `a` is nowhere milder than `b`. */
const covers = (a: ProfileRules, b: ProfileRules): boolean =>
  (['prompt', 'reply'] as const).every(
    (direction) =>
      strictness[a[direction].default] >= strictness[b[direction].default] &&
      entitiesOf(a[direction], b[direction]).every(
        (entity) =>
          strictness[actionFor(a[direction], entity)] >= strictness[actionFor(b[direction], entity)],
      ),
  )

/**
 * The name of the strictest mixture of some profiles: one name when one profile is at least as strict as all others
 * everywhere, else the names of those that no other one covers, sorted and joined by `+`.
 */
export function mergedName(profiles: Profiles, names: readonly string[]): string {
  const sorted = [...new Set(names)].sort()
  const kept = sorted.filter(
    (name, index) => !sorted.some((other, at) => replaces(profiles, [other, at], [name, index])),
  )
  return kept.join(JOINT)
}

/** Of two profiles that are equally strict the first by name stays. */
const replaces = (
  profiles: Profiles,
  [other, at]: readonly [string, number],
  [name, index]: readonly [string, number],
): boolean =>
  at !== index &&
  covers(profileOf(profiles, other), profileOf(profiles, name)) &&
  (at < index || !covers(profileOf(profiles, name), profileOf(profiles, other)))

/** The rules behind a name that a permit carries, merged or not: for each entity the strictest of the profiles. */
export const mergeProfiles = (profiles: Profiles, name: string): ProfileRules =>
  name
    .split(JOINT)
    .map((part) => profileOf(profiles, part))
    .reduce(mergeTwo)

function profileOf(profiles: Profiles, name: string): ProfileRules {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  // The configuration was checked: a name that leads nowhere is our own fault, and must not pass text unscreened.
  if (profile === undefined) throw new Error(`no redaction profile named ${name}`)
  return profile
}

/** Whether replies leave untouched whatever they hold. */
export const passesReplies = ({ reply }: ProfileRules): boolean =>
  reply.default === 'allow' && Object.values(reply.entities ?? {}).every((action) => action === 'allow')
