// What the stock OpenAI client for Node.js makes of limits with its own two retries: how often it sends a call, whether it
// waits as long as it was told, and what its caller gets in the end.
import OpenAI from 'openai'
import t from 'tap'
import { fetch as undiciFetch } from 'undici'
import { HeldModel } from '../support/flow.ts'
import { startStack, until } from '../support/stack.ts'

const held = new HeldModel()
const forTenant = (tenant: string, rule: object): object => ({
  by: ['tenant'],
  where: { tenants: [tenant] },
  ...rule,
})
const stack = await startStack({
  model: { script: held.script },
  policies: {
    limits: {
      second: forTenant('second', { counts: 'requests', per: 'second', amount: 1, burst: 1 }),
      tokens: forTenant('tokens', { counts: 'total_tokens', per: 'second', amount: 100, burst: 130 }),
      herd: forTenant('herd', { counts: 'requests', per: 'second', amount: 5, burst: 1 }),
      hour: forTenant('hour', { counts: 'requests', per: 'hour', amount: 1, burst: 1 }),
      budget: forTenant('budget', { counts: 'requests', per: 'month', amount: 1 }),
      above: forTenant('above', { counts: 'total_tokens', per: 'minute', amount: 100 }),
      slot: forTenant('slot', { counts: 'in_flight', amount: 1 }),
    },
  },
})
t.teardown(() => stack.stop())

interface Attempt {
  readonly at: number
  readonly status: number
  /** What the client says itself: 0, 1, 2. */
  readonly retry: string | null
  readonly headers: Headers
}

/** The stock client, and what went over its wire. */
function clientOf(tenant: string, maxRetries?: number) {
  const attempts: Attempt[] = []
  const openai = stack.openai({ token: stack.token({ tenant }) }).withOptions({
    ...(maxRetries === undefined ? { maxRetries: undefined as never } : { maxRetries }),
    fetch: async (url, init) => {
      const at = performance.now()
      const reply = (await undiciFetch(url as string, init as never)) as unknown as Response
      const retry = new Headers(init?.headers).get('x-stainless-retry-count')
      attempts.push({ at, status: reply.status, retry, headers: reply.headers })
      return reply
    },
  })
  const ask = (fields: object = {}) =>
    openai.chat.completions.create({
      model: 'demo',
      messages: [{ role: 'user', content: 'hi' }],
      max_tokens: 100,
      ...fields,
    } as OpenAI.ChatCompletionCreateParamsNonStreaming)
  return { attempts, ask, openai }
}

const thrownBy = (call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> =>
  call.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error) => error,
  )
const statuses = (attempts: readonly Attempt[]): readonly number[] => attempts.map(({ status }) => status)

/** Each retry came no earlier than its refusal said; a millisecond is the grain of timers. */
function obeyed(attempts: readonly Attempt[]): boolean {
  return attempts.slice(1).every(({ at }, index) => {
    const before = attempts[index] as Attempt
    return at - before.at >= Number(before.headers.get('retry-after-ms')) - 1
  })
}

for (const [tenant, type] of [
  ['second', 'requests'],
  ['tokens', 'tokens'],
] as const) {
  t.test(`a short wait, ${type}: the client waits what it was told, and gets its answer`, async (t) => {
    // A stream that runs: its tokens are not settled.
    const running = (await clientOf(tenant).ask({ stream: true })) as unknown as AsyncIterable<unknown>
    const { attempts, ask } = clientOf(tenant)
    t.equal((await ask()).choices[0]?.message.content, 'word')
    t.ok(attempts.length >= 2)
    t.equal(attempts.at(-1)?.status, 200)
    for (const { status, headers } of attempts.slice(0, -1)) {
      t.equal(status, 429)
      t.notOk(headers.has('x-should-retry'))
    }
    t.ok(obeyed(attempts))
    held.release()
    for await (const _ of running);
  })
}

t.test(
  'many clients at once on a small limit: all get their answer, for each knows when to come back',
  async (t) => {
    const clients = Array.from({ length: 8 }, () => clientOf('herd', 30))
    const replies = await Promise.all(clients.map(({ ask }) => ask()))
    t.equal(replies.length, 8)
    const attempts = clients.flatMap((client) => client.attempts)
    t.equal(attempts.filter(({ status }) => status === 200).length, 8)
    t.ok(attempts.some(({ status }) => status === 429))
    t.ok(clients.every((client) => obeyed(client.attempts)))
  },
)

const once: Readonly<
  Record<string, { readonly code: string; readonly type: string; readonly fields?: object }>
> = {
  hour: { code: 'rate_limit_exceeded', type: 'requests' },
  budget: { code: 'insufficient_quota', type: 'insufficient_quota' },
}
for (const [tenant, { code, type }] of Object.entries(once)) {
  t.test(`${tenant}: a wait beyond its patience is told once, and not tried again`, async (t) => {
    const { attempts, ask } = clientOf(tenant)
    await ask()
    const error = await thrownBy(ask())
    t.ok(error instanceof OpenAI.RateLimitError)
    t.match(error, { status: 429, code, type })
    t.same(statuses(attempts), [200, 429])
    t.ok(Number(error.headers?.get('retry-after')) > 60)
    t.equal(error.headers?.get('x-should-retry'), 'false')
    const streamed = await thrownBy(ask({ stream: true }))
    t.match(streamed, { status: 429, code })
    t.equal(attempts.length, 3, 'a stream neither')
    const helper = await thrownBy(
      clientOf(tenant)
        .openai.chat.completions.stream({ model: 'demo', messages: [], max_tokens: 1 })
        .finalMessage(),
    )
    t.ok(helper instanceof OpenAI.APIError)
  })
}

t.test('a call that is too large: one attempt, the parameter and its value', async (t) => {
  const { attempts, ask } = clientOf('above')
  const error = await thrownBy(ask({ max_tokens: 200 }))
  t.ok(error instanceof OpenAI.BadRequestError)
  t.match(error, { status: 400, code: 'request_above_limit', param: 'max_tokens' })
  t.same(statuses(attempts), [400])
  const most = /to (\d+) or less/.exec(error.message)?.[1]
  t.equal((await ask({ max_tokens: Number(most) })).choices[0]?.message.content, 'word')
})

t.test('a slot that is taken: three attempts a second apart, then the caller hears of it', async (t) => {
  const { attempts, ask } = clientOf('slot')
  const other = clientOf('slot')
  const stream = (await other.ask({ stream: true })) as unknown as AsyncIterable<unknown>
  const error = await thrownBy(ask())
  t.ok(error instanceof OpenAI.RateLimitError)
  t.match(error, { code: 'concurrency_limit_exceeded', type: 'requests' })
  t.same(statuses(attempts), [429, 429, 429])
  t.same(
    attempts.map(({ retry }) => retry),
    ['0', '1', '2'],
  )
  t.ok(obeyed(attempts))
  held.release()
  for await (const _ of stream);
  await until(async () => (await ask().catch(() => undefined)) !== undefined)
})

t.test('the raw headers reach whoever asks the client for them', async (t) => {
  const { openai } = clientOf('second')
  const { response } = await openai.chat.completions
    .create({ model: 'demo', messages: [{ role: 'user', content: 'hi' }], max_tokens: 10 })
    .withResponse()
  for (const kind of ['limit', 'remaining', 'reset'])
    t.ok(response.headers.has(`x-ratelimit-${kind}-requests`), kind)
})
