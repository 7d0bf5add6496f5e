// Canaries in every input: prompts, replies, tokens, headers, names, paths, a model server's errors, keys. None of
// them is found in the log, the metrics, the audit files or an error body; what is meant to appear is named here.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { Scene } from '../support/scene.ts'

const scene = await Scene.open({ policies: {} })
t.teardown(() => scene.stack.stop())
const { stack } = scene

let planted = 0
const canaries: string[] = []
/** A text of its own that looks like nothing in particular. */
function canary(kind: string): string {
  planted += 1
  const text = `canary-${kind}-${planted}-zq7x`
  canaries.push(text)
  return text
}

const answers: string[] = []
async function send(path: string, body: unknown, headers: Record<string, string> = {}): Promise<number> {
  const reply = await stack.post(path, body, headers)
  const text = await reply.text()
  if (reply.status !== 200) answers.push(text)
  answers.push(JSON.stringify([...reply.headers]))
  return reply.status
}
const chat = (fields: object = {}, headers: Record<string, string> = {}): Promise<number> =>
  send(
    '/v1/chat/completions',
    { model: 'demo', messages: [{ role: 'user', content: 'hi' }], max_tokens: 9, ...fields },
    headers,
  )
const said = (content: string) => ({ messages: [{ role: 'user', content }] })

t.test('in what callers send', async (t) => {
  t.equal(await chat(said(canary('prompt'))), 200)
  t.equal(await chat({ ...said(canary('streamed-prompt')), stream: true }), 200)
  t.equal(await chat({ user: canary('user'), metadata: { [canary('key')]: canary('value') } }), 200)
  t.equal(await send('/v1/embeddings', { model: 'demo', input: canary('input') }), 200)
  t.equal(await send('/v1/completions', { model: 'demo', prompt: canary('legacy'), max_tokens: 9 }), 200)
  t.equal(await chat({ model: canary('model') }), 404)
  t.equal(await chat({ tools: [{ type: 'function', function: { name: canary('tool') } }] }), 200)
  t.equal(await chat({ tool_choice: canary('choice') }), 400)
  t.equal(await chat({ [canary('field')]: 1 }), 400)
  t.equal(await chat({ temperature: canary('number') }), 400)
  t.equal(await chat({ response_format: { type: canary('format') } }), 400)
  t.equal(await chat({ messages: [{ role: canary('role'), content: 'x' }] }), 400)
  t.equal(await send('/v1/chat/completions', `{"a":"${canary('broken-json')}`), 400)
  t.equal(await send('/v1/chat/completions', `{"a":1,"a":"${canary('twice')}"}`), 400)
  t.equal(await send('/v1/chat/completions', canary('no-json')), 400)
})

t.test('in heads', async (t) => {
  const headers = Object.fromEntries(
    [
      'user-agent',
      'x-request-id',
      'cookie',
      'referer',
      'x-forwarded-for',
      'openai-organization',
      'traceparent',
    ].map((name) => [name, canary(name)]),
  )
  t.equal(await chat({}, headers), 200)
  t.equal(await chat({}, { 'content-type': canary('type') }), 415)
  t.equal(await chat({}, { authorization: `Bearer ${canary('bearer')}` }), 401)
  t.equal(await chat({}, { authorization: canary('scheme') }), 401)
  t.equal(await send(`/v1/${canary('path')}`, {}), 404)
  t.equal(await send(`/v1/chat/completions?api_key=${canary('query')}`, {}), 400)
  t.equal((await stack.fetch(`/v1/models/${canary('card')}`, { headers: bearer() })).status, 404)
  const method = await stack.fetch('/v1/models', {
    method: 'DELETE',
    headers: { ...bearer(), a: canary('deleted') },
  })
  t.equal(method.status, 405)
  answers.push(await method.text())
})

const bearer = (token = stack.token()) => ({ authorization: `Bearer ${token}` })

t.test('in tokens', async (t) => {
  const good = stack.token({ claims: { email: canary('claim'), [canary('claim-name')]: 1 } })
  t.equal(await chat({}, bearer(good)), 200)
  const stranger = stack.token({ claims: { iss: canary('issuer') } })
  t.equal(await chat({}, bearer(stranger)), 401)
  const audience = stack.token({ claims: { aud: canary('audience') } })
  t.equal(await chat({}, bearer(audience)), 401)
  const key = stack.token({ header: { kid: canary('kid') } })
  t.equal(await chat({}, bearer(key)), 401)
  for (const token of [good, stranger, audience, key]) canaries.push(...token.split('.').slice(1))
})

t.test('in what the model server says', async (t) => {
  scene.script = { content: [canary('reply')], reasoning: [canary('reasoning')] }
  t.equal(await chat(), 200)
  const headers = {
    'x-secret': canary('upstream-header'),
    'set-cookie': canary('cookie'),
    server: canary('server'),
  }
  const message = canary('error-message')
  const failures: Script[] = [
    { status: 400, headers, body: [JSON.stringify({ error: { message, param: message, type: message } })] },
    { status: 500, body: [canary('error-text')] },
    { status: 422, body: [JSON.stringify({ detail: [{ loc: [canary('loc')], input: canary('echo') }] })] },
    { body: [canary('no-json-reply')] },
    { contentType: canary('content-type'), body: ['{}'] },
    { raw: [canary('no-http')] },
    { toolCalls: [{ name: canary('tool-call'), arguments: ['{}'] }] },
    {
      raw: [
        `HTTP/1.1 302 ${canary('reason')}\r\nlocation: ${canary('location')}\r\ncontent-length: 0\r\n\r\n`,
      ],
    },
  ]
  for (const script of failures) {
    scene.script = script
    t.ok((await chat()) >= 400)
  }
  const events: Script[] = [
    {
      content: ['a'],
      end: { after: 2, how: 'error', error: { message: canary('event-error'), type: canary('t') } },
    },
    { contentType: 'text/event-stream', body: [`data: ${canary('no-event')}\n\n`] },
    {
      contentType: 'text/event-stream',
      body: [`: ${canary('comment')}\nevent: ${canary('name')}\ndata: {}\n\n`],
    },
    {
      contentType: 'text/event-stream',
      body: [`id: ${canary('id')}\n${canary('line')}\n\ndata: [DONE]\n\n`],
    },
  ]
  for (const script of events) {
    scene.script = script
    const reply = await scene.stream()
    answers.push(await reply.text())
  }
  scene.script = undefined
})

t.test('text that would forge a log line', async (t) => {
  const forged = '"}\n{"level":"fatal","event":"forged"}\u2028\u001b[31m'
  t.equal(await chat({ model: `${forged}${canary('forged')}` }), 400)
  t.equal(await chat(said(forged)), 200)
  t.same(
    stack.log().filter(({ event }) => event === 'forged'),
    [],
  )
  t.ok(stack.log().every(({ event, time }) => typeof event === 'string' && typeof time === 'string'))
})

t.test('none of it is found anywhere', async (t) => {
  await stack.gateway.reload()
  const directory = join(stack.folder, 'audit')
  const audit = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'))
  const places = {
    log: JSON.stringify(stack.log()),
    metrics: await stack.metrics(),
    audit: audit.join('\n'),
    answers: answers.join('\n'),
  }
  const secrets = {
    'the key of the model server': 'sk-upstream-test',
    'a private key': 'PRIVATE KEY',
    'the certificate of the caller': 'BEGIN CERTIFICATE',
    'the name that the gateway shows upstream': 'CN=gateway',
    'a folder of this machine': stack.folder,
    'a stack trace': '    at ',
    'a package': 'node_modules',
  }
  t.ok(canaries.length > 60)
  for (const [place, text] of Object.entries(places)) {
    t.same(
      canaries.filter((secret) => text.includes(secret)),
      [],
      `no canary in the ${place}`,
    )
    for (const [name, secret] of Object.entries(secrets))
      t.notOk(text.includes(secret), `${name} in the ${place}`)
  }
  t.notMatch(places.answers, /alice|acme|localhost|127\.0\.0\.1|ECONN|undici/, 'nor of who and where')
  t.match(places.audit, 'test/alice', 'what is meant to appear does')
})
