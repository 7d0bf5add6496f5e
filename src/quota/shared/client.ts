/**
 * Connections to Redis. Invariants:
 *
 * 1. A command is sent once: none waits in a queue for a connection, and none is sent again after one broke.
 * 2. A connection that owes an answer and is silent for `silentMsMax` is closed and made anew: a server that was cut off
 *    without a word does not hold it for the minutes that TCP would.
 * 3. A server that takes no writes is left, so that Sentinel is asked again who does.
 */
import { Cluster, Redis } from 'ioredis'
import type { RedisStoreOptions, RedisTls } from './options.ts'
import { type ScriptName, scripts } from './scripts.ts'

export type RedisConnection = Redis | Cluster

const silentMsMax = 1_000
const reconnectMs = { first: 50, most: 1_000 }

/** Runs a script by its digest; a server that does not know it is sent its text, and then knows it. */
export async function runScript(
  redis: RedisConnection,
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const { sha, text } = scripts[name]
  try {
    return await redis.evalsha(sha, keys.length, ...keys, ...args)
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return redis.eval(text, keys.length, ...keys, ...args)
  }
}

/** Begins to connect. `failed` is told of every error of a connection. */
export function connectRedis(options: RedisStoreOptions, failed: (error: unknown) => void): RedisConnection {
  const redis = options.mode === 'cluster' ? clusterOf(options) : serverOf(options)
  redis.on('error', failed)
  redis.on('node error', failed)
  return redis
}

function serverOf(options: RedisStoreOptions): Redis {
  const nodes = options.addresses.map(nodeOf)
  const common = {
    ...connectionOf(options),
    enableOfflineQueue: false,
    // The role of the server stands in the reply: a sentinel may name one that is no master any more.
    enableReadyCheck: options.mode === 'sentinel',
    retryStrategy: (times: number): number => {
      const password = options.password?.()
      if (password !== undefined) redis.options.password = password
      return pauseMs(times)
    },
  }
  const redis: Redis =
    options.mode === 'sentinel'
      ? new Redis({ ...common, ...sentinelOf(options, nodes) })
      : new Redis({ ...common, ...nodes[0] })
  return redis
}

function sentinelOf({ masterName, tls }: RedisStoreOptions, nodes: readonly Node[]) {
  return {
    sentinels: [...nodes],
    name: masterName ?? '',
    sentinelRetryStrategy: pauseMs,
    sentinelCommandTimeout: silentMsMax,
    // Told by a sentinel, a failover does not wait for the first command that fails.
    failoverDetector: true,
    ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tlsOf(tls) }),
  }
}

/** Whether every server that is asked is connected. */
export const isConnected = (redis: RedisConnection): boolean =>
  redis.status === 'ready' &&
  (!(redis instanceof Cluster) || redis.nodes('master').every(({ status }) => status === 'ready'))

function clusterOf(options: RedisStoreOptions): Cluster {
  const cluster = new Cluster(options.addresses.map(nodeOf), {
    redisOptions: connectionOf(options),
    enableOfflineQueue: false,
    clusterRetryStrategy: pauseMs,
    slotsRefreshTimeout: silentMsMax,
    slotsRefreshInterval: 5_000,
    maxRedirections: 3,
    // What was not run may be sent again; what may have been run, never.
    retryDelayOnTryAgain: 10,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    // Names stay names, or no certificate would fit.
    dnsLookup: (address, done) => done(null, address),
  })
  // A node that is connected by its first command refuses all others meanwhile.
  cluster.on('+node', (node: Redis) => void node.connect().catch(() => {}))
  return cluster
}

function connectionOf(options: RedisStoreOptions) {
  const { tls, username, password } = options
  return {
    protocol: 2 as const,
    enableReadyCheck: false,
    disableClientInfo: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: silentMsMax,
    socketTimeout: silentMsMax,
    disconnectTimeout: 100,
    maxLoadingRetryTime: silentMsMax,
    reconnectOnError: (error: Error) => /^(?:READONLY|MASTERDOWN)/.test(error.message),
    ...(tls === undefined ? {} : { tls: tlsOf(tls) }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: password() }),
  }
}

const tlsOf = ({ ca, certificate, key, serverName }: RedisTls) => ({
  minVersion: 'TLSv1.2' as const,
  ...(ca === undefined ? {} : { ca }),
  ...(certificate === undefined ? {} : { cert: certificate }),
  ...(key === undefined ? {} : { key }),
  ...(serverName === undefined ? {} : { servername: serverName }),
})

/** Soon, then less often, and not all gateways at once. */
export function pauseMs(times: number): number {
  const whole = Math.min(reconnectMs.first * 2 ** Math.min(times - 1, 6), reconnectMs.most)
  return Math.ceil(whole * (0.5 + Math.random() / 2))
}

interface Node {
  readonly host: string
  readonly port: number
}

/** `host:port`, `[::1]:6379`. */
function nodeOf(address: string): Node {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) }
}
