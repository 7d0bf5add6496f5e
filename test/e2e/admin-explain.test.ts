// `explain` says what the path would do, and the path then does it. It changes nothing and shows no value.
import t from 'tap'
import { operations } from '../../src/ops/operations.ts'
import { answered, ask } from '../support/admin.ts'
import { startStack } from '../support/stack.ts'

const stack = await startStack({
  policies: {
    limits: {
      tokens: { counts: 'total_tokens', per: 'hour', amount: 2_000, burst: 2_000, by: ['tenant'] },
      watched: { counts: 'output_tokens', per: 'hour', amount: 10, by: ['tenant'], mode: 'shadow' },
    },
    roles: {
      bound: {
        scopes: ['inference'],
        parameters: { outputTokensMax: 9 },
        limits: { requestsPerMinute: 100, inFlight: 10 },
        redaction: 'mask',
        binding: 'required',
      },
    },
  },
})
t.teardown(() => stack.stop())

interface Explained {
  readonly allowed: boolean
  readonly trace: readonly {
    readonly step: string
    readonly outcome: string
    readonly code: string | null
    readonly detail: string
  }[]
  readonly limits: readonly {
    readonly name: string
    readonly verdict: string
    readonly asked: number
    readonly wait_ms: number | null
  }[]
  readonly redaction: {
    readonly profile: string
    readonly blocked: boolean | null
    readonly findings: readonly object[]
  }
}

async function explain(fields: object): Promise<Explained> {
  const { status, body } = await ask(stack, 'POST', '/explain', {
    body: { endpoint: 'chat.completions', model: 'demo', ...fields },
    token: stack.token({ roles: ['auditor'] }),
  })
  t.equal(status, 200)
  return body as unknown as Explained
}
const claims = { tenant: 'acme', roles: ['app'] }
const refusedAt = ({ trace }: Explained) => trace.find(({ outcome }) => outcome === 'refuse')
const chat = async (fields: object, token = stack.token()): Promise<{ status: number; text: string }> => {
  const reply = await stack.post(
    '/v1/chat/completions',
    { model: 'demo', messages: [{ role: 'user', content: 'hi' }], ...fields },
    { authorization: `Bearer ${token}` },
  )
  return { status: reply.status, text: await reply.text() }
}

t.test('a call that would pass: every step in order, every limit with its layers', async (t) => {
  const explained = await explain({ claims, max_tokens: 8 })
  t.equal(explained.allowed, true)
  t.same(
    explained.trace.map(({ step }) => step),
    [
      'identity',
      'roles',
      'binding',
      'admission',
      'endpoint',
      'call',
      'policy',
      'estimate',
      ...explained.limits.map(({ name }) => `limit ${name}`),
    ],
  )
  t.match(
    explained.limits.find(({ name }) => name === 'tokens'),
    {
      verdict: 'pass',
      source: 'config',
      wait_ms: 0,
      overlay: { config: { amount: 2_000, burst: 2_000 }, operator: null, override: null },
    },
  )
  const before = (await ask(stack, 'GET', '/usage?tenant=acme')).body['buckets'] as { used: number }[]
  t.ok(
    before.every(({ used }) => used === 0),
    'nothing was charged',
  )
})

t.test('what is explained is what happens', async (t) => {
  const calls: [object, object, number][] = [
    [{ max_tokens: 8 }, { max_tokens: 8 }, 200],
    [{ model: 'secret' }, { model: 'secret' }, 404],
    [{ max_tokens: 100_000 }, { max_tokens: 100_000 }, 400],
    [{ n: 9 }, { n: 9 }, 400],
    [{ max_tokens: 250, n: 4, input_tokens: 1_500 }, {}, 0],
  ]
  for (const [asked, sent, status] of calls) {
    const explained = await explain({ claims, ...asked })
    if (status !== 0) {
      const real = await chat(sent)
      t.equal(real.status, status)
      t.equal(explained.allowed, status === 200, JSON.stringify(asked))
      const code = refusedAt(explained)?.code
      t.equal(code ?? undefined, status === 200 ? undefined : JSON.parse(real.text).error.code)
    }
  }
})

t.test('a limit that is full says how long, and one that is too small says never', async (t) => {
  const claims = { tenant: 'fresh', roles: ['app'] }
  const never = await explain({ claims, input_tokens: 5_000, max_tokens: 8 })
  t.equal(never.allowed, false)
  t.match(
    never.limits.find(({ name }) => name === 'tokens'),
    { verdict: 'refuse', wait_ms: null },
  )
  const shadow = never.limits.find(({ name }) => name === 'watched')
  t.equal(shadow?.verdict, 'pass')
  t.equal(
    (await explain({ claims, max_tokens: 11, input_tokens: 1 })).limits.find(({ name }) => name === 'watched')
      ?.verdict,
    'shadow',
  )
  t.equal(
    (await explain({ claims, max_tokens: 11, input_tokens: 1 })).allowed,
    true,
    'a shadow refuses nothing',
  )
})

t.test('with an override, the layers say which one counts', async (t) => {
  const body = {
    limit: 'tokens',
    match: { tenant: 'acme' },
    amount: 9_000,
    expiresInSeconds: 60,
    reason: 'test',
  }
  const { body: made } = await ask(stack, 'POST', '/overrides', { body })
  const { limits } = await explain({ claims, max_tokens: 8 })
  t.match(
    limits.find(({ name }) => name === 'tokens'),
    {
      source: 'override',
      amount: 9_000,
      overlay: {
        config: { amount: 2_000 },
        operator: null,
        override: { amount: 9_000, until: made['expires_at'] },
      },
    },
  )
  await ask(stack, 'DELETE', `/overrides/${made['id']}`)
})

t.test('who calls: a token is verified, and why it is not believed is said', async (t) => {
  t.match(await explain({ token: stack.token(), max_tokens: 8 }), { allowed: true })
  const expired = await explain({ token: stack.token({ lifetimeSeconds: -60 }) })
  t.match(refusedAt(expired), { step: 'identity', code: 'invalid_token', detail: 'expired' })
  t.match(refusedAt(await explain({ token: 'not a token' })), { step: 'identity' })
  t.match(refusedAt(await explain({ token: stack.token({ roles: ['bound'] }) })), {
    step: 'binding',
    detail: 'binding_required',
  })
  t.match(refusedAt(await explain({ claims: { tenant: 'acme', roles: ['nobody'] } })), {
    step: 'admission',
    code: 'insufficient_scope',
  })
  const token = stack.token()
  const { body } = await ask(stack, 'POST', '/explain', { body: { token, endpoint: 'models' } })
  t.notMatch(JSON.stringify(body), token.slice(-40))
  t.notMatch(JSON.stringify([stack.log(), stack.audit()]), token.slice(-40), 'a token is not recorded')
})

t.test('a sample: what redaction finds, and never the value', async (t) => {
  const explained = await explain({
    claims,
    sample: 'My card is 4111 1111 1111 1111, mail jane.doe@example.com or joe@example.com',
  })
  t.match(explained.redaction, { profile: 'mask', blocked: false })
  t.match(
    explained.redaction.findings.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    [
      { entity: 'CREDIT_CARD', action: 'mask', count: 1 },
      { entity: 'EMAIL_ADDRESS', action: 'mask', count: 2 },
    ].toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
  )
  t.notMatch(JSON.stringify(explained), /4111|jane/)
  const key = [
    '-----BEGIN',
    ' PRIVATE KEY-----\nMIIEvQ',
    'IBADANBgkqhkiG9w0BAQEFAASC\n-----END',
    ' PRIVATE KEY-----',
  ].join('')
  const blocked = await explain({ claims, sample: key })
  t.match(blocked, { allowed: false, redaction: { blocked: true } })
  t.match(refusedAt(blocked), { step: 'redaction', code: 'content_blocked' })
  t.notMatch(JSON.stringify([stack.log(), stack.audit()]), /4111 ?1111|jane\.doe/, 'a sample is not recorded')
})

t.test('one who calls, and a model, must be named', async (t) => {
  const wrong = [
    {},
    { claims, token: 'x' },
    { claims, model: undefined },
    { claims, endpoint: 'admin' },
    { claims: { roles: ['app'] } },
    { claims, extra: 1 },
  ]
  for (const fields of wrong) {
    const { status } = await ask(stack, 'POST', '/explain', {
      body: { endpoint: 'chat.completions', model: 'demo', ...fields },
    })
    t.equal(status, 400, JSON.stringify(fields))
  }
})

t.test('the other endpoints are explained, too', async (t) => {
  t.match(await explain({ claims, endpoint: 'models', model: undefined }), { allowed: true })
  t.match(await explain({ claims, endpoint: 'embeddings', sample: 'text' }), { allowed: true })
  t.match(await explain({ claims, endpoint: 'completions', sample: 'text', max_tokens: 4 }), {
    allowed: true,
  })
})

t.test('the OpenAPI document has every operation, each with what it takes and answers', async (t) => {
  const { body } = await ask(stack, 'GET', '/openapi.json')
  t.match(body, { openapi: /^3\.1\./, info: { version: '0.0.0-test' } })
  const paths = body['paths'] as Record<string, Record<string, { operationId: string; responses: object }>>
  for (const { id, method, path } of operations) t.equal(paths[path]?.[method.toLowerCase()]?.operationId, id)
  const described = Object.values(paths).flatMap((methods) => Object.values(methods))
  t.equal(described.length, operations.length)
  const schemas = (body['components'] as { schemas: Record<string, unknown> }).schemas
  const referenced = [...JSON.stringify(paths).matchAll(/#\/components\/schemas\/(\w+)/g)].map(
    ([, name]) => name as string,
  )
  t.same(new Set(referenced), new Set(Object.keys(schemas)), 'no schema is missing, none is idle')
  t.ok(answered.has('getOpenApi 200'))
})
