// Request headers: what may come once comes once, and nothing of them reaches the model server. Reply headers: ours.
import t from 'tap'
import { type Expected, refuses } from '../support/hostile.ts'
import { chatBody, openRaw, rawReplies, requestText } from '../support/raw-client.ts'
import { startStack } from '../support/stack.ts'

const stack = await startStack()
t.teardown(() => stack.stop())

const token = stack.token()
const body = chatBody()
const call = (...headers: string[]): string => requestText({ token, body, headers })

t.test('twice is once too often', async (t) => {
  const lines = [
    'Host: localhost',
    'host: elsewhere.test',
    'Authorization: Bearer x',
    `AUTHORIZATION: Bearer ${token}`,
    'Content-Type: application/json',
    'Content-Type: text/plain',
  ]
  for (const line of lines) {
    await t.test(line.slice(0, 30), (t) =>
      refuses(t, stack, call(line), { code: 'duplicate_header', connection: 'closes' }),
    )
  }
  const pairs = [
    ['Expect: 100-continue', 'Expect: 100-continue'],
    ['DPoP: a', 'DPoP: b'],
    ['Content-Encoding: identity', 'Content-Encoding: gzip'],
  ]
  for (const pair of pairs) {
    await t.test(pair.join(' '), (t) => refuses(t, stack, call(...pair), { code: 'duplicate_header' }))
  }
})

t.test('one Authorization with two tokens, a token elsewhere, another scheme', async (t) => {
  const good = `Bearer ${token}`
  for (const value of [
    `${good}, ${good}`,
    `${good} ${good}`,
    `Basic ${token}`,
    token,
    `Bearer  ${token}x`,
    '',
  ]) {
    await t.test(value.slice(0, 20), (t) =>
      refuses(t, stack, requestText({ body, headers: [`Authorization: ${value}`] }), {
        code: 'invalid_token',
      }),
    )
  }
  const elsewhere = {
    target: `/v1/chat/completions?access_token=${token}`,
    body: chatBody({ access_token: token }),
    headers: [`X-Api-Key: ${token}`, `api-key: ${token}`, `Cookie: access_token=${token}`],
  }
  await refuses(t, stack, requestText(elsewhere), { code: 'missing_token' })
})

t.test('what a caller may not ask for', async (t) => {
  const cases: Record<string, readonly [string, Expected]> = {
    'no Host': [
      requestText({ token, body, host: undefined }),
      { code: 'malformed_request', reason: 'no host' },
    ],
    'a WebSocket': [call('Connection: Upgrade', 'Upgrade: websocket'), { code: 'upgrade_refused' }],
    h2c: [
      call('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'),
      { code: 'upgrade_refused' },
    ],
    'an upgrade that Connection does not name': [call('Upgrade: h2c'), { code: 'upgrade_refused' }],
    'an upgrade of a GET without a token': [
      requestText({
        method: 'GET',
        target: '/v1/realtime',
        headers: ['Connection: Upgrade', 'Upgrade: websocket'],
      }),
      { code: 'upgrade_refused' },
    ],
    'an unknown expectation': [
      call('Expect: foo'),
      { code: 'malformed_request', reason: 'unknown expectation' },
    ],
    'two expectations in one': [
      call('Expect: 100-continue, foo'),
      { code: 'malformed_request', reason: 'unknown expectation' },
    ],
    'a header of 17 KB': [
      call(`X-A: ${'b'.repeat(17_000)}`),
      { code: 'headers_too_large', reason: 'HPE_HEADER_OVERFLOW', connection: 'closes' },
    ],
    '2500 headers': [
      call(...Array<string>(2500).fill('a: b')),
      { code: 'headers_too_large', reason: 'HPE_HEADER_OVERFLOW', connection: 'closes' },
    ],
    'a target of 17 KB': [
      requestText({ token, body, target: `/v1/chat/completions?${'a'.repeat(17_000)}` }),
      { code: 'headers_too_large', reason: 'HPE_HEADER_OVERFLOW', connection: 'closes' },
    ],
  }
  for (const [name, [bytes, expected]] of Object.entries(cases)) {
    await t.test(name, (t) => refuses(t, stack, bytes, expected))
  }
})

t.test('100 Continue comes after the caller was let in, not before', async (t) => {
  const head = (authorized: boolean): string =>
    requestText({
      ...(authorized ? { token } : {}),
      headers: ['Content-Type: application/json', `Content-Length: ${body.length}`, 'Expect: 100-continue'],
    })
  const welcome = await openRaw(stack)
  const [first] = await welcome.send(head(true)).answered(1)
  t.equal(first?.status, 100)
  const replies = await welcome.send(body).answered(2)
  t.same(
    replies.map(({ status }) => status),
    [100, 200],
  )
  welcome.destroy()
  await refuses(t, stack, head(false), { code: 'missing_token', connection: 'closes' })
})

t.test('the model server sees our headers and none of the caller', async (t) => {
  const mark = 'caller-was-here'
  const names = [
    'Cookie', 'X-Request-Id', 'X-Conversation-Id', 'X-Data-Parallel-Rank', 'X-Stainless-Lang', 'X-Stainless-Retry-Count',
    'OpenAI-Organization', 'OpenAI-Project', 'OpenAI-Beta', 'anthropic-beta', 'Api-Key', 'X-Api-Key', 'Proxy-Authorization',
    'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'Forwarded', 'Via', 'X-Real-Ip', 'User-Agent', 'Referer',
    'Origin', 'Accept-Language', 'Traceparent', 'Tracestate', 'Baggage', 'X-Simulate', 'X-Return-Error', 'X-Session-Token',
    'Endpoint-Load-Metrics-Format', 'X-Gateway-Destination-Endpoint', 'X-Gateway-Destination-Endpoint-Subset',
    'X-Gateway-Inference-Objective', 'X-Gateway-Model-Name-Rewrite', 'X-Prefiller-Host-Port', 'X-Encoder-Hosts-Ports',
    'X-Data-Parallel-Host-Port', 'X-Slo-Ttft-Ms', 'X-Http-Method-Override', 'X-Original-Url', 'X-Rewrite-Url', 'TE',
    'Keep-Alive', 'Proxy-Connection', 'Trailer', 'Range', 'If-None-Match', 'Prefer', '__proto__', 'constructor',
  ] // biome-ignore format: a list of names reads better in lines
  const before = stack.model.stats.requests
  const bytes = call(
    ...names.map((name) => `${name}: ${mark}`),
    'Accept: text/html',
    'Accept-Encoding: br, gzip',
  )
  const { replies } = await rawReplies(stack, bytes, { count: 1 })
  t.equal(replies[0]?.status, 200)
  t.not(replies[0]?.headers['x-request-id'], mark)
  t.notMatch(replies[0]?.head, mark, 'nothing is reflected')
  const [seen] = stack.model.requests.slice(before)
  t.same(Object.keys(seen?.headers ?? {}).sort(), [
    'accept',
    'accept-encoding',
    'authorization',
    'connection',
    'content-length',
    'content-type',
    'host',
    'x-request-id',
  ])
  t.match(seen?.headers, {
    accept: 'application/json',
    'accept-encoding': 'identity',
    authorization: 'Bearer sk-upstream-test',
    'content-type': 'application/json',
    'x-request-id': replies[0]?.headers['x-request-id'] as string,
  })
  t.notMatch(JSON.stringify(seen), mark)
  t.notMatch(JSON.stringify(seen), token)
})

t.test('a reply has the headers of our list', async (t) => {
  const { replies } = await rawReplies(stack, call('Origin: https://elsewhere.test'), { count: 1 })
  const names = Object.keys(replies[0]?.headers ?? {}).filter((name) => !/ratelimit/.test(name))
  t.same(names.sort(), [
    'cache-control',
    'connection',
    'content-length',
    'content-type',
    'date',
    'keep-alive',
    'server-timing',
    'x-content-type-options',
    'x-request-id',
    'x-sallyport-policy',
    'x-sallyport-redactions',
  ])
  t.equal(replies[0]?.headers['cache-control'], 'no-store')
})
