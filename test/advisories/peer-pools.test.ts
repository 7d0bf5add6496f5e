// Complaints about how other gateways use a pool of model servers, as calls to ours.
import t, { type Test } from 'tap'
import type { ModelServerOptions, Script } from '../../loadtest/model-server.ts'
import { FaultProxy } from '../support/fault-proxy/proxy.ts'
import { Fleet } from '../support/fleet.ts'
import { type Stack, startStack, until } from '../support/stack.ts'

type Section = Record<string, unknown>

const limits = { inFlight: 200, requestsPerMinute: 100_000, burst: 10_000 }

async function running(t: Test, servers: readonly Partial<ModelServerOptions>[], pool: Section = {}) {
  const fleet = await Fleet.start(servers)
  t.teardown(() => fleet.stop())
  const open = (endpoints: readonly string[]) =>
    startStack({
      policies: { roles: { app: { limits } } },
      models: { pools: { gpu: { ...plain, endpoints, ...pool } } },
    })
  return { fleet, open }
}
const plain = { tls: undefined, apiKeyFile: undefined }
const call = (stack: Stack, fields: Section = {}, signal?: AbortSignal) =>
  stack.fetch('/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: `Bearer ${stack.token()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'demo',
      max_tokens: 8,
      messages: [{ role: 'user', content: 'hi' }],
      ...fields,
    }),
    ...(signal && { signal }),
  })
const status = async (stack: Stack): Promise<number> => {
  const reply = await call(stack)
  await reply.text()
  return reply.status
}

t.test('one dead backend hangs all calls (vLLM production-stack 749)', async (t) => {
  const { fleet, open } = await running(t, [{}, {}], {
    timeouts: { connectMs: 200 },
    health: { failuresMax: 2, slowStartMs: 0 },
  })
  const dead = await FaultProxy.open({
    host: '127.0.0.1',
    port: Number(new URL(fleet.origins[0] as string).port),
  })
  t.teardown(() => dead.close())
  const stack = await open([`http://127.0.0.1:${dead.port}`, fleet.origins[1] as string])
  t.teardown(() => stack.stop())
  await dead.down()
  const statuses = await Promise.all(Array.from({ length: 30 }, () => status(stack)))
  t.same([...new Set(statuses)], [200])
})

t.test(
  'a backend that is full makes the pool answer 500 (Gateway API inference extension, FailOpen)',
  async (t) => {
    const full: Partial<ModelServerOptions> = {
      maxNumSeqs: 1,
      maxWaitingQueueLength: 0,
      timeToFirstTokenMs: 50,
    }
    const { fleet, open } = await running(t, [full])
    const stack = await open(fleet.origins)
    t.teardown(() => stack.stop())
    const replies = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const reply = await call(stack)
        return {
          status: reply.status,
          retryAfter: reply.headers.get('retry-after'),
          text: await reply.text(),
        }
      }),
    )
    for (const reply of replies.filter((each) => each.status !== 200)) {
      t.match(reply, { status: 503, retryAfter: /^\d+$/ })
      t.match(JSON.parse(reply.text), {
        error: { code: 'upstream_overloaded' },
        gateway: { retryable: true },
      })
    }
    t.ok(replies.some((each) => each.status === 200))
  },
)

t.test(
  'the model server works on for callers who left, also before the first token (LiteLLM 13774, 22805; production-stack 634)',
  async (t) => {
    const script = (): Script => ({ content: ['never'], firstTokenMs: 60_000 })
    const { fleet, open } = await running(t, [{ script }, { script }])
    const stack = await open(fleet.origins)
    t.teardown(() => stack.stop())
    const leaving = new AbortController()
    const calls = Array.from({ length: 10 }, (_, n) => call(stack, { stream: n % 2 === 0 }, leaving.signal))
    const sum = (of: (index: number) => number): number => of(0) + of(1)
    await until(() => sum((index) => fleet.server(index).stats.running) === 10)
    leaving.abort()
    const ended = await Promise.allSettled(calls)
    t.ok(ended.every((each) => each.status === 'rejected'))
    await until(() => sum((index) => fleet.server(index).stats.running) === 0)
    t.equal(
      sum((index) => fleet.server(index).stats.aborted.prefill),
      10,
    )
    await until(async () => (await stack.metrics()).includes('sallyport_upstream_turns{pool="gpu"} 0'))
    t.notMatch(
      await stack.metrics(),
      /sallyport_upstream_ejections_total\{pool="gpu"/,
      'and says nothing of the servers',
    )
  },
)

t.test('a failing server is retried until it drowns (retry storms)', async (t) => {
  const broken = { script: (): Script => ({ status: 500, body: ['{}'] }) }
  const { fleet, open } = await running(t, [broken, broken, broken], { health: { failuresMax: 1_000 } })
  const stack = await open(fleet.origins)
  t.teardown(() => stack.stop())
  for (let n = 0; n < 10; n++) t.equal(await status(stack), 502)
  const sent = [0, 1, 2].reduce((total, index) => total + fleet.calls(index).length, 0)
  t.equal(sent, 10, 'a server that answered with a failure may have done the work: each call is sent once')
})

t.test('the same with servers that are full: a budget bounds what is sent again', async (t) => {
  const full = { failureInjectionRate: 100, failureTypes: ['server_error'] } as const
  const { fleet, open } = await running(t, [full, full, full])
  const stack = await open(fleet.origins)
  t.teardown(() => stack.stop())
  const statuses = await Promise.all(Array.from({ length: 100 }, () => status(stack)))
  t.same([...new Set(statuses)], [503])
  const sent = [0, 1, 2].reduce((total, index) => total + fleet.calls(index).length, 0)
  // A fifth of the calls, and three a second for ten seconds.
  t.ok(sent <= 100 + 20 + 30, `${sent} sent for 100 calls`)
})
