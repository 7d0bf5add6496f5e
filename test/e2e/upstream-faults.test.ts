// What a model server can do wrong before or instead of a good reply: each becomes one honest status with a text of
// ours, nothing of the server's head or body passes, and the gateway answers the next call.
import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { Scene } from '../support/scene.ts'
import { freePorts, startStack } from '../support/stack.ts'

const scene = await Scene.open({
  gateway: {
    traffic: {
      stream: { firstByteTimeoutMs: 300, idleTimeoutMs: 300, replyBytesMax: 65_536, eventBytesMax: 65_536 },
    },
  },
})
t.teardown(() => scene.stack.stop())

const planted = 'planted-text-of-the-model-server'
const json = JSON.stringify
const error = (status: number, body: unknown, headers: Record<string, string> = {}): Script => ({
  status,
  headers: { 'set-cookie': planted, server: planted, 'x-secret': planted, ...headers },
  body: [typeof body === 'string' ? body : json(body)],
})
const raw = (head: string, body = ''): Script => ({ raw: [`HTTP/1.1 ${head}\r\n\r\n${body}`] })
const whole = json({ id: 'x', object: 'chat.completion', choices: [], created: 1 })

interface Case {
  readonly script: Script
  readonly status: number
  readonly code: string
  /** Otherwise a whole reply is asked for. */
  readonly stream?: boolean
}

const complaint = { error: { message: planted, type: 'BadRequestError', param: planted, code: 400 } }
const tooLong = {
  error: { message: `This model's maximum context length is 10 tokens. ${planted}`, code: 400 },
}

const cases: Record<string, Case> = {
  'the connection closes unanswered': {
    script: { end: { after: 'nothing', how: 'close' } },
    status: 502,
    code: 'upstream_truncated',
  },
  'the connection is reset unanswered': {
    script: { end: { after: 'nothing', how: 'reset' } },
    status: 502,
    code: 'upstream_truncated',
    stream: true,
  },
  'no answer in time': {
    script: { end: { after: 'nothing', how: 'stall' } },
    status: 504,
    code: 'upstream_timeout',
  },
  'a head and then nothing': {
    script: { contentType: 'text/event-stream', body: [], end: { after: 0, how: 'stall' } },
    status: 504,
    code: 'upstream_timeout',
    stream: true,
  },
  'a whole reply that stalls': {
    script: { body: [whole.slice(0, 9)], end: { after: 0, how: 'stall' } },
    status: 504,
    code: 'upstream_timeout',
  },
  'a whole reply that is cut': {
    script: { body: [whole.slice(0, 9)], end: { after: 0, how: 'cut' } },
    status: 502,
    code: 'upstream_truncated',
  },
  'a stream without one event': {
    script: { contentType: 'text/event-stream', body: [': nothing\n\n'] },
    status: 502,
    code: 'upstream_truncated',
    stream: true,
  },
  'an error event first': {
    script: { contentType: 'text/event-stream', body: [`data: ${json(tooLong)}\n\n`, 'data: [DONE]\n\n'] },
    status: 400,
    code: 'context_length_exceeded',
    stream: true,
  },
  'status 200 with an error inside': {
    script: { body: [json(complaint)] },
    status: 400,
    code: 'upstream_refused',
  },
  400: { script: error(400, complaint), status: 400, code: 'upstream_refused' },
  '400 for length': { script: error(400, tooLong), status: 400, code: 'context_length_exceeded' },
  401: { script: error(401, { error: planted }), status: 502, code: 'upstream_error' },
  403: { script: error(403, { detail: planted }), status: 502, code: 'upstream_error' },
  404: { script: error(404, complaint), status: 404, code: 'model_not_found' },
  422: {
    script: error(422, { error: planted, error_type: 'validation' }),
    status: 400,
    code: 'upstream_refused',
  },
  429: { script: error(429, complaint, { 'retry-after': '2' }), status: 503, code: 'upstream_overloaded' },
  500: { script: error(500, planted), status: 502, code: 'upstream_error' },
  501: { script: error(501, complaint), status: 400, code: 'upstream_refused' },
  503: { script: error(503, '<html>'), status: 503, code: 'upstream_overloaded' },
  '500 without an end': {
    script: { status: 500, body: ['{'], end: { after: 0, how: 'cut' } },
    status: 502,
    code: 'upstream_truncated',
  },
  '400 with a body of a megabyte': {
    script: error(400, 'x'.repeat(1_000_000)),
    status: 400,
    code: 'upstream_refused',
  },
  'a redirect': {
    script: raw(`302 Found\r\nlocation: http://127.0.0.1:1/${planted}\r\ncontent-length: 0`),
    status: 502,
    code: 'upstream_protocol',
  },
  '204': { script: raw('204 No Content'), status: 502, code: 'upstream_protocol' },
  '206': {
    script: raw(`206 Partial\r\ncontent-type: application/json\r\ncontent-length: 2`, '{}'),
    status: 502,
    code: 'upstream_protocol',
  },
  '099': { script: raw('099 Odd\r\ncontent-length: 0'), status: 502, code: 'upstream_protocol' },
  '999': { script: raw('999 Odd\r\ncontent-length: 0'), status: 502, code: 'upstream_protocol' },
  'a switch of protocols': {
    script: raw('101 Switching\r\nconnection: upgrade\r\nupgrade: websocket'),
    status: 502,
    code: 'upstream_truncated',
  },
  'a length and chunks': {
    script: raw('200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked', '2\r\n{}\r\n0\r\n\r\n'),
    status: 502,
    code: 'upstream_truncated',
  },
  'two lengths': {
    script: raw('200 OK\r\ncontent-length: 2\r\ncontent-length: 3', '{}'),
    status: 502,
    code: 'upstream_truncated',
  },
  'a head of 20 KB': {
    script: raw(`200 OK\r\nx-long: ${'x'.repeat(20_000)}\r\ncontent-length: 2`, '{}'),
    status: 502,
    code: 'upstream_protocol',
  },
  'a bare line feed in the head': { script: raw('200 OK\nx: y\r\n'), status: 502, code: 'upstream_protocol' },
  'no HTTP at all': { script: { raw: ['SSH-2.0-OpenSSH_9.9\r\n'] }, status: 502, code: 'upstream_protocol' },
  'a page of HTML': {
    script: { contentType: 'text/html', body: ['<script>alert(1)</script>'] },
    status: 502,
    code: 'upstream_protocol',
  },
  'JSON where a stream was asked for': {
    script: { body: [whole] },
    status: 502,
    code: 'upstream_protocol',
    stream: true,
  },
  'a stream where JSON was asked for': {
    script: { contentType: 'text/event-stream', body: ['data: [DONE]\n\n'] },
    status: 502,
    code: 'upstream_protocol',
  },
  'no content type': {
    script: raw('200 OK\r\ncontent-length: 2', '{}'),
    status: 502,
    code: 'upstream_protocol',
  },
  'gzip that nobody asked for': {
    script: { headers: { 'content-encoding': 'gzip' }, body: [gzipSync(whole)] },
    status: 502,
    code: 'upstream_protocol',
  },
  'a gzip stream that nobody asked for': {
    script: {
      contentType: 'text/event-stream',
      headers: { 'content-encoding': 'gzip' },
      body: [gzipSync('data: {}\n\n'.repeat(1_000_000).slice(0, 1_000_000))],
    },
    status: 502,
    code: 'upstream_protocol',
    stream: true,
  },
  'JSON that is broken': { script: { body: ['{"id":'] }, status: 502, code: 'upstream_protocol' },
  'JSON of another shape': { script: { body: ['[1,2]'] }, status: 502, code: 'upstream_protocol' },
  'JSON too deep to read': {
    script: { body: ['['.repeat(30_000)] },
    status: 502,
    code: 'upstream_protocol',
  },
  'a reply above its bound': {
    script: { body: ['x'.repeat(60_000), 'x'.repeat(60_000)] },
    status: 502,
    code: 'upstream_reply_too_large',
  },
  'a tool call that was not offered': {
    script: { toolCalls: [{ name: 'delete_everything', arguments: ['{}'] }] },
    status: 502,
    code: 'upstream_protocol',
  },
}

for (const [name, { script, status, code, stream = false }] of Object.entries(cases)) {
  t.test(name, async (t) => {
    const ending = await scene.ending(script, async () => {
      const reply = await scene.chat({ stream })
      const text = await reply.text()
      t.equal(reply.status, status)
      t.equal(reply.headers.get('content-type'), 'application/json; charset=utf-8')
      t.match(JSON.parse(text), { error: { code, message: String }, gateway: { source: String } })
      t.notMatch(text + json([...reply.headers]), planted, 'nothing that the server wrote')
      t.equal(reply.headers.get('set-cookie'), null)
      t.equal(reply.headers.get('location'), null)
    })
    t.match(ending, { status, code, records: ['exchange.admitted', 'exchange.ended'], streamEnd: undefined })
  })
}

t.test('headers of a good reply stay here, and a hundred early hints do no harm', async (t) => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(100)
  const head = [
    'HTTP/1.1 200 OK',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(whole)}`,
    `set-cookie: ${planted}`,
    `access-control-allow-origin: ${planted}`,
    `location: ${planted}`,
    `x-request-id: ${planted}`,
    `x-ratelimit-remaining-requests: ${planted}`,
  ].join('\r\n')
  await scene.ending({ raw: [hints, `${head}\r\n\r\n${whole}`] }, async () => {
    const reply = await scene.chat()
    t.equal(reply.status, 200, await reply.text())
    t.notMatch(json([...reply.headers]), planted)
    t.match(reply.headers.get('x-request-id'), /^[0-9a-f-]{36}$/)
  })
})

t.test('a model server that overloads says when to come back, within reason', async (t) => {
  await scene.ending(error(429, complaint, { 'retry-after': '2' }), async () => {
    const reply = await scene.chat()
    t.equal(reply.headers.get('retry-after'), '2')
    await reply.text()
  })
  await scene.ending(error(503, complaint, { 'retry-after': '86400' }), async () => {
    const reply = await scene.chat()
    t.ok(Number(reply.headers.get('retry-after')) <= 60, 'the SDKs ignore more than a minute')
    await reply.text()
  })
})

t.test('a model server that is down, and one that never was', async (t) => {
  const [port] = await freePorts(1)
  for (const origin of [`http://127.0.0.1:${port}`, 'http://no-such-host.invalid:80']) {
    const stack = await startStack({
      upstreamOrigin: origin,
      models: { pools: { gpu: { plaintext: 'allowed' } } },
    })
    t.teardown(() => stack.stop())
    const reply = await stack.post('/v1/chat/completions', {
      model: 'demo',
      messages: [{ role: 'user', content: 'x' }],
    })
    t.equal(reply.status, 502)
    const text = await reply.text()
    t.match(JSON.parse(text), { error: { code: 'upstream_unavailable' } })
    t.notMatch(text, /127\.0\.0\.1|invalid|ECONN/)
  }
})
