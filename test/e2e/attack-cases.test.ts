// Attacks that go across the parts: no token, other people's objects, fields that open a model server, lies in the log.
import t from 'tap'
import { type Expected, recordsOf, refuses, stillServes } from '../support/hostile.ts'
import { chatBody, openRaw, rawReplies, requestText } from '../support/raw-client.ts'
import { startStack, until } from '../support/stack.ts'

const stack = await startStack()
t.teardown(() => stack.stop())

const token = stack.token()
const chat = (fields: Record<string, unknown>): string => requestText({ token, body: chatBody(fields) })

t.test('without a token every spelling of every path is refused alike, and counted', async (t) => {
  const targets = [
    '/admin',
    '//admin',
    '/admin;x',
    '/%61dmin',
    '/v1/../admin',
    '/v1/models',
    '/metrics',
    '/',
    '/v1/x?y',
  ]
  for (const target of targets) {
    const bytes = requestText({ method: 'GET', target })
    await t.test(target, (t) => refuses(t, stack, bytes, { code: 'missing_token' }))
  }
  const special: Record<string, readonly [string, Expected['code']]> = {
    'absolute form': [requestText({ method: 'GET', target: 'https://localhost/admin' }), 'absolute_form'],
    'OPTIONS *': [requestText({ method: 'OPTIONS', target: '*' }), 'absolute_form'],
    CONNECT: [requestText({ method: 'CONNECT', target: 'localhost:443' }), 'absolute_form'],
  }
  for (const [name, [bytes, code]] of Object.entries(special)) {
    await t.test(name, (t) => refuses(t, stack, bytes, { code }))
  }
})

t.test('a 401 says the same whatever was wrong with the token', async (t) => {
  const tokens = [
    stack.token({ lifetimeSeconds: -600 }),
    stack.token({ claims: { aud: 'other' } }),
    stack.token({ claims: { iss: 'https://elsewhere.test' } }),
    stack.token({ header: { alg: 'none' } }),
    stack.token({ header: { kid: 'other' } }),
    `${token.slice(0, -4)}AAAA`,
    token.split('.').slice(0, 2).join('.'),
    'a.b.c',
    'x'.repeat(8000),
  ]
  const bodies = new Set<string>()
  for (const bad of tokens) {
    const reply = await refuses(t, stack, requestText({ token: bad, body: chatBody() }), {
      code: 'invalid_token',
    })
    t.equal(reply.headers['www-authenticate'], 'Bearer realm="sallyport", error="invalid_token"')
    bodies.add(reply.body.replace(/"request_id":"[^"]+"/, ''))
  }
  t.equal(bodies.size, 1)
})

t.test('a browser is offered nothing', async (t) => {
  for (const method of ['OPTIONS', 'POST', 'GET']) {
    const headers = ['Origin: https://elsewhere.test', 'Access-Control-Request-Method: POST']
    const { replies } = await rawReplies(stack, requestText({ method, headers }), { count: 1 })
    t.equal(replies[0]?.status, 401)
    t.notMatch(replies[0]?.head, /access-control|allow:|vary:|set-cookie/i)
  }
})

t.test("other people's objects are as absent as those that never were", async (t) => {
  const bodies = new Set<string>()
  for (const target of [
    '/v1/responses/resp_1',
    '/v1/files/file-1',
    '/v1/responses/no-such',
    '/v1/chat/completions/x',
  ]) {
    for (const method of ['GET', 'DELETE', 'POST']) {
      const reply = await refuses(t, stack, requestText({ token, method, target }), { code: 'unknown_url' })
      bodies.add(reply.body.replace(/"request_id":"[^"]+"/, ''))
    }
  }
  t.equal(bodies.size, 1)
  await refuses(t, stack, chat({ previous_response_id: 'resp_1' }), { code: 'unsupported_parameter' })
})

t.test('a model that is not yours is a model that is not', async (t) => {
  const answers = []
  for (const model of ['secret', 'no-such-model']) {
    const reply = await refuses(t, stack, chat({ model }), { code: 'model_not_found', connection: 'stays' })
    answers.push(reply.body.replace(/"request_id":"[^"]+"/, ''))
  }
  t.equal(answers[0], answers[1])
})

t.test('fields that open a model server', async (t) => {
  const fields: Record<string, unknown> = {
    priority: -1,
    cache_salt: 'x',
    guided_grammar: 'root ::= "a"',
    guided_regex: '(a+)+b',
    logits_processors: ['os.system'],
    custom_logit_processor: '80049500',
    chat_template: '{{ 1 }}',
    chat_template_kwargs: {},
    vllm_xargs: { a: 1 },
    extra_body: { a: 1 },
    kv_transfer_params: {},
    lora_path: '/etc/passwd',
    data_parallel_rank: 0,
    api_base: 'http://10.0.0.1',
    request_id: 'mine',
  }
  for (const [name, value] of Object.entries(fields)) {
    const caller = await openRaw(stack)
    const [reply] = await caller.send(chat({ [name]: value })).answered(1)
    caller.destroy()
    t.equal(reply?.status, 400, name)
    t.match(JSON.parse(reply?.body ?? ''), { error: { code: /^un(known|supported)_parameter$/ } }, name)
  }
  // `cache_salt` is a field of ours: what the caller wrote there must not be its value.
  const names = Object.keys(fields).filter((name) => name !== 'cache_salt')
  const sentOn = ({ body }: { body: string }): boolean =>
    names.some((name) => body.includes(`"${name}"`)) || body.includes('"cache_salt":"x"')
  t.notOk(stack.model.requests.some(sentOn), 'none of them was sent on')
})

t.test('nothing that a caller says makes a line of its own, or a long one', async (t) => {
  const forged = '{"level":60,"event":"forged"}'
  const odd = ['\u001b[2J\u001b[31mred', '\u2028', '\u0085', '\r', '\n', '\u0000', '%0a', '\\n'].map(
    (breaker) => `${breaker}${forged}${breaker}`,
  )
  const headerSafe = odd
    .filter((text) => !/[\r\n\0]/.test(text))
    .map((text) => Buffer.from(text).toString('latin1'))
  const calls = [
    ...headerSafe.map((text) =>
      requestText({ token, body: chatBody(), headers: [`User-Agent: ${text}`, `X-Request-Id: ${text}`] }),
    ),
    ...odd.map((text) => chat({ model: text, user: text })),
    ...odd.map((text) => chat({ messages: [{ role: 'user', content: text }] })),
    ...odd.map((text) => chat({ [text]: 1 })),
    ...odd
      .slice(-2)
      .map((text) => requestText({ token, target: `/v1/${text.replaceAll(/["{}]/g, '')}`, method: 'GET' })),
    chat({ model: forged.repeat(1_000_000 / forged.length) }),
    requestText({ token: stack.token({ subject: 'alice' }), body: `${forged}${forged}` }),
  ]
  const already = stack.log().length
  const ids: string[] = []
  for (const bytes of calls) {
    const { replies } = await rawReplies(stack, bytes, { count: 1 })
    t.ok(replies[0] && replies[0].status < 500, `answered ${replies[0]?.status}`)
    ids.push(replies[0]?.headers['x-request-id'] as string)
  }
  for (const id of ids) await recordsOf(stack, id)
  await until(() => stack.log().length >= already + calls.length)
  const lines = stack.log().slice(already)
  for (const id of ids) {
    t.equal(lines.filter((line) => JSON.stringify(line).includes(id)).length, 1, 'one line each')
  }
  const written = [...lines, ...stack.audit()].map((line) => JSON.stringify(line))
  t.ok(
    written.every((line) => line.length < 4096),
    'short lines',
  )
  const everything = `${written.join('\n')}\n${await stack.metrics()}`
  t.notMatch(everything, 'forged')
  t.notMatch(everything, token)
  t.notMatch(everything, 'sk-upstream-test')
})

t.test('an identity with odd text in it is written safely or refused', async (t) => {
  for (const subject of ['a\n{"level":60,"event":"forged"}', '\u001b[31mred', 'x'.repeat(5_000), '\u2028']) {
    const bad = stack.token({ subject })
    await refuses(t, stack, requestText({ token: bad, body: chatBody() }), { code: 'invalid_token' })
  }
  t.notMatch(JSON.stringify([...stack.log(), ...stack.audit()]), /forged|u001b/)
})

t.test('afterwards all is well', async (t) => {
  const caller = await openRaw(stack)
  await stillServes(t, caller, stack)
  caller.destroy()
})
