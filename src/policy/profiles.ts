import type { Action, Direction } from '../redaction/finding.ts'
import {
  type DenyList,
  directions,
  type InjectionMode,
  type Kind,
  kindsNaming,
  openProfile,
  type Profile,
  type ProfileRules,
  passesRepliesOf,
} from './profile.ts'
import { strictest, strictnessOf } from './strictness.ts'

/** Stands between the names of profiles in a merged name; no name of a single profile holds it. */
const JOINT = '+'

/** Merged names that are kept; a caller's roles are configured names, so there are few mixtures. */
const MIXTURES_MAX = 1_024

/** Several profiles at once: for each kind and direction, and for everything else, the strictest of them. */
class MixedProfile implements Profile {
  readonly name: string
  readonly #parts: readonly Profile[]
  readonly named: readonly string[]
  readonly allowed: ReadonlySet<string>
  readonly denied: readonly DenyList[]
  readonly scoreMin: number
  readonly injection: InjectionMode

  constructor(name: string, parts: readonly [Profile, ...Profile[]]) {
    this.name = name
    this.#parts = parts
    this.named = [...new Set(parts.flatMap(({ named }) => named))]
    this.allowed = parts.map(({ allowed }) => allowed).reduce((a, b) => a.intersection(b))
    this.denied = parts.flatMap(({ denied }) => denied)
    this.scoreMin = Math.min(...parts.map(({ scoreMin }) => scoreMin))
    this.injection = parts.some(({ injection }) => injection === 'signal') ? 'signal' : 'off'
  }

  actionOf(direction: Direction, kind: Kind): Action {
    return strictest(this.#parts.map((part) => part.actionOf(direction, kind)))
  }

  denyActionOf(list: DenyList): Action {
    return strictest(this.#parts.map((part) => part.denyActionOf(list)))
  }

  restores(place: Parameters<Profile['restores']>[0]): boolean {
    return this.#parts.every((part) => part.restores(place))
  }

  get passesReplies(): boolean {
    return passesRepliesOf(this)
  }
}

/** Whether `a` is nowhere milder than `b`. Says no rather than yes where only the catalog could tell. */
function covers(a: Profile, b: Profile, tools: readonly string[]): boolean {
  if (a.scoreMin > b.scoreMin || !a.allowed.isSubsetOf(b.allowed) || b.denied.length > 0) return false
  if (a.injection === 'off' && b.injection === 'signal') return false
  if (a.restores('reply') && !b.restores('reply')) return false
  if (tools.some((tool) => a.restores({ tool }) && !b.restores({ tool }))) return false
  for (const kind of kindsNaming([...new Set([...a.named, ...b.named])]))
    for (const direction of directions)
      if (strictnessOf(a.actionOf(direction, kind)) < strictnessOf(b.actionOf(direction, kind))) return false
  return true
}

/** All profiles of one policy, and their mixtures. */
export class Profiles {
  readonly #profiles: ReadonlyMap<string, Profile>
  /** Names of tools that tell the globs of the profiles apart: the globs themselves are names, too. */
  readonly #tools: readonly string[]
  readonly #names = new Map<string, string>()
  readonly #mixtures = new Map<string, Profile>()

  constructor(rules: Readonly<Record<string, ProfileRules>>) {
    this.#profiles = new Map(Object.entries(rules).map(([name, each]) => [name, openProfile(name, each)]))
    this.#tools = Object.values(rules).flatMap(({ restore }) =>
      restore === undefined || restore.tools === 'none' ? [] : restore.tools,
    )
  }

  get names(): readonly string[] {
    return [...this.#profiles.keys()]
  }

  /**
   * The name of the strictest mixture of some profiles: one name when one profile is at least as strict as all others
   * everywhere, else the names of those that no other one covers, sorted and joined by `+`.
   */
  mergedName(names: readonly string[]): string {
    const sorted = [...new Set(names)].sort()
    const asked = sorted.join(JOINT)
    const known = this.#names.get(asked)
    if (known !== undefined) return known
    const kept = sorted.filter(
      (name, index) => !sorted.some((other, at) => this.#replaces([other, at], [name, index])),
    )
    if (this.#names.size >= MIXTURES_MAX) this.#names.clear()
    this.#names.set(asked, kept.join(JOINT))
    return kept.join(JOINT)
  }

  /** Of two profiles that are equally strict the first by name stays. */
  #replaces([other, at]: readonly [string, number], [name, index]: readonly [string, number]): boolean {
    if (at === index) return false
    const [a, b] = [this.#single(other), this.#single(name)]
    return covers(a, b, this.#tools) && (at < index || !covers(b, a, this.#tools))
  }

  /** The profile behind a name that a permit carries, merged or not. */
  named(name: string): Profile {
    const known = this.#mixtures.get(name)
    if (known !== undefined) return known
    const [first, ...rest] = name.split(JOINT).map((part) => this.#single(part))
    const profile =
      rest.length === 0 ? (first as Profile) : new MixedProfile(name, [first as Profile, ...rest])
    if (this.#mixtures.size >= MIXTURES_MAX) this.#mixtures.clear()
    this.#mixtures.set(name, profile)
    return profile
  }

  #single(name: string): Profile {
    const profile = this.#profiles.get(name)
    // The configuration was checked: a name that leads nowhere is our own fault, and must not pass text unscreened.
    if (profile === undefined) throw new Error(`no redaction profile named ${name}`)
    return profile
  }
}
