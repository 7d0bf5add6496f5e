import { PassThrough } from 'node:stream'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import type { Config } from '../../src/config/load.ts'
import { Pools } from '../../src/gateway/pools.ts'
import { createEvents } from '../../src/telemetry/events.ts'
import { KnownNames } from '../../src/telemetry/known-names.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import type { ServerPool } from '../../src/upstream/server-pool.ts'
import { configFolder } from './config-folder.ts'

const folder = await configFolder(t)
const config = await folder.load()
const make = (): Pools =>
  new Pools({
    metrics: new Metrics(new KnownNames(), { version: '0', node: '0' }),
    events: createEvents(createLog({ level: 'error', stream: new PassThrough() }), new KnownNames()),
    clock: systemClock,
  })

type Gpu = Config['models']['pools'][string]

/** The configuration with another pool `gpu`. */
const withPool = (changes: Partial<Gpu>): Config => ({
  ...config,
  models: {
    ...config.models,
    pools: { ...config.models.pools, gpu: { ...(config.models.pools['gpu'] as Gpu), ...changes } },
  },
})
/** A request that is aborted before it is sent: fails with `why`, unless the pool is closed. */
const post = async (pool: ServerPool | undefined, why: string): Promise<unknown> =>
  pool?.members[0]?.endpoint.post(
    { path: '/v1/embeddings', body: '', stream: false, requestId: 'r' },
    AbortSignal.abort(new Error(why)),
  )
const poolOf = (prepared: ReturnType<Pools['prepare']>) =>
  prepared.upstreams.routeOf('demo')?.legs[0]?.pool as ServerPool | undefined

t.test('routes lead models to pools, by their own name at the servers where one is given', async (t) => {
  const pools = make()
  const { upstreams } = pools.prepare(config)
  t.equal(upstreams.routeOf('demo')?.legs[0]?.upstreamModel, 'demo')
  t.equal(upstreams.routeOf('secret')?.legs[0]?.upstreamModel, 'demo')
  t.equal(upstreams.routeOf('demo')?.legs[0]?.pool, upstreams.routeOf('secret')?.legs[0]?.pool)
  t.equal(upstreams.routeOf('nothing'), undefined)
  t.equal(upstreams.routeOf('__proto__'), undefined)
  await pools.close()
})

t.test('a pool that did not change is kept, with its connections', async (t) => {
  const pools = make()
  const first = pools.prepare(config)
  first.takeOver()
  const second = pools.prepare({ ...config, hash: 'other' })
  t.equal(poolOf(second), poolOf(first))
  await second.takeOver()()
  await t.rejects(post(poolOf(first), 'not closed'), /not closed/)
  await pools.close()
})

const changes: Record<string, () => Config> = {
  'another address': () => withPool({ endpoints: ['https://localhost:1'] }),
  'another time': () => withPool({ timeouts: { connectMs: 999 } }),
  'no keep-alive': () => withPool({ keepAlive: false }),
  'another API key in the same file': () => {
    folder.put('upstream.key', 'sk-another')
    return config
  },
  'another certificate in the same file': () => {
    folder.put('tls/upstream.crt', folder.read('tls/server.crt'))
    folder.put('tls/upstream.key', folder.read('tls/server.key'))
    return config
  },
  'a time of the listener that the pool uses': () => ({
    ...config,
    gateway: {
      ...config.gateway,
      traffic: {
        ...config.gateway.traffic,
        stream: { ...config.gateway.traffic.stream, idleTimeoutMs: 777 },
      },
    },
  }),
}
for (const [name, change] of Object.entries(changes)) {
  t.test(`${name} makes a pool anew, and closes the old one only when it is told to`, async (t) => {
    const pools = make()
    const first = pools.prepare(config)
    first.takeOver()
    const old = poolOf(first)
    const next = pools.prepare(change())
    t.not(poolOf(next), old)
    const closeOld = next.takeOver()
    await t.rejects(post(old, 'still open'), /still open/)
    await closeOld()
    await closeOld()
    await pools.close()
  })
}

t.test('files that cannot be used change nothing', async (t) => {
  const pools = make()
  const first = pools.prepare(config)
  first.takeOver()
  folder.put('upstream.key', '')
  t.throws(() => pools.prepare(config), { name: 'FileRefused', message: /upstream\.key/ })
  folder.put('upstream.key', 'sk-never-shown\nsecond line')
  const refusal = (): string => {
    try {
      return String(pools.prepare(config))
    } catch (error) {
      return String(error)
    }
  }
  t.match(refusal(), /upstream\.key/)
  t.notMatch(refusal(), /never-shown/)
  folder.put('upstream.key', 'sk-upstream-test')
  t.equal(poolOf(pools.prepare(config)) === undefined, false)
  await pools.close()
})
