// Three gateways, each a whole one with its listeners, on one Redis: 200 callers at once get exactly what the limit says,
// a token budget is exact over all of them, and Redis that goes away under load is no failure of a call.
import t from 'tap'
import { callerOf, recordsEnded } from '../support/flow.ts'
import { startRedis } from '../support/redis-server.ts'
import { type Stack, startStack, until } from '../support/stack.ts'

const redis = await startRedis()
t.teardown(() => redis.stop())
const perTenant = { by: ['tenant'] }
const stacks = await Promise.all(
  [1, 2, 3].map(() =>
    startStack({
      gateway: { quota: { redis: { addresses: [redis.address], deadlineMs: 5_000 } } },
      policies: {
        limits: {
          minute: { counts: 'requests', per: 'minute', amount: 60, burst: 70, ...perTenant },
          tokens: {
            ...{ counts: 'total_tokens', per: 'day', amount: 3_000, by: ['tenant'] },
            where: { tenants: ['spender'] },
          },
        },
      },
    }),
  ),
)
const [first] = stacks as [Stack, ...Stack[]]
const callers = stacks.map((stack) => callerOf(stack))
t.teardown(async () => {
  await Promise.all(callers.map((caller) => caller.close()))
  await Promise.all(stacks.map((stack) => stack.stop()))
})

const metrics = (): Promise<string[]> => Promise.all(stacks.map((stack) => stack.metrics()))

/** Statuses of so many calls at once, spread over the gateways, and how often each came. */
async function crowd(tenant: string, calls: number, fields: object = {}): Promise<Map<number, number>> {
  const seen = new Map<number, number>()
  const one = async (index: number): Promise<void> => {
    const stack = stacks[index % stacks.length]
    const token = stack?.token({ tenant })
    const reply = await callers[index % stacks.length]?.chat({ max_tokens: 1, ...fields }, token)
    await reply?.text()
    const status = reply?.status ?? 0
    seen.set(status, (seen.get(status) ?? 0) + 1)
  }
  await Promise.all(Array.from({ length: calls }, (_, index) => one(index)))
  await until(async () => (await metrics()).every((text) => text.includes('sallyport_requests_in_flight 0')))
  await recordsEnded(...stacks)
  return seen
}

t.test('of 200 callers at once exactly the burst passes, over all gateways', async (t) => {
  // What flows back while the calls run: one a second.
  const startedAt = performance.now()
  const seen = await crowd('crowd', 200)
  const flowedBack = Math.floor((performance.now() - startedAt) / 1_000)
  const passed = seen.get(200) ?? 0
  t.ok(passed >= 70 && passed <= 70 + flowedBack, `${passed} of 70 and ${flowedBack}`)
  t.equal(passed + (seen.get(429) ?? 0), 200)
})

t.test('a budget of tokens is never passed, and is the sum of what all gateways recorded', async (t) => {
  await crowd('spender', 60, { max_tokens: 64 })
  const spent = stacks
    .flatMap((stack) => stack.audit().filter(({ event }) => event === 'exchange.ended'))
    .filter(({ request_id }) =>
      stacks.some((stack) =>
        stack.audit().some((other) => other['request_id'] === request_id && other['tenant'] === 'spender'),
      ),
    )
    .reduce(
      (sum, record) => sum + Number(record['input_tokens'] ?? 0) + Number(record['output_tokens'] ?? 0),
      0,
    )
  const reply = await first.admin('GET', '/usage?tenant=spender&limit=tokens')
  const { buckets } = (await reply.json()) as { buckets: readonly { used: number }[] }
  t.equal(buckets[0]?.used, spent)
  t.ok(spent > 0 && spent <= 3_000)
})

t.test('an operator changes a limit at one gateway, and all keep to it', async (t) => {
  const rule = { counts: 'requests', per: 'day', amount: 2, by: ['tenant'], where: { tenants: ['few'] } }
  const made = await first.admin('PUT', '/quotas/few-a-day', {
    body: rule,
    headers: { 'if-none-match': '*' },
  })
  t.equal(made?.status, 201)
  const claims = { tenant: 'few', roles: ['app'] }
  const question = { claims, endpoint: 'chat.completions', model: 'demo' }
  for (const stack of stacks)
    await until(async () => {
      const answer = await stack.admin('POST', '/explain', { body: question })
      return (await answer.text()).includes('few-a-day')
    }, 10_000)
  const seen = await crowd('few', 9)
  t.equal(seen.get(200), 2)
  t.equal(seen.get(429), 7)
})

t.test(
  'Redis dies under load: no failure, everything within the shares, and all is charged when it is back',
  async (t) => {
    const ready = async (): Promise<boolean> =>
      (await first.metrics())?.includes('sallyport_quota_replicas 3') === true
    await until(ready, 20_000)
    // Every gateway has a part once all have heard of it.
    await new Promise((resolve) => setTimeout(resolve, 6_500))
    await redis.kill()
    const seen = await crowd('steady', 120)
    t.same([...seen.keys()].toSorted(), [200, 429])
    const passed = seen.get(200) ?? 0
    t.ok(passed >= 69 && passed <= 80, `${passed} pass: the burst, and what flows back in a few seconds`)
    const probe = await fetch(`${first.probes}/readyz`)
    t.match(await probe.text(), /limits by this gateway/)
    await redis.restart()
    await until(
      async () =>
        (await Promise.all(stacks.map((stack) => stack.metrics()))).every((text) =>
          text.includes('sallyport_quota_store_available 1'),
        ),
      20_000,
    )
    const again = await crowd('steady', 30)
    t.notOk([...again.keys()].some((status) => status >= 500))
    const recorded = (event: string): boolean => first.audit().some((record) => record['event'] === event)
    await until(() => recorded('quota.store_back'))
    t.ok(recorded('quota.store_away'))
  },
)
