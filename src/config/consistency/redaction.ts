import type { Kind, Profile } from '../../policy/profile.ts'
import type { Action, Direction } from '../../redaction/finding.ts'
import { error, type Finding, list, type Path, quote, warning } from '../problem.ts'
import type { ProfileConfig, RedactionConfig } from '../schema/redaction.ts'
import type { Knowledge } from '../sections.ts'
import { analyzerFindings } from './analyzer.ts'

const directions = ['prompt', 'reply'] as const satisfies readonly Direction[]

/** Literals of a whole file: each is a part of an automaton that is made anew at every reload. */
const LITERALS_MAX = 2_000

type Config = Pick<RedactionConfig, 'profiles' | 'recognizers' | 'pseudonyms' | 'recognizerService'>

/** What is found, by whom: a recognizer service is asked about prompts only. */
interface Kinds {
  readonly ofRules: readonly Kind[]
  readonly ofService: readonly Kind[]
}

const kindsIn = ({ ofRules, ofService }: Kinds, direction: Direction): readonly Kind[] =>
  direction === 'prompt' ? [...ofRules, ...ofService] : ofRules

/** Rules that would protect nothing, promise what they cannot keep, or find what they should not. */
export function redactionFindings(config: Config, knowledge: Knowledge): Finding[] {
  const customs = Object.entries(config.recognizers ?? {})
  const own = customs.map(([, { entity, category, tier }]) => ({ entity, category, tier }) as Kind)
  const ofRules = [...knowledge.kinds, ...own]
  const { recognizerService: service, profiles } = config
  const ofService = (service?.entities ?? []).map((entity) => knowledge.recognizedKind(entity, ofRules))
  const kinds: Kinds = { ofRules, ofService }
  const opened = Object.entries(profiles).map(([name, rules]) => knowledge.openProfile(name, rules))
  return [
    ...customFindings(config, knowledge),
    ...analyzerFindings(service, { kinds: ofService, profiles: opened, knowledge }),
    ...Object.entries(profiles).flatMap(([name, rules]) => [
      ...entityFindings(name, rules, kinds),
      ...denyFindings(name, rules, knowledge),
      ...actionFindings(name, rules, { kinds, config, knowledge }),
    ]),
    ...unusedFindings(config, own, opened),
  ]
}

function customFindings({ recognizers = {}, profiles }: Config, knowledge: Knowledge): Finding[] {
  const faults = knowledge
    .recognizerFaults(recognizers)
    .map(({ path, message }) => error('redaction', ['recognizers', ...path], message))
  const lists = [
    ...Object.values(recognizers).map(({ literals = [] }) => literals),
    ...Object.values(profiles).flatMap(({ denied = [] }) => denied.map(({ values }) => values)),
  ]
  const literals = lists.reduce((sum, { length }) => sum + length, 0)
  if (literals <= LITERALS_MAX) return faults
  return [
    ...faults,
    error('redaction', [], `has ${literals} literals and denied values; ${LITERALS_MAX} are allowed in all`),
  ]
}

/** Entities that no recognizer finds: a rule for one of them would protect nothing. */
const entityFindings = (name: string, profile: ProfileConfig, kinds: Kinds): Finding[] =>
  directions.flatMap((direction) => {
    const known = new Set(kindsIn(kinds, direction).map(({ entity }) => entity))
    const isAsked = (entity: string) => kinds.ofService.some((kind) => kind.entity === entity)
    return Object.keys(profile[direction].entities ?? {})
      .filter((entity) => !known.has(entity))
      .map((entity) =>
        error(
          'redaction',
          ['profiles', name, direction, 'entities', entity],
          isAsked(entity)
            ? `${quote(entity)} is found by the recognizer service alone, which is asked about prompts only`
            : `${quote(entity)} is not an entity that is recognized; entities are: ${list(known)}`,
        ),
      )
  })

const denyFindings = (name: string, { denied = [] }: ProfileConfig, knowledge: Knowledge): Finding[] =>
  knowledge
    .denyListFaults(denied.map(({ values }) => values))
    .map(({ path, message }) => error('redaction', ['profiles', name, 'denied', ...path], message))

interface Surroundings {
  readonly kinds: Kinds
  readonly config: Config
  readonly knowledge: Knowledge
}

/** What is said of `pseudonymize` and `hash`: that there is a key, and that no secret is made to come back. */
function actionFindings(
  name: string,
  rules: ProfileConfig,
  { kinds, config, knowledge }: Surroundings,
): Finding[] {
  const profile = knowledge.openProfile(name, rules)
  const used = directions.flatMap((direction): Action[] =>
    kindsIn(kinds, direction).map((kind) => profile.actionOf(direction, kind)),
  )
  const path: Path = ['profiles', name]
  const keyed = new Set(
    [...used, ...profile.denied.map(({ action }) => action)].filter(
      (action) => action === 'pseudonymize' || action === 'hash',
    ),
  )
  const findings: Finding[] = []
  if (keyed.size > 0 && config.pseudonyms === undefined)
    findings.push(
      error(
        'redaction',
        path,
        `uses ${list(keyed)}, which needs a key: write 32 random bytes to a file (openssl rand -base64 32) and name it in pseudonyms.keyFile`,
      ),
    )
  return [...findings, ...secretFindings(path, rules, profile, kinds)]
}

/** The rule that makes pseudonyms of secrets, by its place where one rule alone does. */
function secretFindings(path: Path, rules: ProfileConfig, profile: Profile, kinds: Kinds): Finding[] {
  return directions.flatMap((direction) => {
    const secret = kindsIn(kinds, direction).find(
      (kind) => kind.category === 'secret' && profile.actionOf(direction, kind) === 'pseudonymize',
    )
    if (secret === undefined) return []
    const { entities, categories, default: otherwise } = rules[direction]
    const place: Path =
      entities?.[secret.entity] !== undefined
        ? ['entities', secret.entity]
        : categories?.secret !== undefined
          ? ['categories', 'secret']
          : otherwise === undefined
            ? []
            : ['default']
    return [
      error(
        'redaction',
        [...path, direction, ...place],
        `would pseudonymize ${quote(secret.entity)}, a secret, which must never come back; use mask, hash or block (e.g. categories: {secret: mask})`,
      ),
    ]
  })
}

/** A recognizer of one's own that every profile allows finds nothing. */
function unusedFindings(
  { recognizers = {} }: Config,
  own: readonly Kind[],
  opened: readonly Profile[],
): Finding[] {
  return Object.keys(recognizers).flatMap((name, index) => {
    const kind = own[index] as Kind
    const isUsed = opened.some((profile) =>
      directions.some((direction) => profile.actionOf(direction, kind) !== 'allow'),
    )
    return isUsed
      ? []
      : [
          warning(
            'redaction',
            ['recognizers', name],
            `finds nothing: every profile allows ${kind.entity} (category ${kind.category}, tier ${kind.tier})`,
          ),
        ]
  })
}
