// What a request asks for: the path is compared as it was sent, the method must be the endpoint's own, and the Host
// header must name the server that the TLS connection was opened for.
import t from 'tap'
import { type Expected, refuses } from '../support/hostile.ts'
import { chatBody, openRaw, rawReplies, requestText } from '../support/raw-client.ts'
import { startStack } from '../support/stack.ts'

const stack = await startStack()
t.teardown(() => stack.stop())

const token = stack.token()
const body = chatBody()
const post = (target: string): string => requestText({ token, body, target })

const targets: Partial<Record<Expected['code'], readonly string[]>> = {
  unknown_url: [
    '//v1/chat/completions',
    '/v1//chat/completions',
    '/v1/chat//completions',
    '/v1/../v1/chat/completions',
    '/v1/../admin',
    '/v1/./chat/completions',
    '/v1/%2e%2e/admin',
    '/v1/%63hat/completions',
    '/%76%31/chat/completions',
    '/v1/chat%2fcompletions',
    '/v1/chat%2Fcompletions',
    '/v1/chat/completions/',
    '/v1/chat/completions/.',
    '/v1/chat/completions;x',
    '/v1/chat;x/completions',
    '/v1/chat/completions%00',
    '/v1/chat/completions%20',
    '/v1/chat/completions%3Fx',
    '/v1\\chat\\completions',
    '/v1/..\\admin',
    '/V1/Chat/Completions',
    '/chat/completions',
    '/v1/chat/completions/render',
    '/v1/models/a%2f..%2f..%2fadmin',
    '/v1/models/../chat/completions',
    '/v1/models//',
    '/',
    '/%',
  ],
  malformed_request: [
    '/v1/chat/completions#x',
    '/v1/chat/completions?x=#/admin',
    '/v1/chat/completions\t',
    '/v1/chat/completions x',
    '/v1/chat\x7f/completions',
    '/v1/ch\xc3\xa4t/completions',
    'v1/chat/completions',
    'localhost:443',
    '?',
    '',
  ],
  absolute_form: [
    'http://localhost/v1/chat/completions',
    'https://localhost/v1/chat/completions',
    'https://elsewhere.test/admin',
    'http://user:pass@localhost/v1/chat/completions',
    '*',
  ],
}

for (const [code, list] of Object.entries(targets)) {
  t.test(`${code}, whatever a parser would make of it`, async (t) => {
    for (const target of list) {
      await t.test(JSON.stringify(target), (t) =>
        refuses(t, stack, post(target), { code: code as Expected['code'] }),
      )
    }
  })
}

t.test('a query is not part of the path and goes nowhere', async (t) => {
  const before = stack.model.stats.requests
  for (const query of ['?a=b', '?', '?x=/../admin', `?${'a'.repeat(3000)}`]) {
    const { replies } = await rawReplies(stack, post(`/v1/chat/completions${query}`), { count: 1 })
    t.equal(replies[0]?.status, 200, query.slice(0, 20))
  }
  t.same(
    stack.model.requests.slice(before).map(({ path }) => path),
    Array(4).fill('/v1/chat/completions'),
  )
})

t.test('each endpoint has one method', async (t) => {
  const methods = [
    'GET',
    'PUT',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PATCH',
    'PROPFIND',
    'M-SEARCH',
    'PURGE',
    'MKCOL',
  ]
  for (const method of methods) {
    await t.test(`${method} for chat`, (t) =>
      refuses(t, stack, requestText({ token, method }), { code: 'method_not_allowed' }),
    )
  }
  for (const method of ['POST', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
    await t.test(`${method} for models`, (t) =>
      refuses(t, stack, requestText({ token, method, target: '/v1/models' }), { code: 'method_not_allowed' }),
    )
  }
})

t.test('methods that are none', async (t) => {
  for (const method of ['FOO', 'post', 'Post', 'GET\t', 'P0ST', 'POST\x00', '"POST"', 'GETPOST']) {
    await t.test(JSON.stringify(method), (t) =>
      refuses(t, stack, requestText({ token, body, method }), {
        code: 'malformed_request',
        reason: /^HPE_/,
        connection: 'closes',
      }),
    )
  }
})

t.test('CONNECT is an exchange like any other, and the connection ends', async (t) => {
  const to = (target: string): string => requestText({ token, method: 'CONNECT', target })
  await refuses(t, stack, to('elsewhere.test:443'), { code: 'absolute_form', connection: 'closes' })
  await refuses(t, stack, to('/v1/chat/completions'), { code: 'method_not_allowed', connection: 'closes' })
  await refuses(t, stack, `${to('/admin')}GET /v1/models HTTP/1.1\r\n\r\n`, {
    code: 'unknown_url',
    connection: 'closes',
  })
  await refuses(t, stack, requestText({ method: 'CONNECT', target: '/v1/models', body }), {
    code: 'missing_token',
    connection: 'closes',
  })
})

t.test('HEAD is answered with a head alone', async (t) => {
  for (const target of ['/v1/models', '/v1/chat/completions', '/nope']) {
    const caller = await openRaw(stack)
    caller.send(requestText({ token, method: 'HEAD', target }))
    await caller.when(() => caller.rest.endsWith('\r\n\r\n'))
    t.match(caller.rest, /^HTTP\/1\.1 40[45] /, target)
    t.notMatch(caller.rest, '{', 'no body')
    caller.destroy()
  }
})

t.test('the name in Host is the name in SNI', async (t) => {
  const withHost = (host: string): string => requestText({ token, body, host })
  const others = [
    'elsewhere.test',
    '',
    'localhost, elsewhere.test',
    'user@localhost',
    'localhost.evil.test',
    '[::1]',
  ]
  for (const host of others) {
    await t.test(JSON.stringify(host), (t) =>
      refuses(t, stack, withHost(host), { code: 'misdirected_request', reason: 'host_is_not_sni' }),
    )
  }
  for (const host of ['localhost', `localhost:${stack.port}`, 'LOCALHOST', 'localhost.']) {
    const { replies } = await rawReplies(stack, withHost(host), { count: 1 })
    t.equal(replies[0]?.status, 200, host)
  }
  const { replies } = await rawReplies(stack, withHost('localhost'), { count: 1, serverName: 'other.test' })
  t.equal(replies[0]?.status, 421, 'the other way round')
})
