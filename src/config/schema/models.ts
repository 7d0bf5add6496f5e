import { type Static, Type } from 'typebox'
import { file, flag, integer, namedEntries, oneOf, section, sectionWithDefaults } from './field.ts'
import { serverTls } from './server-tls.ts'

/** Public model names: what callers write, and what `GET /v1/models/<name>` can carry. No dot segments. */
export const MODEL_PATTERN = '^(?!.*(?:^|/)\\.{0,2}(?:/|$))[A-Za-z0-9._:@+/-]{1,256}$'

const origin = Type.String({
  description: 'Scheme, host and port of a model server.',
  maxLength: 300,
  pattern: '^https?://(?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]{1,5})?/?$',
  expected: 'an origin such as https://10.0.0.7:8000: no path, user name, query or fragment',
})

const pool = section('Model servers that answer alike.', {
  server: oneOf('The software that serves, for its dialect.', [
    'vllm',
    'sglang',
    'llamacpp',
    'tgi',
    'openai',
  ]),
  endpoints: Type.Array(origin, {
    description: 'Addresses of the servers.',
    minItems: 1,
    maxItems: 256,
    uniqueItems: true,
  }),
  tls: Type.Optional(serverTls),
  plaintext: Type.Optional(
    oneOf(
      '`allowed`: prompts may leave this machine unencrypted, for http:// addresses that are not loopback.',
      ['allowed'],
    ),
  ),
  apiKeyFile: Type.Optional(file('File that holds the API key of the servers. Watched.', 'secret')),
  keepAlive: flag('Use a connection again. Turn it off for servers that close without saying so.', {
    default: true,
  }),
  connectionsMax: integer('Most exchanges with one server at a time; above it callers wait for their turn.', {
    minimum: 1,
    maximum: 65_535,
    default: 256,
  }),
  queue: sectionWithDefaults(
    'Exchanges that wait while all servers of the pool are busy; refused ones get 503 and retry-after.',
    {
      waitingMax: integer('Most exchanges that wait. 0: none, whoever finds no free server is refused.', {
        minimum: 0,
        maximum: 100_000,
        default: 1_024,
      }),
      waitingPerTenantMax: integer('Most exchanges of one tenant that wait.', {
        minimum: 1,
        maximum: 100_000,
        default: 256,
      }),
      waitMsMax: integer('Longest wait; an exchange that is foreseen to wait longer is refused at once.', {
        minimum: 1,
        maximum: 3_600_000,
        default: 30_000,
      }),
    },
  ),
  timeouts: sectionWithDefaults('Waiting for the servers of this pool.', {
    connectMs: integer('Longest wait for a connection, TLS included.', {
      minimum: 50,
      maximum: 60_000,
      default: 2_000,
    }),
    firstByteMs: Type.Optional(
      integer('Instead of traffic.stream.firstByteTimeoutMs.', { minimum: 100, maximum: 3_600_000 }),
    ),
    idleMs: Type.Optional(
      integer('Instead of traffic.stream.idleTimeoutMs.', { minimum: 100, maximum: 3_600_000 }),
    ),
  }),
})

const price = (description: string) => Type.Number({ description, minimum: 0, maximum: 100_000 })

const model = section('A model that callers can name.', {
  pool: Type.String({ description: 'Name of a pool.', minLength: 1, maxLength: 64 }),
  upstreamModel: Type.Optional(
    Type.String({
      description: 'Name of the model at the servers; the public name when left out.',
      minLength: 1,
      maxLength: 512,
    }),
  ),
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
export type PoolConfig = ModelsConfig['pools'][string]
export type ModelConfig = ModelsConfig['models'][string]
