// What callers are told of their limits, over the wire: headers of every reply, bodies of refusals, and what is not told.
import t from 'tap'
import { callerOf, HeldModel } from '../support/flow.ts'
import { samplesOf } from '../support/scene.ts'
import { startStack, until } from '../support/stack.ts'

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
const held = new HeldModel()
const wide = { requestsPerMinute: 60_000, burst: 1_000, inFlight: 100 }
const role = (limits: object): object => ({
  scopes: ['inference'],
  parameters: { outputTokensMax: 5_000, choicesMax: 4 },
  limits,
  redaction: 'mask',
  binding: 'none',
})
/** Budgets of a month: unlike a rate, they do not move while a test runs. */
const forTenant = (tenant: string, rule: object): object => ({
  by: ['tenant'],
  where: { tenants: [tenant] },
  ...rule,
})
const stack = await startStack({
  model: {
    script: (request) => ({ ...held.script(request), usage }),
  },
  models: {
    models: {
      demo: { outputTokensMax: 5_000 },
      secret: { price: { input: 1_000, output: 2_000 } },
      other: { pool: 'gpu', upstreamModel: 'demo', outputTokensMax: 512 },
    },
  },
  policies: {
    scopes: { inference: { models: ['demo', 'secret', 'other'] } },
    roles: { app: role(wide), hidden: role({ requestsPerMinute: 6, burst: 2, inFlight: 1 }) },
    limits: {
      'six-tokens': forTenant('six', { counts: 'total_tokens', per: 'month', amount: 10_000 }),
      'rate-tokens': forTenant('rate', { counts: 'total_tokens', per: 'hour', amount: 1_000 }),
      'rate-output': forTenant('rate', { counts: 'output_tokens', per: 'month', amount: 2_000 }),
      budget: forTenant('budget', { counts: 'total_tokens', per: 'month', amount: 100 }),
      spend: forTenant('spend', {
        counts: 'cost',
        per: 'month',
        amount: 1,
        where: { tenants: ['spend'], models: ['secret'] },
      }),
      small: forTenant('small', { counts: 'total_tokens', per: 'minute', amount: 300 }),
      watched: forTenant('watched', { counts: 'total_tokens', per: 'minute', amount: 20, mode: 'shadow' }),
      everybody: {
        counts: 'output_tokens',
        per: 'month',
        amount: 600,
        by: ['model'],
        where: { models: ['other'] },
      },
    },
  },
})
t.teardown(() => stack.stop())
const caller = callerOf(stack)
t.teardown(() => caller.close())

const as = (tenant: string, roles = ['app']) => stack.token({ tenant, roles })
const idle = () =>
  until(async () => samplesOf(await stack.metrics()).get('sallyport_requests_in_flight') === 0)
const count = async (sample: string): Promise<number> => samplesOf(await stack.metrics()).get(sample) ?? 0
type Reply = Awaited<ReturnType<typeof caller.chat>>
interface Body {
  readonly error: Record<string, unknown>
  readonly gateway: { readonly limit: Record<string, number | Record<string, number>> } & Record<
    string,
    unknown
  >
}
const bodyOf = async (reply: Reply): Promise<Body> => (await reply.json()) as Body
const number = (reply: Reply, header: string): number => Number(reply.headers.get(header))
const tokens = (reply: Reply): number => number(reply, 'x-ratelimit-remaining-tokens')

t.test('all six, and the two of the IETF, on a reply and on the head of a stream', async (t) => {
  const first = await caller.chat({ max_tokens: 100 }, as('six'))
  await first.text()
  await idle()
  t.equal(first.headers.get('x-ratelimit-limit-requests'), '60000')
  t.match(first.headers.get('x-ratelimit-remaining-requests'), /^99\d$/)
  t.match(first.headers.get('x-ratelimit-reset-requests'), /^(?:\d+ms|0s|1s)$/)
  t.equal(first.headers.get('x-ratelimit-limit-tokens'), '10000')
  t.match(first.headers.get('x-ratelimit-reset-tokens'), /^(?:\d+h)?(?:\d+m)?[\d.]+s$/)
  const names = /^"requests\/minute";.*, "in_flight";.*, "total_tokens\/month";[^,]*$/
  t.match(first.headers.get('ratelimit-policy'), names)
  t.match(first.headers.get('ratelimit'), names)
  t.match(first.headers.get('ratelimit-policy'), '"total_tokens/month";q=10000;qu="tokens";w=2678400')
  t.match(first.headers.get('ratelimit-policy'), '"in_flight";q=100;qu="concurrent-requests"')
  t.match(first.headers.get('ratelimit'), '"in_flight";r=99')
  t.notOk(first.headers.has('retry-after'))

  const reserved = 10_000 - tokens(first)
  t.ok(reserved > 100 && reserved < 150, 'the bound and the prompt are set aside')
  const stream = await caller.stream({ max_tokens: 100 }, as('six'))
  t.equal(tokens(stream.head), 10_000 - 15 - reserved, 'the first call is settled to the token')
  const beside = await caller.chat({ max_tokens: 100 }, as('six'))
  t.equal(tokens(beside), 10_000 - 15 - 2 * reserved, 'what runs is subtracted')
  t.match(beside.headers.get('ratelimit'), `"total_tokens/month";r=${tokens(beside)};t=`)
  held.release()
  await stream.end
  await beside.text()
  await idle()
})

t.test('a list of models says where the limits stand as well', async (t) => {
  const reply = await caller.fetch('/v1/models', { token: as('models') })
  t.equal(reply.status, 200)
  t.match(reply.headers.get('x-ratelimit-remaining-requests'), /^(?:9\d\d|1000)$/)
})

t.test('refusals of other kinds carry them after authentication, and a 401 never does', async (t) => {
  const after = [
    await caller.chat({ max_tokens: 99_999 }, as('six')),
    await caller.chat({ frobnicate: 1 }, as('six')),
    await caller.chat({ model: 'nothing' }, as('six')),
    await caller.fetch('/v1/nothing', { token: as('six') }),
  ]
  t.same(
    after.map(({ status }) => status),
    [400, 400, 404, 404],
  )
  for (const { headers } of after) {
    t.match(headers.get('x-ratelimit-remaining-requests'), /^(?:9\d\d|1000)$/)
    t.notOk(headers.has('retry-after'))
  }
  const before = await caller.chat({}, 'nobody')
  t.equal(before.status, 401)
  t.same(
    [...before.headers.keys()].filter((name) => /ratelimit|retry/.test(name)),
    [],
  )
})

t.test('a rate of tokens: the figures, the wait, and what to do', async (t) => {
  const stream = await caller.stream({ max_tokens: 600 }, as('rate'))
  const reply = await caller.chat({ max_tokens: 600 }, as('rate'))
  const { error, gateway } = await bodyOf(reply)
  t.equal(reply.status, 429)
  const { used, asked, wait_ms: waitMs } = gateway.limit as Record<string, number>
  t.match(error, { type: 'tokens', code: 'rate_limit_exceeded', param: null })
  t.match(
    error['message'],
    `tokens per hour: limit 1000, used ${used}, requested ${asked}. Please try again in `,
  )
  t.match(error['message'], ' See docs/reference/errors.md#rate_limit_exceeded.')
  t.match(gateway.limit, { counts: 'total_tokens', per: 'hour', amount: 1000, burst: 1000 })
  t.ok(used && used > 590 && used < 650)
  t.ok(asked && asked > 600 && asked < 650)
  t.equal(number(reply, 'retry-after-ms'), waitMs)
  t.equal(number(reply, 'retry-after'), Math.ceil((waitMs ?? 0) / 1000))
  t.equal(reply.headers.get('x-should-retry'), 'false', 'longer than SDKs wait')
  t.equal(reply.headers.get('x-ratelimit-limit-tokens'), '1000', 'the one that decided')
  t.equal(tokens(reply), 1000 - (used ?? 0))
  held.release()
  await stream.end
  await idle()
  t.equal((await caller.chat({ max_tokens: 600 }, as('rate'))).status, 200, 'settled: there is room again')
})

t.test('a budget: no SDK tries again before its period ends', async (t) => {
  const first = await caller.stream({ max_tokens: 60 }, as('budget'))
  const reply = await caller.chat({ max_tokens: 60 }, as('budget'))
  const { error, gateway } = await bodyOf(reply)
  t.equal(reply.status, 429)
  t.match(error, { type: 'insufficient_quota', code: 'insufficient_quota' })
  t.match(
    error['message'],
    /^Quota exhausted on tokens per month: limit 100, used \d+, requested \d+\. It begins anew in /,
  )
  t.equal(gateway['retryable'], false)
  t.equal(reply.headers.get('x-should-retry'), 'false')
  const reset = /"total_tokens\/month";r=\d+;t=(\d+)/.exec(reply.headers.get('ratelimit') ?? '')?.[1]
  t.equal(reply.headers.get('retry-after'), reset, 'the period ends then')
  held.release()
  await first.end
})

t.test('a budget of money, in the currency to people and in integers to the IETF', async (t) => {
  // 2000 a million: 0.002 a token, so 600 tokens are more than 1.
  const reply = await caller.chat({ model: 'secret', max_tokens: 400 }, as('spend'))
  t.equal(reply.status, 200)
  t.match(reply.headers.get('ratelimit-policy'), '"cost/month";q=1000000;qu="micro-units";w=2678400')
  t.match(
    reply.headers.get('ratelimit'),
    /"cost\/month";r=1[0-9]{5};t=/,
    '0.8 for the reply and a little for the prompt',
  )
  await reply.text()
  await idle()
  const above = await bodyOf(await caller.chat({ model: 'secret', max_tokens: 511 }, as('spend')))
  t.match(above.error, { code: 'request_above_limit', param: 'max_tokens' })
  t.match(above.gateway.limit, { counts: 'cost', per: 'month', amount: 1, used: 0.02 })
})

t.test('a call that no wait helps: what to lower, to which value, and it passes', async (t) => {
  const reply = await caller.chat({ max_tokens: 400, n: 2 }, as('small'))
  const { error, gateway } = await bodyOf(reply)
  t.equal(reply.status, 400)
  t.match(error, { type: 'invalid_request_error', code: 'request_above_limit', param: 'max_tokens' })
  t.notOk(reply.headers.has('retry-after'))
  t.equal(reply.headers.get('x-should-retry'), 'false')
  const most = (gateway.limit['lower'] as Record<string, number>)['max_tokens'] ?? 0
  t.match(error['message'], `Lower max_tokens (or max_completion_tokens) to ${most} or less.`)
  t.equal((await caller.chat({ max_tokens: most + 1, n: 2 }, as('small'))).status, 400, 'not one token more')
  t.equal((await caller.chat({ max_tokens: most, n: 2 }, as('small'))).status, 200)
  await idle()
  const long = { messages: [{ role: 'user', content: 'many words '.repeat(400) }] }
  const shorten = await bodyOf(await caller.chat({ ...long, max_tokens: 5 }, as('small')))
  t.match(shorten.error, { code: 'request_above_limit', param: null })
  t.match(shorten.gateway.limit, { lower: { prompt_tokens: 299 } })
})

t.test('nobody is told a name: of a limit, a role or a tenant', async (t) => {
  const token = as('hidden-tenant', ['hidden'])
  const stream = await caller.stream({}, token)
  const slot = await caller.chat({}, token)
  held.release()
  await stream.end
  await idle()
  await (await caller.chat({}, token)).text()
  await idle()
  const rate = await caller.chat({}, token)
  const told = await Promise.all(
    [slot, rate].map(async (reply) => `${JSON.stringify([...reply.headers])}${await reply.text()}`),
  )
  t.match(told[0], 'concurrency_limit_exceeded')
  t.match(told[1], 'rate_limit_exceeded')
  t.match(rate.headers.get('retry-after'), /^(?:[1-9]|10)$/)
  t.notOk(rate.headers.has('x-should-retry'), 'SDKs may wait and try again')
  for (const text of told) t.notMatch(text, /hidden/)
})

t.test('a bucket that tenants share: how long to wait, and not what the others use', async (t) => {
  const others = await caller.stream({ model: 'other', max_tokens: 437 }, as('big'))
  t.notOk(others.head.headers.has('x-ratelimit-remaining-tokens'))
  t.notMatch(others.head.headers.get('ratelimit'), 'tokens')
  const reply = await caller.chat({ model: 'other', max_tokens: 300 }, as('curious'))
  const text = await reply.text()
  t.match(text, 'output tokens per month: limit 600, which all callers share, requested 300.')
  t.notMatch(`${text}${JSON.stringify([...reply.headers])}`, /437|163/)
  t.match(reply.headers.get('retry-after'), /^\d+$/)
  held.release()
  await others.end
})

t.test('a limit in shadow mode is counted and not told of', async (t) => {
  const shadowed = 'sallyport_limit_refusals_total{name="watched",mode="shadow"}'
  const decided = 'sallyport_ratelimit_decisions_total{limit="total_tokens",decision="shadow"}'
  const before = await count(decided)
  const reply = await caller.chat({ max_tokens: 64 }, as('watched'))
  t.equal(reply.status, 200)
  t.notOk(reply.headers.has('x-ratelimit-limit-tokens'))
  t.notMatch(reply.headers.get('ratelimit'), 'tokens')
  await reply.text()
  await idle()
  t.equal(await count(shadowed), 1)
  t.equal((await count(decided)) - before, 1)
})

t.test('metrics name the limit that refused, and sum up what was set aside and what was used', async (t) => {
  const reserved = 'sallyport_tokens_reserved_total{gen_ai_request_model="demo"}'
  const settled = 'sallyport_tokens_settled_total{gen_ai_request_model="demo"}'
  const before = { reserved: await count(reserved), settled: await count(settled) }
  const passed = await caller.chat({ max_tokens: 64 }, as('metrics'))
  await passed.text()
  await idle()
  t.equal((await count(settled)) - before.settled, 15)
  const aside = (await count(reserved)) - before.reserved
  t.ok(aside > 64 && aside < 100, 'prompt and bound')
  t.equal(await count('sallyport_limit_refusals_total{name="budget",mode="enforce"}'), 1)
  t.equal(await count('sallyport_limit_refusals_total{name="role.hidden.in_flight",mode="enforce"}'), 1)
  t.ok((await count('sallyport_ratelimit_decisions_total{limit="total_tokens",decision="deny"}')) >= 4)
  t.ok((await count('sallyport_ratelimit_decisions_total{limit="requests",decision="allow"}')) >= 10)
})
