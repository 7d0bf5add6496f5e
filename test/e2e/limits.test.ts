// Limits over the wire: exactly the burst passes however many ask at once, a slot is held until the last byte and
// given back on every ending, and callers are told in headers that the stock SDK hands on.
import OpenAI from 'openai'
import t from 'tap'
import { callerOf, codeOf, HeldModel } from '../support/flow.ts'
import { samplesOf } from '../support/scene.ts'
import { startStack, until } from '../support/stack.ts'

const held = new HeldModel()
const role = (limits: object): object => ({
  scopes: ['inference'],
  parameters: { outputTokensMax: 64 },
  limits,
  redaction: 'mask',
  binding: 'none',
})
const stack = await startStack({
  model: { script: held.script },
  policies: {
    roles: {
      // One request in ten seconds: no bucket refills while a test runs.
      bursting: role({ requestsPerMinute: 6, burst: 7, inFlight: 500 }),
      slotted: role({ requestsPerMinute: 60_000, burst: 10_000, inFlight: 3 }),
      single: role({ requestsPerMinute: 60_000, burst: 10_000, inFlight: 1 }),
      rare: role({ requestsPerMinute: 1, burst: 1, inFlight: 10 }),
    },
  },
  gateway: { traffic: { bounds: { bodyTimeoutMs: 300, headersTimeoutMs: 300 } } },
})
t.teardown(() => stack.stop())
const caller = callerOf(stack)
t.teardown(() => caller.close())

const as = (role: string, tenant = 'acme') => stack.token({ roles: [role], tenant })
const idle = async (): Promise<boolean> =>
  samplesOf(await stack.metrics()).get('sallyport_requests_in_flight') === 0

t.test(
  'of 50 who ask at once exactly the burst passes, and a refusal costs the model server nothing',
  async (t) => {
    const before = stack.model.stats.requests
    const replies = await Promise.all(Array.from({ length: 50 }, () => caller.chat({}, as('bursting'))))
    const passed = replies.filter(({ status }) => status === 200)
    const refused = replies.filter(({ status }) => status === 429)
    t.equal(passed.length, 7)
    t.equal(refused.length, 43)
    t.equal(stack.model.stats.requests - before, 7)
    for (const reply of refused) {
      t.equal(await codeOf(reply), 'rate_limit_exceeded')
      t.match(reply.headers.get('retry-after'), /^(?:[1-9]|10)$/)
      t.ok(Number(reply.headers.get('retry-after-ms')) > 0)
    }
    t.same(
      passed
        .map(({ headers }) => Number(headers.get('x-ratelimit-remaining-requests')))
        .sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6],
    )
  },
)

t.test('the bucket belongs to tenant and role: others have their own', async (t) => {
  t.equal((await caller.chat({}, as('bursting'))).status, 429)
  t.equal((await caller.chat({}, as('bursting', 'other'))).status, 200)
  t.equal((await caller.chat({}, as('slotted'))).status, 200)
  const sameTenant = stack.token({ roles: ['bursting'], subject: 'bob' })
  t.equal((await caller.chat({}, sameTenant)).status, 429, 'another person of the tenant shares it')
})

t.test('a limit is asked before the body is read', async (t) => {
  t.equal(
    (await caller.fetch('/v1/chat/completions', { token: as('bursting'), body: 'not an object' })).status,
    429,
  )
})

t.test('slots are held by streams until their last byte', async (t) => {
  const streams = await Promise.all([1, 2, 3].map(() => caller.stream({}, as('slotted'))))
  const refused = await caller.chat({}, as('slotted'))
  t.equal(refused.status, 429)
  t.equal(await codeOf(refused), 'concurrency_limit_exceeded')
  t.match(refused.headers.get('ratelimit'), /"in_flight";r=0/)
  held.release()
  await Promise.all(streams.map(({ end }) => end))
  await until(idle)
  t.equal((await caller.chat({}, as('slotted'))).status, 200)
})

t.test('the slot comes back on every ending', async (t) => {
  const token = as('single')
  const endings: Record<string, () => Promise<unknown>> = {
    'a whole reply': () => caller.chat({}, token).then((reply) => reply.text()),
    'a refused body': () => caller.chat({ max_tokens: 65 }, token).then((reply) => reply.text()),
    'no such model': () => caller.chat({ model: 'nothing' }, token).then((reply) => reply.text()),
    'a stream to its end': async () => {
      const stream = await caller.stream({}, token)
      held.release()
      await stream.end
    },
    'a caller who leaves': async () => {
      const leaving = callerOf(stack)
      const stream = await leaving.stream({}, token)
      await leaving.close()
      await stream.end
    },
  }
  for (const [name, end] of Object.entries(endings)) {
    await end()
    await until(idle)
    const next = await caller.chat({}, token)
    t.equal(next.status, 200, name)
    await next.text()
    await until(idle)
  }
})

t.test('the SDK is told the limit, what is left and when to come back', async (t) => {
  const client = stack.openai({ token: as('rare') })
  const ask = () =>
    client.chat.completions.create({ model: 'demo', messages: [{ role: 'user', content: 'hi' }] })
  await ask()
  const error = await ask().catch((error: unknown) => error)
  if (!(error instanceof OpenAI.RateLimitError)) throw new Error('not a RateLimitError')
  t.equal(error.status, 429)
  t.equal(error.code, 'rate_limit_exceeded')
  t.equal(error.type, 'requests')
  t.equal(error.headers.get('x-ratelimit-limit-requests'), '1')
  t.equal(error.headers.get('x-ratelimit-remaining-requests'), '0')
  t.match(error.headers.get('x-ratelimit-reset-requests'), /^(?:1m0s|\d+(?:\.\d+)?s)$/)
  t.match(error.headers.get('retry-after'), /^(?:[1-9]|[1-5]\d|60)$/)
  // Refused before the body was read: the limit that decided is all that was looked at.
  t.equal(error.headers.get('ratelimit-policy'), '"requests/minute";q=1;w=60')
  t.match(error.headers.get('ratelimit'), /^"requests\/minute";r=0;t=\d+$/)
  t.ok(error.requestID)
})

t.test('a limit that a reload changes keeps what was used', async (t) => {
  stack.configure('policies', { roles: { bursting: { limits: { burst: 9 } } } })
  await until(async () => (await caller.chat({}, as('bursting'))).status === 200)
  const replies = await Promise.all(Array.from({ length: 10 }, () => caller.chat({}, as('bursting'))))
  t.equal(replies.filter(({ status }) => status === 200).length, 1, 'two more than before, not nine')
})
