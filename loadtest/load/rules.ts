// The configuration of the gateways under load: several roles, limits that are there and do not bind unless a scenario
// says so, redaction in both directions.

const lifted = { requestsPerMinute: 1_000_000, burst: 100_000, inFlight: 10_000 }
const role = (redaction: string, outputTokensMax: number, more: object = {}) => ({
  scopes: ['inference'],
  parameters: { outputTokensMax },
  limits: lifted,
  redaction,
  binding: 'none',
  ...more,
})

export interface Rules {
  /** Limits by their names, as in policies.yaml. */
  readonly limits?: object
  /** Merged into the only pool. */
  readonly pool?: object
  /** Most tokens of a reply. */
  readonly outputTokensMax?: number
}

const OUTPUT_TOKENS_MAX = 4_096

export const policiesOf = ({ limits, outputTokensMax = OUTPUT_TOKENS_MAX }: Rules) => ({
  unknownFields: 'refuse',
  scopes: { inference: { endpoints: ['chat.completions', 'models'], models: ['*'] } },
  roles: {
    app: role('mask', outputTokensMax),
    analyst: role('pseudonymize', outputTokensMax),
    batch: role('mask', outputTokensMax, { priority: 'batch' }),
    unscreened: role('open', outputTokensMax),
  },
  ...(limits === undefined ? {} : { limits }),
})

export const redaction = {
  pseudonyms: { keyFile: 'pseudonym.key' },
  profiles: {
    mask: {
      prompt: { default: 'mask', entities: { PRIVATE_KEY: 'block' } },
      reply: { default: 'mask' },
    },
    pseudonymize: {
      prompt: { default: 'pseudonymize', categories: { secret: 'mask' } },
      reply: { default: 'mask' },
    },
    open: { prompt: { default: 'allow' }, reply: { default: 'allow' } },
  },
}

export const modelsOf = (upstream: string, { pool = {}, outputTokensMax = OUTPUT_TOKENS_MAX }: Rules) => ({
  pools: {
    upstream: {
      server: 'vllm',
      endpoints: [upstream],
      connectionsMax: 1_000,
      // The servers of the load test share two cores with everything else: who is slow here is not overloaded.
      timeouts: { connectMs: 60_000 },
      health: { probe: false, failuresMax: 1_000 },
      concurrency: { adaptive: false },
      ...pool,
    },
  },
  models: { demo: { pool: 'upstream', upstreamModel: 'demo', outputTokensMax } },
})
