// Token limits under everything at once: streams, whole replies, several choices, callers who hang up, model servers that
// fail. What was charged is never above the limit, and after settlement equals what the audit log says, to the token.
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import type { RecordedRequest } from '../../loadtest/simulated/record.ts'
import { callerOf, recordsEnded } from '../support/flow.ts'
import { samplesOf } from '../support/scene.ts'
import { startStack, until } from '../support/stack.ts'

/** What the request asks for stands in its prompt: `words 5`, `error`, `stall`. */
function script({ body }: RecordedRequest): Script {
  const [, act = '', count = '1'] = /do:(\w+) (\d+)/.exec(body) ?? []
  const choices = Array.from({ length: Number(/"n":(\d+)/.exec(body)?.[1] ?? 1) }, () => ({
    content: Array.from({ length: Number(count) }, (_, word) => `w${word} `),
  }))
  if (act === 'error') return { status: 503 }
  if (act === 'stall') return { choices, firstTokenMs: 60_000 }
  if (act === 'broken') return { choices, end: { after: 2, how: 'reset' } }
  if (act === 'unreported') return { choices, usage: null }
  return { choices }
}

const amount = 2_000
const day = { counts: 'total_tokens', per: 'day', amount, by: ['tenant'] }
const stack = await startStack({
  model: { script },
  policies: {
    roles: {
      app: {
        parameters: { choicesMax: 4 },
        limits: { requestsPerMinute: 1_000_000, burst: 1_000_000, inFlight: 100 },
      },
    },
    limits: {
      'tokens-a-day': day,
      'tokens-a-second': { ...day, per: 'second', amount: 100_000 },
      'output-a-day': { ...day, counts: 'output_tokens', amount: 100_000 },
      'cost-a-month': { ...day, counts: 'cost', per: 'month', amount: 5, where: { models: ['demo'] } },
    },
  },
  models: { models: { demo: { price: { input: 0.15, output: 0.6 } } } },
})
t.teardown(() => stack.stop())
const caller = callerOf(stack)
t.teardown(() => caller.close())
const idle = () =>
  until(async () => samplesOf(await stack.metrics()).get('sallyport_requests_in_flight') === 0)

interface Bucket {
  readonly limit: string
  readonly used: number
  readonly remaining: number
}

async function usedBy(tenant: string): Promise<Map<string, number>> {
  const reply = await stack.admin('GET', `/usage?tenant=${tenant}`)
  const { buckets } = (await reply.json()) as { buckets: readonly Bucket[] }
  return new Map(buckets.map(({ limit, used }) => [limit, used]))
}

function recordedOf(tenant: string) {
  const admitted = new Set(
    stack
      .audit()
      .filter((record) => record['tenant'] === tenant)
      .map((record) => record['request_id']),
  )
  const ended = stack
    .audit()
    .filter(({ event, request_id }) => event === 'exchange.ended' && admitted.has(request_id))
  const sum = (field: string): number =>
    ended.reduce((total, record) => total + Number(record[field] ?? 0), 0)
  return { input: sum('input_tokens'), output: sum('output_tokens'), exchanges: ended.length }
}

async function call(tenant: string, index: number): Promise<number> {
  const acts = ['words', 'words', 'unreported', 'error', 'broken', 'stall']
  const act = acts[index % acts.length] as string
  const leaving = new AbortController()
  const fields = {
    stream: index % 2 === 0,
    n: 1 + (index % 3),
    max_tokens: 8 + (index % 5),
    messages: [{ role: 'user', content: `do:${act} ${1 + (index % 7)}` }],
  }
  if (act === 'stall') setTimeout(() => leaving.abort(), 20)
  const token = stack.token({ tenant })
  try {
    const reply = await stack.fetch('/v1/chat/completions', {
      method: 'POST',
      signal: leaving.signal,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ model: 'demo', ...fields }),
    })
    if (index % 4 === 0 && reply.status === 200) {
      const reader = reply.body?.getReader()
      await reader?.read()
      leaving.abort()
      return 0
    }
    await reply.text()
    return reply.status
  } catch {
    return 0
  }
}

async function crowd(tenant: string, calls: number): Promise<ReadonlyMap<number, number>> {
  const seen = new Map<number, number>()
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < calls) {
      const index = next
      next += 1
      const status = await call(tenant, index)
      seen.set(status, (seen.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: 12 }, worker))
  await idle()
  await recordsEnded(stack)
  return seen
}

t.test('the counter is the truth to the token, in every unit', async (t) => {
  const seen = await crowd('thrifty', 48)
  t.notOk(seen.has(429), 'the budget was enough')
  t.ok((seen.get(200) ?? 0) > 5 && (seen.get(0) ?? 0) > 5, 'some came to their end, some did not')
  const { input, output } = recordedOf('thrifty')
  t.ok(input > 0 && output > 0)
  const used = await usedBy('thrifty')
  t.equal(used.get('tokens-a-day'), input + output)
  t.equal(used.get('output-a-day'), output)
  t.equal(used.get('cost-a-month'), (input * 150 + output * 600) / 1e9, 'in units of the currency')
})

t.test('what is charged never passes the limit, and what is left is used up', async (t) => {
  const seen = await crowd('spender', 240)
  t.ok((seen.get(429) ?? 0) > 0, 'the budget ran out')
  const { input, output } = recordedOf('spender')
  const used = await usedBy('spender')
  t.equal(used.get('tokens-a-day'), input + output)
  t.ok(input + output <= amount, `${input + output} of ${amount}`)
  t.ok(input + output > amount - 200, 'less than a call is left')
})

t.test('nothing is left behind', async (t) => {
  const samples = samplesOf(await stack.metrics())
  t.equal(samples.get('sallyport_quota_leases'), 0)
  t.equal(samples.get('sallyport_requests_in_flight'), 0)
})
