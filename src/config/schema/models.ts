import { type Static, Type } from 'typebox'
import { integer, namedEntries, oneOf, section } from './field.ts'
import { pool } from './pools.ts'

/** Public model names: what callers write, and what `GET /v1/models/<name>` can carry. No dot segments. */
export const MODEL_PATTERN = '^(?!.*(?:^|/)\\.{0,2}(?:/|$))[A-Za-z0-9._:@+/-]{1,256}$'

const price = (description: string) => Type.Number({ description, minimum: 0, maximum: 100_000 })

const poolName = Type.String({ description: 'Name of a pool.', minLength: 1, maxLength: 64 })

const upstreamModel = (description: string) =>
  Type.Optional(Type.String({ description, minLength: 1, maxLength: 512 }))

const route = section('A pool that serves the model, and its part of the calls.', {
  pool: poolName,
  order: integer(
    'Pools of order 2 are tried when those of order 1 have no place or have failed, and so on.',
    {
      minimum: 1,
      maximum: 16,
      default: 1,
    },
  ),
  weight: integer('Part of the calls beside the other pools of its order. 0: none, unless the others fail.', {
    minimum: 0,
    maximum: 1_000_000,
    default: 1,
  }),
  upstreamModel: upstreamModel('Instead of the upstreamModel of the model.'),
})

const hedge = section(
  'Send a short call to a second server when the first is silent; the first answer counts, the other is ended, and the caller pays once.',
  {
    afterMs: integer('Silence of the first server before the second is asked.', {
      minimum: 1,
      maximum: 600_000,
    }),
    outputTokensMax: integer('Calls that may have more output than this are not hedged.', {
      minimum: 1,
      maximum: 1_000_000,
      default: 32,
    }),
  },
)

const model = section('A model that callers can name.', {
  pool: Type.Optional(poolName),
  routes: Type.Optional(
    Type.Array(route, {
      description: 'Several pools instead of one `pool`: canaries by weight, fallbacks by order.',
      minItems: 1,
      maxItems: 16,
    }),
  ),
  stickyBy: oneOf(
    'What chooses among pools of one order: `tenant`, so that a tenant stays with its pool, or each `call` by itself.',
    ['tenant', 'call'],
    { default: 'tenant' },
  ),
  hedge: Type.Optional(hedge),
  upstreamModel: upstreamModel('Name of the model at the servers; the public name when left out.'),
  outputTokensMax: integer('Most output tokens of one choice, whatever the roles allow.', {
    minimum: 1,
    maximum: 10_000_000,
  }),
  price: Type.Optional(
    section(
      'What a million tokens cost, in your currency, with up to three decimals; needed by limits of cost.',
      {
        input: price('A million input tokens.'),
        output: price('A million output tokens.'),
      },
    ),
  ),
})

/** config/models.yaml. */
export const modelsSchema = section('Which models there are, and where they run.', {
  pools: namedEntries('Pools of model servers, by name.', pool, { entriesMax: 256 }),
  models: namedEntries('Models, by the name that callers use.', model, {
    pattern: MODEL_PATTERN,
    expected: 'letters, digits and ._:@+/- , 1 to 256 characters, no empty, "." or ".." part between slashes',
    entriesMax: 1_024,
  }),
})

export type ModelsConfig = Static<typeof modelsSchema>
export type { PoolConfig } from './pools.ts'
export type ModelConfig = ModelsConfig['models'][string]
