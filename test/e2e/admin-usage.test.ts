// What is in use, who meets limits, overrides that end, one bucket emptied, and why one request was refused.
import t from 'tap'
import { type AdminAnswer, ask, changesOf, rule, toCreate } from '../support/admin.ts'
import { startStack, until } from '../support/stack.ts'

const roles = ['app']
const stack = await startStack({
  models: {
    models: { demo: { price: { input: 1, output: 2 } }, secret: { price: { input: 1, output: 2 } } },
  },
  policies: {
    limits: {
      few: {
        counts: 'requests',
        per: 'hour',
        amount: 60,
        burst: 2,
        by: ['tenant'],
        where: { tenants: ['t-*'] },
      },
      watched: {
        counts: 'requests',
        per: 'hour',
        amount: 60,
        burst: 1,
        by: ['tenant', 'model'],
        where: { tenants: ['shadow'] },
        mode: 'shadow',
      },
      money: { counts: 'cost', per: 'day', amount: 0.5, by: ['tenant'], where: { tenants: ['rich'] } },
    },
  },
})
t.teardown(() => stack.stop())

async function chat(tenant: string, fields: object = {}): Promise<{ status: number; id: string }> {
  const reply = await stack.post(
    '/v1/chat/completions',
    { model: 'demo', messages: [{ role: 'user', content: 'hi' }], max_tokens: 8, ...fields },
    { authorization: `Bearer ${stack.token({ roles, tenant })}` },
  )
  await reply.text()
  return { status: reply.status, id: reply.headers.get('x-request-id') ?? '' }
}

interface Bucket {
  readonly key: string
  readonly limit: string
  readonly used: number
  readonly dimensions: Readonly<Record<string, string>>
}
const bucketsOf = ({ body }: AdminAnswer) => body['buckets'] as readonly Bucket[]
const override = (fields: object) =>
  ask(stack, 'POST', '/overrides', {
    body: {
      limit: 'few',
      match: { tenant: 't-1' },
      amount: 600,
      reason: 'launch day',
      expiresInSeconds: 3_600,
      ...fields,
    },
  })

t.test('usage has every bucket once, page by page, and who met a limit', async (t) => {
  for (const tenant of ['t-a', 't-b', 't-c']) await chat(tenant)
  t.same(
    [(await chat('t-a')).status, (await chat('t-a')).status, (await chat('t-a')).status],
    [200, 429, 429],
  )
  t.same([(await chat('shadow')).status, (await chat('shadow')).status], [200, 200])
  const keys: string[] = []
  let cursor = ''
  do {
    const page = await ask(stack, 'GET', `/usage?count=2&cursor=${encodeURIComponent(cursor)}`)
    t.equal(page.status, 200)
    keys.push(...bucketsOf(page).map(({ key }) => key))
    cursor = String(page.body['cursor'])
  } while (cursor !== '' && keys.length < 100)
  t.equal(new Set(keys).size, keys.length, 'each once')
  for (const tenant of ['t-a', 't-b', 't-c'])
    t.ok(keys.includes(`few|requests/hour|tenant=${tenant}`), tenant)
  const { body } = await ask(stack, 'GET', '/usage')
  t.match(body['throttled'], [
    { limit: 'few', tenant: 't-a', refused: 2, shadowed: 0 },
    { limit: 'watched', tenant: 'shadow', refused: 0, shadowed: 1 },
  ])
  t.match(body['store'], { kind: 'embedded', available: true, replicas: 1, away_since: null })
})

t.test('usage of a limit, of a tenant, by the beginning of a key', async (t) => {
  const few = bucketsOf(await ask(stack, 'GET', '/usage?limit=few'))
  t.same(new Set(few.map(({ limit }) => limit)), new Set(['few']))
  const ofA = bucketsOf(await ask(stack, 'GET', '/usage?tenant=t-a'))
  t.ok(ofA.some(({ limit }) => limit === 'few'))
  t.ok(ofA.every(({ dimensions }) => dimensions['tenant'] === 't-a'))
  const [one, ...more] = bucketsOf(
    await ask(stack, 'GET', `/usage?prefix=${encodeURIComponent('few|requests/hour|tenant=t-b')}`),
  )
  t.match(one, { used: 1, amount: 60, burst: 2, remaining: 1, share: 0.5, source: 'config', mode: 'enforce' })
  t.same(more, [])
  t.same(bucketsOf(await ask(stack, 'GET', '/usage?limit=no-such-limit')), [])
})

t.test('cost is shown in units of the currency', async (t) => {
  t.equal((await chat('rich')).status, 200)
  const [bucket] = bucketsOf(await ask(stack, 'GET', '/usage?limit=money'))
  t.match(bucket, { counts: 'cost', per: 'day', amount: 0.5, burst: 0.5 })
  t.ok(bucket !== undefined && bucket.used > 0 && bucket.used < 0.001, `${bucket?.used} of half a unit`)
})

t.test('an override counts at once for the bucket that it names, and ends by itself', async (t) => {
  t.same(
    [(await chat('t-1')).status, (await chat('t-1')).status, (await chat('t-1')).status],
    [200, 200, 429],
  )
  const made = await override({ burst: 100 })
  t.match(made, { status: 201, body: { limit: 'few', amount: 600, burst: 100, created_by: 'test/alice' } })
  t.equal((await chat('t-1')).status, 200)
  t.equal((await chat('t-a')).status, 429, 'others are not meant')
  const [bucket] = bucketsOf(
    await ask(stack, 'GET', `/usage?prefix=${encodeURIComponent('few|requests/hour|tenant=t-1')}`),
  )
  t.match(bucket, { source: 'override', amount: 600, burst: 100 })
  const { body } = await ask(stack, 'GET', '/overrides')
  t.same((body['overrides'] as object[])[0], made.body)
  t.equal((await ask(stack, 'DELETE', `/overrides/${made.body['id']}`)).status, 204)
  t.equal((await ask(stack, 'DELETE', `/overrides/${made.body['id']}`)).code, 'not_found')
  t.equal((await chat('t-1')).status, 429, 'what is configured counts again')
  t.equal((await override({ burst: 100, expiresInSeconds: 1 })).status, 201)
  t.equal((await chat('t-1')).status, 200)
  await until(
    async () => ((await ask(stack, 'GET', '/overrides')).body['overrides'] as object[]).length === 0,
  )
  t.equal((await chat('t-1')).status, 429, 'it ended without anybody doing anything')
  t.match(
    changesOf(stack).map(({ event, reason }) => [event, reason]),
    [
      ['override.created', 'launch day'],
      ['override.deleted', undefined],
      ['override.created', 'launch day'],
    ],
  )
})

t.test('an override without an end, a reason or a bucket is none', async (t) => {
  const soon = new Date(Date.now() + 60_000).toISOString()
  const faults: [object, string][] = [
    [{ expiresInSeconds: undefined }, 'expiresAt'],
    [{ expiresAt: soon }, 'expiresAt'],
    [{ expiresInSeconds: undefined, expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    [
      { expiresInSeconds: undefined, expiresAt: new Date(Date.now() + 32 * 86_400_000).toISOString() },
      'expiresAt',
    ],
    [{ expiresInSeconds: undefined, expiresAt: '2030-13-45T00:00:00Z' }, 'expiresAt'],
    [{ expiresInSeconds: undefined, expiresAt: 'tomorrow' }, 'expiresAt'],
    [{ expiresInSeconds: 32 * 86_400 }, 'expiresInSeconds'],
    [{ expiresInSeconds: 0 }, 'expiresInSeconds'],
    [{ reason: undefined }, 'reason'],
    [{ match: {} }, 'match'],
    [{ match: { model: 'demo' } }, 'match.model'],
    [{ match: { planet: 'mars' } }, 'match.planet'],
    [{ amount: 0.5 }, 'amount'],
    [{ amount: undefined }, 'amount'],
    [{ limit: 'money', match: { tenant: 'rich' }, burst: 5 }, 'burst'],
  ]
  for (const [fields, param] of faults) {
    const refused = await override(fields)
    t.match(refused, { status: 400, param }, JSON.stringify(fields))
  }
  t.match(await override({ limit: 'no-such-limit' }), { status: 404, param: 'limit' })
  t.match(await override({ expiresInSeconds: undefined, expiresAt: soon }), {
    status: 201,
    body: { expires_at: soon },
  })
})

t.test('one bucket is emptied, and no other', async (t) => {
  const key = 'few|requests/hour|tenant=t-a'
  t.equal((await chat('t-a')).status, 429)
  const reset = await ask(stack, 'POST', '/usage/reset', { body: { key, reason: 'their test ran wild' } })
  t.match(reset, { status: 200, body: { bucket: { key, used: 0, remaining: 2 } } })
  t.equal((await chat('t-a')).status, 200)
  t.equal((await chat('t-1')).status, 200, 'with the override of above')
  t.match(changesOf(stack).at(-1), {
    event: 'bucket.reset',
    name: key,
    before: { used: 2 },
    after: { used: 0 },
    reason: 'their test ran wild',
  })
  for (const other of [
    'nothing|requests/hour|tenant=t-a',
    'few',
    'few|requests/hour|planet=mars',
    'few|requests/minute|tenant=t-a',
    'few|requests/hour|tenant=%zz',
  ])
    t.match(
      await ask(stack, 'POST', '/usage/reset', { body: { key: other } }),
      { status: 404, code: 'not_found' },
      other,
    )
})

t.test('a refused request tells an operator why, by its id', async (t) => {
  await chat('t-x')
  await chat('t-x')
  const { id, status } = await chat('t-x')
  t.equal(status, 429)
  const { body } = await ask(stack, 'GET', `/decisions/${id}`)
  t.match(body, {
    request_id: id,
    tenant: 't-x',
    principal: 'test/alice',
    roles: ['app'],
    endpoint: 'chat.completions',
    code: 'rate_limit_exceeded',
    limits: [
      { name: 'few', key: 'few|requests/hour|tenant=t-x', source: 'config', amount: 60, used: 2, asked: 1 },
    ],
  })
  t.ok(Number((body['limits'] as { wait_ms: number }[])[0]?.wait_ms) > 0)
  const scope = await chat('t-y', { model: 'secret' })
  t.match((await ask(stack, 'GET', `/decisions/${scope.id}`)).body, {
    code: 'model_not_found',
    model: null,
    limits: [],
  })
  const fine = await chat('t-y')
  t.equal((await ask(stack, 'GET', `/decisions/${fine.id}`)).status, 404, 'what passed has no reason')
  t.equal((await ask(stack, 'GET', '/decisions/01a2204b-0000-7000-8000-000000000000')).code, 'not_found')
})

t.test('a refusal without a token is kept, malformed noise is not', async (t) => {
  const reply = await stack.fetch('/v1/models')
  t.equal(reply.status, 401)
  const unknown = await ask(stack, 'GET', `/decisions/${reply.headers.get('x-request-id')}`)
  t.match(unknown, { status: 200, body: { tenant: null, principal: null, code: 'missing_token' } })
  const noise = await stack.fetch('/v1/models', { headers: { 'content-encoding': 'br' } })
  t.equal(noise.status, 415)
  t.equal((await ask(stack, 'GET', `/decisions/${noise.headers.get('x-request-id')}`)).status, 404)
})

t.test('a quota that is created counts what was in use before under its name', async (t) => {
  await ask(stack, 'PUT', '/quotas/few', {
    body: rule({ per: 'hour', amount: 1_000, burst: 1_000, where: { tenants: ['t-*'] } }),
    headers: toCreate,
  })
  const [bucket] = bucketsOf(
    await ask(stack, 'GET', `/usage?prefix=${encodeURIComponent('few|requests/hour|tenant=t-x')}`),
  )
  t.match(bucket, { used: 2, amount: 1_000, source: 'operator' })
})
