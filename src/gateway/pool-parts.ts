import { createHmac, createSecretKey } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { PoolConfig } from '../config/schema/models.ts'
import type { Secret } from '../config/secret.ts'
import type { Events } from '../telemetry/events.ts'
import type { PoolMetrics } from '../telemetry/pool-metrics.ts'
import { Balancer } from '../upstream/balance/balancer.ts'
import { Load } from '../upstream/balance/load.ts'
import { PoolPace } from '../upstream/balance/pool-pace.ts'
import { PromptBlocks } from '../upstream/balance/prompt-blocks.ts'
import { CacheSalts, takesCacheSalt } from '../upstream/cache-salt.ts'
import { GradientLimit } from '../upstream/concurrency/gradient-limit.ts'
import { healthBounds } from '../upstream/health/health-bounds.ts'
import { PoolHealth } from '../upstream/health/pool-health.ts'
import type { UpstreamTls } from '../upstream/http/connector.ts'
import { createEndpoint } from '../upstream/http/undici-endpoint.ts'
import { type CallLimit, fixedLimit, Member } from '../upstream/member.ts'
import { RetryBudget } from '../upstream/retry-budget.ts'
import { ServerPool } from '../upstream/server-pool.ts'
import type { Address } from '../upstream/server-pool-parts.ts'
import { followServers } from './pool-discovery.ts'
import { watchMember } from './pool-watch.ts'

/** What a pool is made of: its configuration, and what the files that it names hold. */
export interface PoolIngredients {
  readonly name: string
  readonly config: PoolConfig
  readonly timeouts: { readonly firstByteTimeoutMs: number; readonly idleTimeoutMs: number }
  readonly tls: UpstreamTls | undefined
  readonly apiKey: Secret | undefined
  readonly saltKey: Secret | undefined
}

export interface PoolSurroundings {
  readonly clock: Clock
  readonly metrics: PoolMetrics
  readonly events: Pick<
    Events,
    'upstreamDown' | 'upstreamUp' | 'upstreamPanic' | 'upstreamServers' | 'upstreamLookup'
  >
}

/** Makes a pool that is not in service yet: it opens no connection and watches nothing before `start`. */
export function createPool(ingredients: PoolIngredients, surroundings: PoolSurroundings): ServerPool {
  const { name, config } = ingredients
  const { discovery } = config
  const { clock, metrics } = surroundings
  const pace = new PoolPace(clock)
  const pool: ServerPool = new ServerPool({
    name,
    server: config.server,
    retries: config.retries,
    totalMs: config.timeouts.totalMs ?? Number.POSITIVE_INFINITY,
    bounds: config.queue,
    clock,
    observer: {
      waited: (priority, waitMs) => metrics.waited(priority, waitMs),
      refused: (reason) => metrics.waitRefused(reason),
      retried: (reason) => metrics.retried(reason),
    },
    health: healthOf(ingredients, surroundings, () => pool.changed()),
    balance: new Balancer<Member>({ random: Math.random, wantsPrefix: config.balance.prefixAffinity }),
    blocks: new PromptBlocks(blockKeyOf(ingredients)),
    budget: new RetryBudget({ clock, retryPercent: config.retries.budgetPercent }),
    cacheSaltOf: saltsOf(ingredients),
    member: (address) => memberOf(address, ingredients, surroundings, pace),
    ...(discovery && { discover: () => followServers(pool, discovery, surroundings) }),
    watch: (member) => watchMember(member, pool, { clock, metrics, config }),
  })
  if (config.endpoints) pool.adopt(config.endpoints.map((origin) => ({ origin: origin.replace(/\/$/, '') })))
  return pool
}

function healthOf(
  { name, config: { health } }: PoolIngredients,
  { clock, metrics, events }: PoolSurroundings,
  changed: () => void,
): PoolHealth {
  return new PoolHealth({
    bounds: { ...healthBounds, ...health },
    ejectedPercentMax: health.ejectedPercentMax,
    panicPercent: health.panicPercent,
    clock,
    random: Math.random,
    observer: {
      changed: (origin, { from, to, reason, waitMs }) => {
        if (to === 'ejected') {
          if (reason === 'calls_failed' || reason === 'probes_failed' || reason === 'probation_failed')
            metrics.ejected(reason)
          events.upstreamDown(name, origin, reason, waitMs)
        } else if (to === 'healthy' && from !== 'healthy') events.upstreamUp(name, origin)
        changed()
      },
      panicked: (now) => events.upstreamPanic(name, now),
    },
  })
}

/** Gateways with one salt key agree on where a prompt goes that none of them has seen. */
const blockKeyOf = ({ name, saltKey }: PoolIngredients): Buffer | undefined =>
  saltKey && createHmac('sha256', saltKey.reveal()).update(`sallyport prompt blocks 1\0${name}`).digest()

function saltsOf({ name, config, saltKey }: PoolIngredients): (tenant: string) => string | undefined {
  if (!config.cacheSalt || !takesCacheSalt(config.server)) return () => undefined
  const key = saltKey === undefined ? undefined : createSecretKey(saltKey.reveal(), 'utf8')
  const salts = new CacheSalts({ key })
  return (tenant) => salts.saltOf(tenant, name)
}

function memberOf(
  { origin, serverName }: Address,
  { config, timeouts, tls, apiKey }: PoolIngredients,
  { clock, metrics }: PoolSurroundings,
  pace: PoolPace,
): Member {
  const endpoint = createEndpoint({
    origin,
    tls: tls && (serverName === undefined ? tls : { serverName, ...tls }),
    apiKey: () => apiKey?.reveal(),
    keepAlive: config.keepAlive ? 'on' : 'off',
    connectionsMax: config.connectionsMax,
    connectTimeoutMs: config.timeouts.connectMs,
    firstByteTimeoutMs: config.timeouts.firstByteMs ?? timeouts.firstByteTimeoutMs,
    idleTimeoutMs: config.timeouts.idleMs ?? timeouts.idleTimeoutMs,
    loadReports: config.server === 'vllm' && config.balance.loadReports ? 'asked' : undefined,
    observer: {
      connected: (ms) => metrics.connected(ms),
      retried: () => metrics.retried('reused_connection'),
      answered: (status, ms) => metrics.answered(status, ms),
    },
  })
  return new Member(endpoint, limitOf(config, clock), new Load({ clock, pace }))
}

/** Measured: with a server that answers in 1 ms, the jitter of a busy gateway took the limit to its least. */
const TTFT_FLOOR_MS = 25
const PER_TOKEN_FLOOR_MS = 5

const limitOf = ({ connectionsMax, concurrency }: PoolConfig, clock: Clock): CallLimit =>
  concurrency.adaptive
    ? new GradientLimit({
        clock,
        limitMax: connectionsMax,
        limitMin: concurrency.limitMin,
        limitInitial: Math.min(concurrency.limitInitial, connectionsMax),
        ttftFloorMs: TTFT_FLOOR_MS,
        perTokenFloorMs: PER_TOKEN_FLOOR_MS,
      })
    : fixedLimit(connectionsMax)
