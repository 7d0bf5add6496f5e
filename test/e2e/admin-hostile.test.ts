// Hostile input at the operators' listener: whoever has a certificate, or even a role, breaks nothing with what is sent.
import fc from 'fast-check'
import t from 'tap'
import { type AdminAnswer, ask, changesOf, rule, toCreate } from '../support/admin.ts'
import { openRaw, rawReplies, requestText } from '../support/raw-client.ts'
import { startStack } from '../support/stack.ts'

const stack = await startStack()
t.teardown(() => stack.stop())
const ops = { ...stack, port: Number(new URL(stack.ops).port) }
const operator = (): string => stack.token({ roles: ['ops'] })
const put = (name: string, body: unknown) => ask(stack, 'PUT', `/quotas/${name}`, { body, headers: toCreate })

t.test('bodies that readers disagree on, or that cost, are refused', async (t) => {
  const whole = JSON.stringify(rule())
  const bodies: [string, string][] = [
    [whole.replace('{', '{"amount":1,'), 'invalid_json'],
    [whole.replace('{', '{"__proto__":{"mode":"shadow"},'), 'invalid_json'],
    [whole.replace('{', '{"constructor":1,'), 'invalid_value'],
    [`${'['.repeat(40)}${']'.repeat(40)}`, 'json_too_complex'],
    [`{${'"a":{'.repeat(30)}${'}'.repeat(31)}`, 'json_too_complex'],
    [`${whole}x`, 'invalid_json'],
    [`\ufeff${whole}`, 'invalid_json'],
    [whole.replace('60', '6e1000'), 'invalid_json'],
    [whole.replace('60', '9007199254740993'), 'invalid_json'],
    ['null', 'invalid_value'],
    ['[]', 'invalid_value'],
    ['"x"', 'invalid_value'],
    ['', 'invalid_json'],
    [
      JSON.stringify({ ...rule(), by: Array.from({ length: 4_000 }, (_, index) => index) }),
      'json_too_complex',
    ],
    [JSON.stringify({ pad: 'x'.repeat(70_000) }), 'request_too_large'],
  ]
  for (const [body, code] of bodies) t.equal((await put('hostile', body)).code, code, body.slice(0, 50))
  t.equal((await ask(stack, 'GET', '/quotas/hostile')).status, 404)
})

t.test('a lone surrogate in a name of a tenant is no JSON', async (t) => {
  const body = JSON.stringify(rule({ where: { tenants: ['x'] } })).replace('"x"', '"\\ud800"')
  t.equal((await put('surrogate', body)).code, 'invalid_json')
})

t.test('other media types and codings are refused', async (t) => {
  for (const type of [
    'text/plain',
    'application/jsonp',
    'application/json; charset=utf-16',
    'multipart/form-data',
  ]) {
    const answer = await ask(stack, 'PUT', '/quotas/typed', {
      body: rule(),
      headers: { ...toCreate, 'content-type': type },
    })
    t.equal(answer.code, 'unsupported_media_type', type)
  }
  const merge = await ask(stack, 'PUT', '/quotas/typed', {
    body: rule(),
    headers: { ...toCreate, 'content-type': 'application/merge-patch+json' },
  })
  t.equal(merge.code, 'unsupported_media_type', 'a merge patch is for PATCH alone')
})

t.test('names that are no names name nothing', async (t) => {
  const token = operator()
  const names = [
    '..',
    '.',
    '',
    '../overrides',
    '%2e%2e',
    '%2e%2e%2foverrides',
    'a%2fb',
    'a/b',
    'a%00b',
    'a%20b',
    'ä',
    'a|b',
    'a{b}',
    '-a',
    'a-',
    'a'.repeat(129),
    '__proto__',
    'A;b',
  ]
  for (const name of names) {
    const bytes = Buffer.from(`/admin/v1/quotas/${name}`).toString('latin1')
    const request = requestText({ method: 'GET', target: bytes, token })
    const { replies } = await rawReplies(ops, request, { count: 1 })
    t.ok([400, 404].includes(replies[0]?.status ?? 0), `${name}: ${replies[0]?.status}`)
  }
  for (const name of ['Upper', '__proto__', 'constructor.', 'a_'])
    t.ok([400, 404].includes((await put(name, rule())).status), name)
})

t.test('a limit may be called like a member of every object', async (t) => {
  for (const name of ['constructor', 'tostring', 'hasownproperty', 'valueof']) {
    t.equal((await ask(stack, 'GET', `/quotas/${name}`)).status, 404, name)
    t.equal((await put(name, rule({ amount: 1_000_000 }))).status, 201, name)
    t.equal((await ask(stack, 'DELETE', `/quotas/${name}`)).status, 204, name)
  }
})

t.test('a reason cannot forge a line of a log', async (t) => {
  const override = (reason: string) =>
    ask(stack, 'POST', '/overrides', {
      body: {
        limit: 'role.app.requests',
        match: { tenant: 'acme' },
        amount: 10_000,
        expiresInSeconds: 60,
        reason,
      },
    })
  const forged = [
    '',
    'a\nb',
    'a\r\n{"event":"x"}',
    '\u001b[31mred',
    '\u0000',
    'a\u2028b',
    '\u202egnp.exe',
    'x'.repeat(501),
  ]
  // The names of these tests stay plain: a reporter reads lines, too.
  for (const [index, reason] of forged.entries())
    t.match(await override(reason), { status: 400, param: 'reason' }, `reason ${index}`)
  t.equal((await override('Müller asked: "why?" <b>😀</b>')).status, 201)
  t.equal(changesOf(stack).at(-1)?.['reason'], 'Müller asked: "why?" <b>😀</b>')
})

t.test('queries hold what the operation knows, once', async (t) => {
  const queries = [
    '?limit=a&limit=b',
    '?x=1',
    '?count=0',
    '?count=501',
    '?count=1e2',
    '?limit=%00',
    '?tenant=%0a',
    '?count',
  ]
  for (const query of queries) t.equal((await ask(stack, 'GET', `/usage${query}`)).status, 400, query)
  t.equal((await ask(stack, 'GET', '/quotas?x=1')).status, 400)
  t.equal((await ask(stack, 'GET', '/usage?tenant=%F0%9F%98%80&count=500&cursor=zzz')).status, 200)
})

t.test('methods that an endpoint does not take are told with those that it does', async (t) => {
  const answer = await ask(stack, 'POST', '/quotas/x', { body: rule() })
  t.match(answer, { status: 405, code: 'method_not_allowed' })
  t.same(answer.headers.get('allow')?.split(', ').sort(), ['DELETE', 'GET', 'PATCH', 'PUT'])
  t.equal((await ask(stack, 'HEAD', '/quotas').catch(() => ({ status: 405 }))).status, 405)
  t.equal((await ask(stack, 'OPTIONS', '/quotas')).status, 405)
})

t.test('a body where none belongs, and framing that is odd', async (t) => {
  const token = operator()
  const json = JSON.stringify(rule())
  const requests = [
    requestText({ method: 'DELETE', target: '/admin/v1/quotas/x', token, body: json }),
    requestText({ method: 'GET', target: '/admin/v1/quotas', token, body: json }),
    requestText({ method: 'GET', target: 'https://localhost/admin/v1/quotas', token }),
    requestText({
      method: 'GET',
      target: '/admin/v1/quotas',
      token,
      headers: ['Upgrade: websocket', 'Connection: upgrade'],
    }),
    requestText({
      method: 'GET',
      target: '/admin/v1/quotas',
      token,
      headers: [`Authorization: Bearer ${token}`],
    }),
    requestText({
      method: 'PUT',
      target: '/admin/v1/quotas/x',
      token,
      body: json,
      headers: ['If-None-Match: *', 'If-None-Match: *'],
    }),
    requestText({ method: 'GET', target: '/admin/v1/quotas', token, host: 'else.test' }),
  ]
  for (const request of requests) {
    const { replies } = await rawReplies(ops, request, { count: 1 })
    t.ok([400, 421].includes(replies[0]?.status ?? 0), `${replies[0]?.status} ${request.split('\r\n')[0]}`)
  }
})

t.test('a body that never comes holds up nobody else', async (t) => {
  const slow = await openRaw(ops)
  t.teardown(() => slow.destroy())
  slow.send(
    requestText({
      method: 'PUT',
      target: '/admin/v1/quotas/slow',
      token: operator(),
      framed: false,
      headers: ['Content-Type: application/json', 'Content-Length: 100', 'If-None-Match: *'],
    }),
  )
  slow.send('{"counts"')
  t.equal((await put('quick', rule({ amount: 1_000_000 }))).status, 201)
  t.equal((await ask(stack, 'DELETE', '/quotas/quick')).status, 204)
})

t.test('a 204 has no content-length (RFC 9110 section 8.6), and its connection goes on', async (t) => {
  const token = operator()
  await put('gone', rule({ amount: 1_000_000 }))
  const connection = await openRaw(ops)
  t.teardown(() => connection.destroy())
  connection.send(requestText({ method: 'DELETE', target: '/admin/v1/quotas/gone', token }))
  await connection.answered(1)
  connection.send(requestText({ method: 'GET', target: '/admin/v1/overrides', token }))
  const [deleted, listed] = await connection.answered(2)
  t.match(deleted, { status: 204, body: '' })
  t.notOk('content-length' in (deleted?.headers ?? {}))
  t.equal(listed?.status, 200)
})

t.test('whoever asks too often is told to wait; others are not', async (t) => {
  const hasty = stack.token({ roles: ['ops'], subject: 'hasty' })
  const answers: AdminAnswer[] = []
  while (answers.length < 5_000 && !answers.some(({ status }) => status === 429)) {
    const some = Array.from({ length: 40 }, () => ask(stack, 'GET', '/overrides', { token: hasty }))
    answers.push(...(await Promise.all(some)))
  }
  const refused = answers.filter(({ status }) => status === 429)
  t.ok(refused.length > 0)
  t.ok(refused.every(({ headers }) => Number(headers.get('retry-after-ms')) > 0))
  t.equal(
    (await ask(stack, 'GET', '/overrides', { token: stack.token({ roles: ['ops'], subject: 'calm' }) }))
      .status,
    200,
  )
})

t.test('random bodies are answered, and never with a failure of ours', async (t) => {
  let asked = 0
  const token = (): string => stack.token({ roles: ['ops'], subject: `fuzz-${Math.floor(asked++ / 50)}` })
  const paths = ['PUT /quotas/f', 'PATCH /quotas/f', 'POST /overrides', 'POST /usage/reset', 'POST /explain']
  const key = fc.constantFrom(
    'counts',
    'per',
    'amount',
    'by',
    'where',
    'limit',
    'match',
    'key',
    'claims',
    'endpoint',
    'model',
    'n',
  )
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('requests', 'minute', 'models', 'demo', 1, ['tenant']),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), fc.dictionary(key, value), async (path, body) => {
      const [method, target] = path.split(' ') as [string, string]
      const { status } = await ask(stack, method, target, { body, headers: toCreate, token: token() })
      return status < 500
    }),
    { numRuns: 150 },
  )
  t.pass('every answer was a refusal or a success')
  t.same(
    stack.log().filter(({ event }) => event === 'failure'),
    [],
  )
})
