// Pools of several model servers over real sockets: a server that dies and comes back, the next pool, canaries, hedges,
// the prefix caches of tenants kept apart, padded events.
import t, { type Test } from 'tap'
import type { ModelServerOptions, Script } from '../../loadtest/model-server.ts'
import { Fleet } from '../support/fleet.ts'
import { SimulatedDns } from '../support/simulated-dns.ts'
import { type Stack, startStack, until } from '../support/stack.ts'

type Section = Record<string, unknown>

async function running(
  test: Test,
  servers: readonly Partial<ModelServerOptions>[],
  models: (origins: readonly string[]) => Section,
) {
  const fleet = await Fleet.start(servers)
  test.teardown(() => fleet.stop())
  const stack = await startStack({ models: models(fleet.origins), policies: roomy })
  test.teardown(() => stack.stop())
  return { fleet, stack }
}

const roomy: Section = {
  roles: { app: { limits: { inFlight: 500, requestsPerMinute: 100_000, burst: 10_000 } } },
}
const poolOf = (endpoints: readonly string[], fields: Section = {}): Section => ({
  server: 'vllm',
  endpoints,
  tls: undefined,
  apiKeyFile: undefined,
  health: { probe: false },
  balance: { loadReports: false },
  ...fields,
})
const body = (fields: Section = {}): Section => ({
  model: 'demo',
  messages: [{ role: 'user', content: 'hi' }],
  max_tokens: 8,
  ...fields,
})
const chat = (stack: Stack, fields: Section = {}) => stack.post('/v1/chat/completions', body(fields))
const statusOf = async (stack: Stack, fields: Section = {}): Promise<number> => {
  const reply = await chat(stack, fields)
  await reply.text()
  return reply.status
}
const events = (stack: Stack, name: string) => stack.log().filter(({ event }) => event === name)

t.test('one of four servers dies: no call fails, it is left out, and comes back', async (t) => {
  const { fleet, stack } = await running(t, [{}, {}, {}, {}], (origins) => ({
    pools: {
      gpu: poolOf(origins, {
        health: { failuresMax: 3, ejectionMs: 1_500, probeIntervalMs: 100, slowStartMs: 0 },
      }),
    },
  }))
  await fleet.kill(2)
  const statuses = await Promise.all(Array.from({ length: 40 }, () => statusOf(stack)))
  t.same([...new Set(statuses)], [200], 'the calls that found nobody there were sent to another server')
  await until(() => events(stack, 'upstream.down').length > 0)
  t.match(events(stack, 'upstream.down')[0], { pool: 'gpu', origin: fleet.origins[2] })
  t.match(await stack.metrics(), /sallyport_upstream_endpoints\{pool="gpu",state="healthy"\} 3/)
  const failed = stack.audit().filter(({ failed_attempts: attempts }) => attempts !== undefined)
  t.match(failed[0], {
    outcome: 'completed',
    attempts: 2,
    failed_attempts: [{ upstream: fleet.origins[2], code: 'upstream_unavailable' }],
  })
  await fleet.revive(2)
  await until(async () => {
    await statusOf(stack)
    return fleet.calls(2).length > 0
  })
  t.ok(events(stack, 'upstream.up').length > 0)
})

t.test('a pool without a server that can be reached: the next one answers', async (t) => {
  const { fleet, stack } = await running(t, [{}, {}], ([first, second]) => ({
    pools: { gpu: poolOf([first as string]), spare: poolOf([second as string]) },
    models: {
      demo: {
        pool: undefined,
        routes: [{ pool: 'gpu' }, { pool: 'spare', order: 2, upstreamModel: 'demo' }],
      },
    },
  }))
  t.equal(await statusOf(stack), 200)
  t.same([fleet.calls(0).length, fleet.calls(1).length], [1, 0])
  await fleet.kill(0)
  t.equal(await statusOf(stack), 200)
  t.equal(fleet.calls(1).length, 1)
  await until(() => stack.audit().at(-1)?.['attempts'] === 2)
  t.match(stack.audit().at(-1), { upstream: fleet.origins[1], attempts: 2 })
  await fleet.kill(1)
  const reply = await chat(stack)
  t.equal(reply.status, 502)
  t.match(await reply.json(), { error: { code: 'upstream_unavailable' } })
})

t.test('a canary by weight, and a tenant that stays with its pool', async (t) => {
  const { fleet, stack } = await running(t, [{}, {}], ([first, second]) => ({
    pools: { gpu: poolOf([first as string]), canary: poolOf([second as string]) },
    models: {
      demo: { pool: undefined, routes: [{ pool: 'gpu' }, { pool: 'canary' }] },
      secret: {
        pool: undefined,
        upstreamModel: 'demo',
        stickyBy: 'call',
        routes: [{ pool: 'gpu' }, { pool: 'canary' }],
      },
    },
  }))
  const calls = () => [fleet.calls(0).length, fleet.calls(1).length]
  for (let n = 0; n < 10; n++) t.equal(await statusOf(stack), 200)
  t.same(calls().sort(), [0, 10], 'one tenant, one pool')
})

t.test('a hedge: the second server answers, the first sees the call end, the caller pays once', async (t) => {
  let calls = 0
  // Whichever server is asked first is silent; the one that is asked beside it answers.
  const script = ({ path }: { path: string }): Script => ({
    content: ['well'],
    ...(path.startsWith('/v1/chat') && ++calls === 1 ? { firstTokenMs: 20_000 } : {}),
  })
  const { fleet, stack } = await running(t, [{ script }, { script }], (origins) => ({
    pools: { gpu: poolOf(origins) },
    models: { demo: { hedge: { afterMs: 50, outputTokensMax: 8 } } },
  }))
  t.equal(await statusOf(stack), 200)
  const silent = [0, 1].map((index) => fleet.server(index))
  await until(() => silent.some(({ stats }) => stats.aborted.prefill === 1))
  t.ok(silent.every(({ stats }) => stats.running === 0))
  const answering = silent.find(({ stats }) => stats.completed === 1)
  const hedged = stack.audit().find(({ attempts }) => attempts === 2)
  t.match(hedged, { outcome: 'completed', upstream: answering?.url })
  t.match(await stack.metrics(), /sallyport_upstream_retries_total\{pool="gpu",reason="hedge"\} \d/)
  t.match(await stack.metrics(), /sallyport_upstream_turns\{pool="gpu"\} 0/)
})

t.test('a server that is full: another one answers, and the full one is not left out', async (t) => {
  const full = { failureInjectionRate: 100, failureTypes: ['rate_limit'] } as const
  const { stack } = await running(t, [full, {}], (origins) => ({ pools: { gpu: poolOf(origins) } }))
  for (let n = 0; n < 12; n++) t.equal(await statusOf(stack), 200)
  t.equal(events(stack, 'upstream.down').length, 0)
})

t.test('tenants do not share prefix caches', async (t) => {
  const { fleet, stack } = await running(t, [{}], (origins) => ({ pools: { gpu: poolOf(origins) } }))
  const as = async (tenant: string): Promise<unknown> => {
    const reply = await stack.post('/v1/chat/completions', body(), {
      authorization: `Bearer ${stack.token({ tenant })}`,
    })
    t.equal(reply.status, 200, await reply.text())
    return fleet.calls(0).at(-1)?.['cache_salt']
  }
  const [one, two, again] = [await as('acme'), await as('umbrella'), await as('acme')]
  t.match(one, /^[\w-]{43}$/)
  t.not(one, two)
  t.equal(one, again)
})

t.test('events are padded for those who ask for it', async (t) => {
  const { stack } = await running(t, [{}], (origins) => ({ pools: { gpu: poolOf(origins) } }))
  const streamed = async (options: Section) =>
    (await chat(stack, { stream: true, stream_options: options })).text()
  t.match(await streamed({ include_obfuscation: true }), '"obfuscation":"')
  t.notMatch(await streamed({}), 'obfuscation')
})

t.test('probes: a server that does not answer them is left out without a call, and comes back', async (t) => {
  const { fleet, stack } = await running(t, [{}, {}], (origins) => ({
    pools: {
      gpu: poolOf(origins, {
        health: { probe: true, probeIntervalMs: 100, probeTimeoutMs: 500, ejectionMs: 100, slowStartMs: 0 },
      }),
    },
  }))
  await until(() => fleet.server(0).requests.some(({ path }) => path === '/health'))
  await fleet.kill(0)
  await until(() => events(stack, 'upstream.down').length > 0)
  t.match(events(stack, 'upstream.down')[0], { reason: 'probes_failed' })
  await fleet.revive(0)
  await until(async () => {
    await statusOf(stack)
    return events(stack, 'upstream.up').length > 0
  })
  t.match(await stack.metrics(), /sallyport_upstream_probes_total\{pool="gpu",result="down"\} [1-9]/)
})

t.test('the name service: servers come and go as it says', async (t) => {
  const dns = await SimulatedDns.open()
  t.teardown(() => dns[Symbol.asyncDispose]())
  const named = (origins: readonly string[]) =>
    dns.set('SRV', '_http._tcp.llm.localhost', {
      records: origins.map((origin) => ({ target: 'pod.localhost', port: Number(new URL(origin).port) })),
      ttlSeconds: 1,
    })
  dns.set('A', 'pod.localhost', { records: ['127.0.0.1'], ttlSeconds: 1 })
  const { fleet, stack } = await running(t, [{}, {}], (origins) => {
    named(origins.slice(0, 1))
    const discovery = {
      ...{ kind: 'srv', name: '_http._tcp.llm.localhost', scheme: 'http', nameservers: [dns.server] },
      ...{ refreshMsMin: 100, refreshMsMax: 200, families: 'ipv4' },
    }
    return { pools: { gpu: { ...poolOf([], { plaintext: 'allowed' }), endpoints: undefined, discovery } } }
  })
  t.equal(await statusOf(stack), 200, 'the first call waits for the first lookup')
  t.equal(fleet.calls(0).length, 1)
  named(fleet.origins.slice(1))
  await until(() => events(stack, 'upstream.servers').length === 2)
  t.equal(await statusOf(stack), 200)
  t.same([fleet.calls(0).length, fleet.calls(1).length], [1, 1])
  dns.set('SRV', '_http._tcp.llm.localhost', 'servfail')
  await until(() => events(stack, 'upstream.lookup').length > 1)
  t.equal(await statusOf(stack), 200, 'the servers of before stay')
})
