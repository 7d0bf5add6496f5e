import { type Static, type TProperties, Type } from 'typebox'
import type { PresetName } from '../../policy/preset.ts'
import type { InjectionMode } from '../../policy/profile.ts'
import type { Action } from '../../redaction/finding.ts'
import type { Category } from '../../redaction/recognizer.ts'
import { analyzer } from './analyzer.ts'
import { file, flag, integer, namedEntries, oneOf, section, sectionWithDefaults } from './field.ts'

/** The same lists as in src/policy, which this folder may know as types only; a test compares. */
export const actionNames = [
  'allow',
  'shadow',
  'partial',
  'pseudonymize',
  'hash',
  'mask',
  'block',
] as const satisfies readonly Action[]
export const categoryNames = [
  'secret',
  'payment',
  'identity',
  'contact',
  'network',
  'health',
  'name',
] as const satisfies readonly Category[]
export const injectionModes = ['off', 'signal'] as const satisfies readonly InjectionMode[]
export const presetNames = [
  'standard',
  'secrets',
  'pii',
  'pci',
  'phi',
  'strict',
] as const satisfies readonly PresetName[]

const ENTITY_PATTERN = '^[A-Z][A-Z0-9_]{0,63}$'
const ENTITY_EXPECTED = 'the name of an entity, e.g. EMAIL_ADDRESS'

const texts = (
  description: string,
  bounds: { readonly lengthMax: number; readonly entriesMax: number; readonly entriesMin?: number },
) =>
  Type.Array(Type.String({ minLength: 1, maxLength: bounds.lengthMax }), {
    description,
    minItems: bounds.entriesMin ?? 0,
    maxItems: bounds.entriesMax,
    uniqueItems: true,
  })

const share = (description: string) =>
  Type.Number({ description, minimum: 0, maximum: 1, expected: 'a number from 0 to 1, e.g. 0.5' })
const label = (description: string, options: { readonly default?: string } = {}) =>
  Type.String({ description, pattern: ENTITY_PATTERN, expected: ENTITY_EXPECTED, ...options })

type Actions = [...typeof actionNames]
const action = (description: string) => oneOf(description, actionNames)

const tierActions = (description: string) =>
  Type.Union(
    [
      Type.Enum<Actions>([...actionNames]),
      Type.Object(
        {
          1: Type.Optional(action('Of what a checksum, a prefix or a structure of its own proves.')),
          2: Type.Optional(action('Of what its shape and the words before it prove.')),
          3: Type.Optional(action('Of guesses.')),
        },
        { additionalProperties: false, minProperties: 1 },
      ),
    ],
    {
      description,
      expected: `an action (${actionNames.join(', ')}) or one for each tier, e.g. {1: block, 2: mask, 3: shadow}`,
      // What the branches are made of would fill the reference.
      oneRow: true,
    },
  )

const direction = (description: string) =>
  sectionWithDefaults(description, {
    default: Type.Optional(
      tierActions('What is done with what the preset selects and no other rule names. Left out: mask.'),
    ),
    categories: Type.Optional(
      namedEntries(
        'Category -> what is done with it, selected by the preset or not.',
        tierActions('What is done with it.'),
        {
          pattern: `^(?:${categoryNames.join('|')})$`,
          expected: `a category: ${categoryNames.join(', ')}`,
          entriesMax: categoryNames.length,
        },
      ),
    ),
    entities: Type.Optional(
      namedEntries(
        'Entity -> what is done with it; before the rule of its category.',
        tierActions('What is done with it.'),
        {
          pattern: ENTITY_PATTERN,
          expected: ENTITY_EXPECTED,
          entriesMax: 256,
        },
      ),
    ),
  })

const denyList = section('Values that are always found, in any case of letters.', {
  label: label('What stands in their place, and in metrics.', { default: 'DENY_LIST' }),
  action: oneOf('What is done with them, in both directions.', actionNames, { default: 'mask' }),
  values: texts('The values.', { lengthMax: 256, entriesMin: 1, entriesMax: 1_000 }),
})

const restore = sectionWithDefaults('Where pseudonyms are turned back into what the caller wrote.', {
  replies: flag('In what the caller reads: content, reasoning, refusals, citations.', { default: true }),
  tools: Type.Union(
    [
      Type.Array(
        Type.String({
          pattern: '^[A-Za-z0-9._:*-]{1,128}$',
        }),
        { minItems: 1, maxItems: 256, uniqueItems: true },
      ),
      Type.Literal('none'),
    ],
    {
      description:
        'In the arguments of these tools; * stands for any characters. Whoever runs them gets the values.',
      default: 'none',
      expected: 'a list of tool names or globs, e.g. ["send_mail"], or none',
    },
  ),
})

const profile = section('One way to treat sensitive data.', {
  preset: oneOf('The kinds of data that the profile begins with.', presetNames, { default: 'standard' }),
  tierMax: Type.Optional(
    integer(
      'Matches above this tier are left alone unless a rule names their tier. Left out: the preset\u2019s.',
      {
        minimum: 1,
        maximum: 3,
      },
    ),
  ),
  scoreMin: Type.Optional(share('The score that a match needs. Left out: 0.5.')),
  allowed: Type.Optional(
    texts('Values that are never found, in any case of letters.', { lengthMax: 256, entriesMax: 1_000 }),
  ),
  denied: Type.Optional(
    Type.Array(denyList, { description: 'Lists of values that are always found.', maxItems: 16 }),
  ),
  restore,
  injection: oneOf(
    '`signal`: what hints at prompt injection in a prompt is counted, and nothing is blocked.',
    injectionModes,
    { default: 'signal' },
  ),
  prompt: direction('On the way to the model.'),
  reply: direction('On the way back to the caller.'),
})

const example = Type.Union(
  [
    Type.String({ minLength: 1, maxLength: 1_024 }),
    Type.Object(
      {
        before: Type.String({ description: 'The words that it needs before it.', maxLength: 1_024 }),
        value: Type.String({ description: 'The value.', minLength: 1, maxLength: 512 }),
      },
      { additionalProperties: false },
    ),
  ],
  { expected: 'a value, or {before: the words that it needs before it, value: the value}', oneRow: true },
)

const recognizer = section('One more kind of data. At least one literal or pattern is needed.', {
  entity: label('What stands in the place of a value, and in metrics.'),
  category: oneOf('Which rules of a profile apply to it.', categoryNames),
  tier: integer('How far a match proves itself: 1 by itself, 2 together with context, 3 not at all.', {
    minimum: 1,
    maximum: 3,
    default: 1,
  }),
  literals: Type.Optional(
    texts('Values; a blank stands for any short white space.', {
      lengthMax: 256,
      entriesMin: 1,
      entriesMax: 1_000,
    }),
  ),
  patterns: Type.Optional(
    texts('Patterns of the subset in docs/reference/redaction.md.', {
      lengthMax: 1_024,
      entriesMin: 1,
      entriesMax: 16,
    }),
  ),
  ignoreCase: flag('Letters match in either case.', { default: false }),
  boundary: oneOf('`word`: no letter, digit or `_` may stand beside a match.', ['word', 'none'], {
    default: 'word',
  }),
  lengthMax: Type.Optional(
    integer('Longest match in UTF-16 code units. Needed where a pattern has `*` or `+`.', {
      minimum: 2,
      maximum: 512,
    }),
  ),
  score: Type.Optional(share('What a match is worth without context. Left out: 1.')),
  context: Type.Optional(
    texts('Words that add 0.4 to the score when one stands shortly before a match.', {
      lengthMax: 64,
      entriesMin: 1,
      entriesMax: 64,
    }),
  ),
  examples: sectionWithDefaults('Run whenever the configuration is checked.', {
    match: Type.Array(example, { description: 'Each is one value, found whole.', maxItems: 32, default: [] }),
    miss: Type.Array(Type.String({ minLength: 1, maxLength: 1_024 }), {
      description: 'Nothing in these is found.',
      maxItems: 32,
      default: [],
    }),
  }),
} satisfies TProperties)

/** config/redaction.yaml. */
export const redactionSchema = section('What is done with sensitive data.', {
  pseudonyms: Type.Optional(
    section('What the actions pseudonymize and hash need.', {
      keyFile: file(
        'A secret of at least 32 characters, e.g. from `openssl rand -base64 32`. Another key makes other pseudonyms.',
        'secret',
      ),
    }),
  ),
  recognizers: Type.Optional(
    namedEntries('Recognizers of your own, by name.', recognizer, { entriesMax: 64 }),
  ),
  recognizerService: Type.Optional(analyzer),
  profiles: namedEntries('Profiles, by name.', profile, { entriesMax: 64 }),
})

export type RedactionConfig = Static<typeof redactionSchema>
export type ProfileConfig = RedactionConfig['profiles'][string]
export type RecognizerConfig = NonNullable<RedactionConfig['recognizers']>[string]
export type AnalyzerConfig = NonNullable<RedactionConfig['recognizerService']>
