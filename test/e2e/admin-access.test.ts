// Who may do what at the operators' listener, and what is left behind when somebody tries more.
import t from 'tap'
import { answered, ask, changesOf, rule, toCreate } from '../support/admin.ts'
import { issueServer, makeAuthority } from '../support/certificates.ts'
import { callerOf, put } from '../support/flow.ts'
import { jwksOf, makeIssuer } from '../support/issuer.ts'
import { samplesOf } from '../support/scene.ts'
import { type Stack, startStack, until } from '../support/stack.ts'

const partner = makeIssuer('p1', { iss: 'https://partner.test', aud: 'sallyport' })
const stack = await startStack({
  files: { 'config/partner.json': jwksOf(partner) },
  gateway: { ops: { operatorRoles: ['ops', 'sre'], auditorRoles: ['auditor'], issuers: ['test'] } },
})
t.teardown(() => stack.stop())
const tokenOf = (...roles: string[]): string => stack.token({ roles })

const reads = ['/quotas', '/quotas/role.app.requests', '/overrides', '/usage', '/openapi.json'] as const
const changes = [
  ['PUT', '/quotas/x', rule()],
  ['PATCH', '/quotas/role.app.requests', { amount: 5 }],
  ['DELETE', '/quotas/role.app.requests', undefined],
  ['POST', '/overrides', { limit: 'role.app.requests', match: { tenant: 'acme' }, amount: 1, reason: 'x' }],
  ['DELETE', '/overrides/some-id', undefined],
  ['POST', '/usage/reset', { key: 'role.app.requests|requests/minute|tenant=acme' }],
] as const

t.test('an auditor reads everything and changes nothing', async (t) => {
  const token = tokenOf('auditor')
  for (const path of reads) t.equal((await ask(stack, 'GET', path, { token })).status, 200, path)
  const explained = await ask(stack, 'POST', '/explain', {
    token,
    body: { claims: { tenant: 'acme', roles: ['app'] }, endpoint: 'models' },
  })
  t.equal(explained.status, 200)
  for (const [method, path, body] of changes) {
    const answer = await ask(stack, method, path, { token, headers: toCreate, ...(body && { body }) })
    t.match(answer, { status: 403, code: 'insufficient_scope' }, `${method} ${path}`)
  }
  t.same(changesOf(stack), [])
})

t.test('whoever has neither role learns nothing of what there is', async (t) => {
  for (const token of [tokenOf('app'), tokenOf('OPS', 'operator', 'ops2')]) {
    const seen = new Set<string>()
    for (const path of [...reads, '/quotas/nothing', '/nothing']) {
      const { status, code } = await ask(stack, 'GET', path, { token })
      seen.add(`${status} ${code}`)
    }
    t.same([...seen], ['403 insufficient_scope'])
  }
})

t.test('every configured operator role counts', async (t) => {
  const created = await ask(stack, 'PUT', '/quotas/by-sre', {
    body: rule(),
    headers: toCreate,
    token: tokenOf('sre', 'app'),
  })
  t.equal(created.status, 201)
})

t.test('no token, a bad one, one of the wrong audience: 401 and no reason', async (t) => {
  const bad = [
    null,
    'x',
    stack.token({ roles: ['ops'], lifetimeSeconds: -60 }),
    stack.token({ roles: ['ops'], claims: { aud: 'else' } }),
  ]
  for (const token of bad) {
    const answer = await ask(stack, 'GET', '/quotas', { token })
    t.equal(answer.status, 401)
    t.match(answer.headers.get('www-authenticate'), /^Bearer/)
  }
})

t.test('a token of an issuer that is not named for operators is not taken', async (t) => {
  const issuers = [
    ...[...(stackIssuers(stack) as object[])],
    {
      name: 'partner',
      issuer: 'https://partner.test',
      audience: 'sallyport',
      algorithms: ['ES256'],
      keys: { file: 'partner.json' },
      claims: { tenant: ['tenant'], roles: ['roles'] },
    },
  ]
  stack.configure('gateway', { identity: { issuers } })
  await stack.gateway.reload()
  const token = partner.token({ roles: ['ops'] })
  t.match(await ask(stack, 'GET', '/quotas', { token }), { status: 403 })
  t.equal(
    (await callerOf(stack).fetch('/v1/models', { token: partner.token({ roles: ['app'] }) })).status,
    200,
  )
})

t.test('a caller of the inference API is nobody here, and an operator nobody there', async (t) => {
  const caller = callerOf(stack)
  t.teardown(() => caller.close())
  t.equal((await caller.chat({}, tokenOf('ops'))).status, 403)
  const traffic = await stack.fetch('/admin/v1/quotas', {
    headers: { authorization: `Bearer ${tokenOf('ops', 'app')}` },
  })
  t.equal(traffic.status, 404, 'the admin API is not on the traffic listener')
  const inference = await fetchOps(stack, '/v1/models', tokenOf('ops'))
  t.equal(inference, 404, 'the inference API is not on the listener of operators')
})

t.test('without a certificate that is trusted there is no connection', async (t) => {
  const stranger = await (await makeAuthority('stranger CA')).issue({ subject: 'CN=stranger' })
  const dispatcher = callerOf({ ...stack, port: opsPort(stack) }, stranger)
  t.teardown(() => dispatcher.close())
  await t.rejects(dispatcher.fetch('/admin/v1/quotas', { token: tokenOf('ops') }))
  const server = callerOf({ ...stack, port: opsPort(stack) }, await issueServer(stack.serverCa))
  t.teardown(() => server.close())
  await t.rejects(server.fetch('/admin/v1/quotas', { token: tokenOf('ops') }))
})

t.test('a token that is revoked, and a certificate that is, are refused at once', async (t) => {
  const token = stack.token({ roles: ['ops'], subject: 'lost', claims: { jti: 'lost-laptop' } })
  t.equal((await ask(stack, 'GET', '/quotas', { token })).status, 200)
  put(stack, 'revocations.json', JSON.stringify({ revoked: [{ jti: 'lost-laptop' }] }))
  await until(async () => (await ask(stack, 'GET', '/quotas', { token })).code === 'token_revoked')
  const other = await stack.clientCa.issue({ uris: ['spiffe://td.test/ops'] })
  const operator = callerOf({ ...stack, port: opsPort(stack) }, other)
  t.teardown(() => operator.close())
  const request = () =>
    operator.fetch('/admin/v1/quotas', { token: stack.token({ roles: ['ops'], subject: 'other' }) })
  t.equal((await request()).status, 200)
  const serial = other.serial
  put(stack, 'tls/client-ca.crl', await stack.clientCa.crl({ revoked: [serial] }))
  await until(async () => {
    const reply = await request().catch(() => undefined)
    return reply === undefined || reply.status === 401 || reply.status === 403
  })
  t.equal((await ask(stack, 'GET', '/quotas')).status, 200, 'others are served')
})

t.test('each request is one line and one count, without token and body', async (t) => {
  const lines = stack.log().filter(({ event }) => event === 'ops.answered')
  t.ok(lines.some(({ operation, status, refusal }) => operation === 'putQuota' && status === 403 && refusal))
  t.ok(lines.every(({ request_id }) => typeof request_id === 'string'))
  t.notMatch(JSON.stringify(lines), /eyJ/)
  const samples = samplesOf(await stack.metrics())
  t.ok(Number(samples.get('sallyport_ops_requests_total{operation="listQuotas",code="200"}')) > 0)
  t.ok(Number(samples.get('sallyport_ops_requests_total{operation="unmatched",code="403"}')) > 0)
  t.ok(answered.size >= reads.length)
})

const opsPort = ({ ops }: Stack): number => Number(new URL(ops).port)

async function fetchOps(stack: Stack, path: string, token: string): Promise<number> {
  const caller = callerOf({ ...stack, port: opsPort(stack) })
  try {
    return (await caller.fetch(path, { token })).status
  } finally {
    await caller.close()
  }
}

const stackIssuers = (_: Stack): unknown => [
  {
    name: 'test',
    issuer: 'https://issuer.test',
    audience: 'sallyport',
    algorithms: ['ES256'],
    keys: { file: 'issuer.jwks.json' },
    claims: { tenant: ['tenant'], roles: ['roles'] },
  },
]
