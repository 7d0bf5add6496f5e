import { type Static, Type } from 'typebox'
import { file, flag, integer, oneOf, section, sectionWithDefaults } from './field.ts'
import { serverTls } from './server-tls.ts'

const origin = Type.String({
  description: 'Scheme, host and port of a model server.',
  maxLength: 300,
  pattern: '^https?://(?:[A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]{1,5})?/?$',
  expected: 'an origin such as https://10.0.0.7:8000: no path, user name, query or fragment',
})

const discovery = section(
  'Servers that the name service lists, followed as it changes. Instead of `endpoints`.',
  {
    kind: oneOf(
      '`a`: all addresses of a name, such as a headless Service. `srv`: targets and ports of an SRV record.',
      ['a', 'srv'],
      { default: 'a' },
    ),
    name: Type.String({
      description:
        'Whole name to look up, such as vllm.llm.svc.cluster.local; no search list applies. The certificates of the servers must bear it, unless tls.serverName is given.',
      maxLength: 253,
      pattern: '^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$',
      expected: 'a host name',
    }),
    port: Type.Optional(
      integer('Port of the servers; an SRV record names it itself.', { minimum: 1, maximum: 65_535 }),
    ),
    families: oneOf(
      'Which addresses count; a Service with two families names each Pod twice.',
      ['all', 'ipv4', 'ipv6'],
      { default: 'all' },
    ),
    nameservers: Type.Optional(
      Type.Array(
        Type.String({
          description: 'Address of a name server, with its port when that is not 53.',
          maxLength: 60,
          pattern: '^[0-9A-Fa-f:.\\[\\]]+$',
          expected: 'an address such as 10.0.0.10:53',
        }),
        { description: 'Name servers to ask instead of those of the machine.', minItems: 1, maxItems: 8 },
      ),
    ),
    scheme: oneOf('How the servers are spoken to.', ['https', 'http'], { default: 'https' }),
    refreshMsMin: integer('Shortest time between two lookups, whatever the records say.', {
      minimum: 100,
      maximum: 3_600_000,
      default: 1_000,
    }),
    refreshMsMax: integer('Longest time between two lookups, whatever the records say.', {
      minimum: 100,
      maximum: 3_600_000,
      default: 60_000,
    }),
    endpointsMax: integer('Most servers; more are left out.', { minimum: 1, maximum: 256, default: 64 }),
  },
)

const balance = sectionWithDefaults('Which server of the pool a call goes to.', {
  prefixAffinity: flag(
    'Calls with the same beginning go to a server that has read it, unless it is overloaded.',
    {
      default: true,
    },
  ),
  loadReports: flag(
    'Ask the servers for their own load (`GET /metrics` of vLLM, SGLang and llama.cpp) where a pool has several.',
    { default: true },
  ),
})

const health = sectionWithDefaults('When a server is left out, and when it comes back.', {
  probe: flag('Ask each server whether it is alive (`GET /health`; `/v1/models` for server: openai).', {
    default: true,
  }),
  probeIntervalMs: integer('Time between two probes of a healthy server.', {
    minimum: 100,
    maximum: 3_600_000,
    default: 5_000,
  }),
  probeTimeoutMs: integer('Longest wait for the answer to a probe.', {
    minimum: 50,
    maximum: 60_000,
    default: 1_000,
  }),
  failuresMax: integer('So many failed calls in a row leave a server out.', {
    minimum: 1,
    maximum: 1_000,
    default: 5,
  }),
  ejectionMs: integer('How long a server is left out the first time; doubled each time it fails again.', {
    minimum: 10,
    maximum: 3_600_000,
    default: 1_000,
  }),
  ejectionMsMax: integer('Longest time that a server is left out before it is tried again.', {
    minimum: 10,
    maximum: 86_400_000,
    default: 60_000,
  }),
  slowStartMs: integer(
    'A server that comes back, or is new, gets its full share after this time. 0: at once.',
    {
      minimum: 0,
      maximum: 3_600_000,
      default: 10_000,
    },
  ),
  ejectedPercentMax: integer('Most servers of the pool that failed calls leave out, in percent.', {
    minimum: 0,
    maximum: 100,
    default: 50,
  }),
  panicPercent: integer(
    'With fewer healthy servers than this, in percent, all are tried again: better a try than a refusal. 0: never.',
    { minimum: 0, maximum: 100, default: 50 },
  ),
})

const concurrency = sectionWithDefaults('How many calls a server has at a time.', {
  adaptive: flag(
    'Lower the limit of a server below connectionsMax while its time to first token or time per token grows.',
    { default: true },
  ),
  limitInitial: integer(
    'The limit at the start; it grows with every few calls until the server gets slower.',
    {
      minimum: 1,
      maximum: 65_535,
      default: 128,
    },
  ),
  limitMin: integer('The limit is never below this.', { minimum: 1, maximum: 65_535, default: 4 }),
})

const retries = sectionWithDefaults(
  'Calls that are sent again, to another server, before the caller has a byte.',
  {
    attemptsMax: integer('Most servers that one call is sent to. 1: no retries.', {
      minimum: 1,
      maximum: 10,
      default: 3,
    }),
    budgetPercent: integer(
      'Retries beside first attempts, in percent: a pool that fails is not buried under them.',
      {
        minimum: 0,
        maximum: 100,
        default: 20,
      },
    ),
    afterSend: oneOf(
      'A server that closed the connection without a byte of its answer may have begun to work: `never` sends such a call again, `closed` does.',
      ['never', 'closed'],
      { default: 'never' },
    ),
  },
)

export const pool = section('Model servers that answer alike.', {
  server: oneOf('The software that serves, for its dialect.', [
    'vllm',
    'sglang',
    'llamacpp',
    'tgi',
    'openai',
  ]),
  endpoints: Type.Optional(
    Type.Array(origin, {
      description: 'Addresses of the servers.',
      minItems: 1,
      maxItems: 256,
      uniqueItems: true,
    }),
  ),
  discovery: Type.Optional(discovery),
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
  balance,
  health,
  concurrency,
  retries,
  cacheSalt: flag(
    'Keep the prefix caches of tenants apart: a `cache_salt` of the tenant goes to servers that know the field.',
    { default: true },
  ),
  cacheSaltKeyFile: Type.Optional(
    file(
      'Secret that salts are made with; without it they follow from the name of the tenant. Watched.',
      'secret',
    ),
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
    totalMs: Type.Optional(
      integer('Longest time of one call at these servers, reply included; then it ends as a timeout.', {
        minimum: 100,
        maximum: 86_400_000,
      }),
    ),
  }),
})

export type PoolConfig = Static<typeof pool>
