// How limits slip in other gateways, by their own issue trackers: each is a test here. Budgets of a month stand for every
// token limit where exact figures are compared: unlike a rate they do not move while a test runs.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import type { RecordedRequest } from '../../loadtest/simulated/record.ts'
import { chat } from '../support/flow.ts'
import { remaining, startMetered } from '../support/metered.ts'
import { until } from '../support/stack.ts'

let script: Script | ((request: RecordedRequest) => Script | undefined) | undefined
/** What every limit of tokens starts with, in what its header counts; a token costs 0.001, which are 1000 millionths. */
const everyTokens = {
  total_tokens: { amount: 2_000, full: 2_000 },
  input_tokens: { amount: 2_000, full: 2_000 },
  output_tokens: { amount: 2_000, full: 2_000 },
  cost: { amount: 2, full: 2_000_000 },
}
const ways = Object.entries(everyTokens).flatMap(([counts, figures]) =>
  ['stream', 'whole'].flatMap((way) =>
    ['reported', 'counted', 'used-up'].map((usage) => ({ ...figures, counts, way, usage })),
  ),
)
const nameOf = ({ counts, way, usage }: { counts: string; way: string; usage: string }): string =>
  `${counts}-${way}-${usage}`
const ofWays = Object.fromEntries(
  ways.map((way) => [nameOf(way), { counts: way.counts, per: 'month', amount: way.amount }]),
)
const metered = await startMetered(
  {
    ...ofWays,
    estimate: { counts: 'input_tokens', per: 'month', amount: 2_000 },
    five: { counts: 'total_tokens', per: 'minute', amount: 100 },
    floor: { counts: 'total_tokens', per: 'minute', amount: 60 },
    'caps-0': { counts: 'output_tokens', per: 'month', amount: 1_000 },
    'caps-1': { counts: 'output_tokens', per: 'month', amount: 1_000 },
    'caps-2': { counts: 'output_tokens', per: 'month', amount: 1_000 },
    slot: { counts: 'in_flight', amount: 1 },
    burn: { counts: 'requests', per: 'month', amount: 100 },
    'burn-tokens': { counts: 'total_tokens', per: 'month', amount: 150, where: { tenants: ['burn'] } },
    'burn-slot': { counts: 'in_flight', amount: 1, where: { tenants: ['burn'] } },
    falls: { counts: 'requests', per: 'month', amount: 100 },
    'falls-tokens': { counts: 'total_tokens', per: 'month', amount: 10_000, where: { tenants: ['falls'] } },
    routes: { counts: 'requests', per: 'month', amount: 1_000 },
  },
  {
    model: { script: (request) => (typeof script === 'function' ? script(request) : script) },
    models: {
      models: {
        demo: { price: { input: 1_000, output: 1_000 } },
        secret: { price: { input: 1_000, output: 1_000 } },
      },
    },
  },
)
t.teardown(() => metered.stop())
const { stack, caller, as, idle } = metered
t.afterEach(() => {
  script = undefined
})
const codeOf = async (reply: { json(): Promise<unknown> }): Promise<string | undefined> =>
  ((await reply.json()) as { error?: { code?: string } }).error?.code

const words = Array.from({ length: 60 }, () => 'word ')
const prompt = 'many words '.repeat(60)
const long = { messages: [{ role: 'user', content: prompt }], max_tokens: 100 }

/** What the prompt is estimated at. Where a model server reports the same, nothing is learned and figures stay exact. */
const estimate = async (): Promise<number> => {
  script = { content: words, usage: null }
  const reply = await caller.chat(long, as('estimate'))
  await reply.text()
  await idle()
  return 2_000 - remaining(reply, 'input_tokens/month')
}
const promptTokens = await estimate()

t.test('five at once use 663 tokens of 100 a minute (LiteLLM 18730)', async (t) => {
  const held = Promise.withResolvers<void>()
  script = { content: Array.from({ length: 30 }, () => 'word '), gate: () => held.promise }
  const before = stack.model.stats.requests
  const calls = Array.from({ length: 5 }, () => caller.chat({ max_tokens: 30 }, as('five')))
  await until(() => stack.model.stats.requests - before >= 2)
  const refused = await Promise.race(calls)
  t.equal(refused.status, 429, 'refused while the others run')
  held.resolve()
  const replies = await Promise.all(calls)
  const passed = replies.filter(({ status }) => status === 200)
  t.equal(passed.length, 2, 'prompt and 30 tokens fit twice')
  const used = await Promise.all(
    passed.map(
      async (reply) => ((await reply.json()) as { usage: { total_tokens: number } }).usage.total_tokens,
    ),
  )
  t.ok(used.reduce((sum, each) => sum + each, 0) <= 100)
  t.equal(stack.model.stats.requests - before, 2)
  await idle()
})

/** Units of a header for tokens of the prompt and the reply. */
function unitsOf(counts: string, input: number, output: number): number {
  if (counts === 'input_tokens') return input
  if (counts === 'output_tokens') return output
  return counts === 'cost' ? (input + output) * 1_000 : input + output
}

for (const each of ways.filter(({ usage }) => usage !== 'used-up')) {
  const { counts, full, way, usage } = each
  const reported = usage === 'reported'
  const stream = way === 'stream'
  t.test(`a limit of tokens that is not asked for streams (LiteLLM 41610): ${nameOf(each)}`, async (t) => {
    const total = { prompt_tokens: promptTokens, completion_tokens: 64, total_tokens: promptTokens + 64 }
    script = { content: words, usage: reported ? total : null }
    const first = await caller.chat({ ...long, stream }, as(nameOf(each)))
    t.equal(first.status, 200)
    const aside = full - remaining(first, `${counts}/month`)
    t.equal(aside, unitsOf(counts, promptTokens, 100), 'set aside: the prompt and the bound')
    await first.text()
    await idle()
    const second = await caller.chat({ ...long, stream }, as(nameOf(each)))
    await second.text()
    await idle()
    const used = full - aside - remaining(second, `${counts}/month`)
    if (reported) t.equal(used, unitsOf(counts, promptTokens, 64), 'what was reported, to the token')
    else {
      const [least, most] = [60, 100].map((output) => unitsOf(counts, promptTokens, output)) as [
        number,
        number,
      ]
      t.ok(used >= least && used <= most, 'where nothing is reported, our own count, which errs upwards')
    }
  })
}

for (const each of ways.filter(({ usage }) => usage === 'used-up')) {
  const { counts, full, way } = each
  t.test(`a limit that streams get past (LiteLLM 41610): ${nameOf(each)}`, async (t) => {
    const total = { prompt_tokens: promptTokens, completion_tokens: 60, total_tokens: promptTokens + 60 }
    script = { content: words, usage: total }
    const before = stack.model.stats.requests
    const status = async (stream: boolean): Promise<number> => {
      const reply = await caller.chat({ ...long, stream }, as(nameOf(each)))
      await reply.text()
      await idle()
      return reply.status
    }
    let passed = 0
    while ((await status(way === 'stream')) === 200) passed += 1
    t.ok(passed >= 5)
    t.equal(stack.model.stats.requests - before, passed)
    t.ok(passed * unitsOf(counts, promptTokens, 60) <= full, 'never above the limit')
    t.ok((passed + 1) * unitsOf(counts, promptTokens, 60) > full - unitsOf(counts, 0, 40), 'nor far below it')
    t.same([await status(true), await status(false)], [429, 429], 'streams and whole replies alike')
  })
}

t.test(
  'a reservation floor turns a small limit into a wall that says 1000 are left (LiteLLM 28805)',
  async (t) => {
    const before = stack.model.requests.length
    const unbounded = { model: 'demo', messages: [{ role: 'user', content: 'hi' }] }
    const reply = await caller.fetch('/v1/chat/completions', { token: as('floor'), body: unbounded })
    t.equal(reply.status, 200, 'a bound that nobody named shrinks to what fits')
    t.equal(remaining(reply, 'total_tokens/minute'), 0)
    const sent = JSON.parse(stack.model.requests[before]?.body ?? '') as Record<string, number>
    const bound = sent['max_completion_tokens'] ?? sent['max_tokens'] ?? Number.NaN
    t.ok(bound > 30 && bound < 60, 'and the model server is told so')
    await reply.text()
    await idle()
    const named = await caller.chat({ max_tokens: 200 }, as('floor'))
    t.equal(named.status, 400, 'no 429: waiting does not help')
    const { error, gateway } = (await named.json()) as {
      error: { code: string }
      gateway: { limit: { lower: { max_tokens: number } } }
    }
    t.equal(error.code, 'request_above_limit')
    t.equal(gateway.limit.lower.max_tokens, bound, 'the same bound')
  },
)

const capped = [
  { fields: { max_tokens: 1, max_completion_tokens: 200 }, choices: 1 },
  { fields: { max_tokens: 200, max_completion_tokens: 1, n: 3 }, choices: 3 },
  { fields: { max_completion_tokens: 100, n: 2 }, choices: 2 },
] as const
for (const [index, { fields, choices }] of capped.entries()) {
  const named = JSON.stringify(fields)
  t.test(`a bound is set aside and another one is sent (LiteLLM 37001, 34223): ${named}`, async (t) => {
    const held = Promise.withResolvers<void>()
    script = {
      choices: Array.from({ length: choices }, () => ({ content: ['a ', 'b'] })),
      gate: (index) => (index > 2 ? held.promise : undefined),
    }
    const before = stack.model.requests.length
    const reply = await caller.stream({ max_tokens: undefined, ...fields }, as(`caps-${index}`))
    const aside = 1_000 - remaining(reply.head, 'output_tokens/month')
    const sent = JSON.parse(stack.model.requests[before]?.body ?? '') as Record<string, number>
    const bounds = [sent['max_tokens'], sent['max_completion_tokens']].filter((bound) => bound !== undefined)
    t.equal(bounds.length, 1, 'one bound is sent')
    t.equal(aside, (bounds[0] as number) * choices, 'and that one is set aside, for each choice')
    t.equal(sent['n'] ?? 1, choices)
    held.resolve()
    await reply.end
    await idle()
  })
}

t.test('what one limit refuses still burns the others (LiteLLM 39309)', async (t) => {
  const held = Promise.withResolvers<void>()
  script = {
    content: ['a ', 'b ', 'c'],
    gate: (index) => (index > 2 ? held.promise : undefined),
    usage: { prompt_tokens: 20, completion_tokens: 30, total_tokens: 50 },
  }
  const first = await caller.stream({ max_tokens: 100 }, as('burn'))
  t.equal(remaining(first.head, 'requests/month'), 99)
  for (let calls = 0; calls < 3; calls++) {
    const refused = await caller.chat({ max_tokens: 10 }, as('burn'))
    t.equal(await codeOf(refused), 'concurrency_limit_exceeded')
  }
  held.resolve()
  await first.end
  await idle()
  for (let calls = 0; calls < 3; calls++) {
    const refused = await caller.chat({ max_tokens: 120 }, as('burn'))
    t.equal(await codeOf(refused), 'insufficient_quota')
    t.equal(remaining(refused, 'in_flight'), 1, 'no slot is held by what was refused')
  }
  const next = await caller.chat({ max_tokens: 60 }, as('burn'))
  t.equal(next.status, 200, 'refused calls took no tokens')
  t.equal(remaining(next, 'requests/month'), 98, 'and no requests')
  await next.text()
  await idle()
})

t.test(
  '"remaining" does not fall while calls run at the same time (Envoy AI Gateway 680, 2394, 1754)',
  async (t) => {
    const held = Promise.withResolvers<void>()
    script = { content: ['a ', 'b ', 'c'], gate: (index) => (index > 2 ? held.promise : undefined) }
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => caller.stream({ max_tokens: 100 }, as('falls'))),
    )
    const requests = streams.map(({ head }) => remaining(head, 'requests/month')).sort((a, b) => b - a)
    t.same(
      requests,
      Array.from({ length: 20 }, (_, index) => 99 - index),
      'each its own figure, one less each time',
    )
    const tokens = streams.map(({ head }) => remaining(head, 'total_tokens/month')).sort((a, b) => b - a)
    const each = 10_000 - (tokens[0] as number)
    t.same(
      tokens,
      Array.from({ length: 20 }, (_, index) => 10_000 - each * (index + 1)),
    )
    held.resolve()
    await Promise.all(streams.map(({ end }) => end))
    await idle()
  },
)

t.test('a route beside the known ones passes all budgets (Bifrost 2873)', async (t) => {
  const token = as('routes')
  const asks: Record<string, () => Promise<{ status: number; headers: Headers; text(): Promise<string> }>> = {
    chat: () => caller.chat({}, token) as never,
    'a stream': () => caller.chat({ stream: true }, token) as never,
    completions: () =>
      caller.fetch('/v1/completions', {
        token,
        body: { model: 'demo', prompt: 'x', max_tokens: 5 },
      }) as never,
    embeddings: () => caller.fetch('/v1/embeddings', { token, body: { model: 'demo', input: 'x' } }) as never,
    models: () => caller.fetch('/v1/models', { token }) as never,
    responses: () => caller.fetch('/v1/responses', { token, body: { model: 'demo', input: 'x' } }) as never,
    messages: () => caller.fetch('/v1/messages', { token, body: chat() }) as never,
    passthrough: () =>
      caller.fetch('/openai_passthrough/v1/chat/completions', { token, body: chat() }) as never,
    tokenize: () => caller.fetch('/tokenize', { token, body: { prompt: 'x' } }) as never,
    'another case': () => caller.fetch('/V1/Chat/Completions', { token, body: chat() }) as never,
    'another slash': () => caller.fetch('/v1//chat/completions', { token, body: chat() }) as never,
    'the wrong method': () => caller.fetch('/v1/chat/completions', { token }) as never,
    'a body that is no call': () =>
      caller.fetch('/v1/chat/completions', { token, body: { nothing: 1 } }) as never,
    'a model that is none': () => caller.chat({ model: 'none' }, token) as never,
    'a parameter above its cap': () => caller.chat({ max_tokens: 1e6 }, token) as never,
  }
  let left = 1_000
  for (const [name, ask] of Object.entries(asks)) {
    const before = stack.model.stats.requests
    const reply = await ask()
    await reply.text()
    await idle()
    left -= 1
    t.equal(remaining(reply, 'requests/month'), left, `${name} (${reply.status}) is one request`)
    const forwarded = stack.model.stats.requests - before
    t.ok(forwarded === (reply.status === 200 && name !== 'models' ? 1 : 0), `${name}: ${forwarded} forwarded`)
  }
  t.same(stack.model.stats.adminHits, {})
  t.equal(stack.model.stats.unknownPaths, 0)
})
