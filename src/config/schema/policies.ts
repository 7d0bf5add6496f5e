import { type Static, Type } from 'typebox'
import type { Endpoint } from '../../openai/call.ts'
import type { Priority } from '../../policy/priority.ts'
import { integer, namedEntries, oneOf, section, sectionWithDefaults } from './field.ts'
import { limitRule } from './limits.ts'

/** The same list as `endpoints` of src/openai/call.ts, which this folder may know as a type only; a test compares. */
export const endpointNames = [
  'chat.completions',
  'completions',
  'embeddings',
  'models',
] as const satisfies readonly Endpoint[]

const glob = (description: string) =>
  Type.String({
    description,
    pattern: '^[A-Za-z0-9._:@+/*-]{1,256}$',
    expected:
      'a name in which * stands for any characters: letters, digits and ._:@+/-* , 1 to 256 characters',
  })

const reference = (description: string) => Type.String({ description, minLength: 1, maxLength: 64 })

const scope = section('Endpoints x models.', {
  endpoints: Type.Array(oneOf('An endpoint.', endpointNames), {
    description: 'Endpoints that may be used.',
    minItems: 1,
    uniqueItems: true,
  }),
  models: Type.Array(glob('A model name or a glob.'), {
    description: 'Models that they may be used with; * stands for any characters.',
    minItems: 1,
    maxItems: 256,
    uniqueItems: true,
  }),
})

const parameters = section('What a request may ask for. What is not written here is not allowed.', {
  outputTokensMax: integer('Most output tokens of one choice; also sent when the caller names no bound.', {
    minimum: 1,
    maximum: 10_000_000,
  }),
  choicesMax: integer('Most choices (`n`).', { minimum: 1, maximum: 128, default: 1 }),
  promptsMax: integer('Most prompts of one completions call; each has its own choices.', {
    minimum: 1,
    maximum: 256,
    default: 16,
  }),
  inputsMax: integer('Most inputs of one embeddings call.', { minimum: 1, maximum: 2048, default: 256 }),
  logprobsMax: Type.Optional(
    integer('Most alternatives (`top_logprobs`); 0 allows plain `logprobs`. Left out: no logprobs.', {
      minimum: 0,
      maximum: 20,
    }),
  ),
  tools: Type.Union(
    [
      Type.Array(glob('A tool name or a glob.'), { minItems: 1, maxItems: 256, uniqueItems: true }),
      Type.Literal('none'),
    ],
    {
      description: 'Names of tools that callers may offer to the model; * stands for any characters.',
      default: 'none',
      expected: 'a list of tool names or globs, e.g. ["*"], or none',
    },
  ),
  responseFormats: Type.Array(
    oneOf('A value of `response_format.type`.', ['text', 'json_object', 'json_schema']),
    {
      description: 'Response formats that may be asked for.',
      uniqueItems: true,
      default: ['text'],
    },
  ),
})

const limits = section('Limits, each shared by all callers of one tenant with this role.', {
  requestsPerMinute: integer('Requests in a minute, in the long run.', { minimum: 1, maximum: 1_000_000 }),
  burst: Type.Optional(
    integer('Requests that may come at once. Left out: a sixth of requestsPerMinute, at least 1.', {
      minimum: 1,
      maximum: 1_000_000,
    }),
  ),
  inFlight: integer('Exchanges that run at the same time.', { minimum: 1, maximum: 1_000_000 }),
  tokensPerMinute: Type.Optional(
    integer('Input and output tokens together, in a minute; as many may come at once.', {
      minimum: 1,
      maximum: 1_000_000_000,
    }),
  ),
})

/** The same list as the type of src/policy/priority.ts. */
const priorities = ['interactive', 'batch'] as const satisfies readonly Priority[]

const weightBounds = { minimum: 1, maximum: 1000 }

const fairness = sectionWithDefaults(
  'Shares of the tenants that wait while all servers of a pool are busy (docs/reference/limits.md).',
  {
    weightDefault: integer('Share of a tenant that is not named below.', { ...weightBounds, default: 1 }),
    weights: Type.Record(
      Type.String({ pattern: '^[^\\u0000-\\u001f\\u007f]{1,256}$' }),
      integer('Share of one tenant: with twice the number it gets twice the tokens.', weightBounds),
      {
        description: 'Tenants, as tokens name them -> their shares.',
        additionalProperties: false,
        maxProperties: 10_000,
        keysExpected: 'the name of a tenant: 1 to 256 characters, no control characters',
        default: {},
      },
    ),
  },
)

const role = section('What callers with this role may do, and what is done to their data.', {
  scopes: Type.Array(reference('Name of a scope.'), {
    description: 'Scopes that the role grants.',
    minItems: 1,
    maxItems: 256,
    uniqueItems: true,
  }),
  parameters,
  limits,
  redaction: reference('Name of a profile in redaction.yaml.'),
  binding: oneOf(
    '`required`: the token must be bound to the client certificate (RFC 8705).',
    ['none', 'required'],
    {
      default: 'none',
    },
  ),
  priority: oneOf(
    'Class in which calls wait while all servers of a pool are busy: `interactive` goes first, `batch` gets a tenth.',
    priorities,
    { default: 'interactive' },
  ),
})

/** config/policies.yaml. */
export const policiesSchema = section('Who may do what.', {
  unknownFields: oneOf(
    'What happens to fields of a request that the gateway does not know.',
    ['refuse', 'drop'],
    {
      default: 'refuse',
    },
  ),
  scopes: namedEntries('Scopes, by name.', scope, { entriesMax: 256 }),
  roles: namedEntries('Roles, by the name that tokens carry.', role, { entriesMax: 256 }),
  fairness,
  limits: Type.Optional(
    namedEntries('Limits beside those of the roles, by name. All that apply must agree.', limitRule, {
      entriesMax: 256,
    }),
  ),
  organizations: Type.Optional(
    namedEntries(
      'Organizations -> their tenants. A tenant that is in none is an organization of its own.',
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
        description: 'Tenants, as tokens name them.',
        maxItems: 10_000,
        uniqueItems: true,
      }),
      { entriesMax: 10_000 },
    ),
  ),
})

export type PoliciesConfig = Static<typeof policiesSchema>
export type RoleConfig = PoliciesConfig['roles'][string]
