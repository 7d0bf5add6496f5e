// Statuses, headers and ids that no model server should send: one honest answer each, and nothing of them passes.
import { brotliCompressSync, gzipSync } from 'node:zlib'
import t from 'tap'
import type { Script } from '../../loadtest/model-server.ts'
import { faultMatrix, type junkFaults } from '../support/fault-matrix.ts'
import { type Cause, FaultScene } from '../support/fault-scene.ts'
import { eventsOf } from '../support/scene.ts'

const scene = await FaultScene.open({ gateway: { traffic: { stream: { firstByteTimeoutMs: 1_000 } } } })
t.teardown(() => scene.close())

const planted = 'planted-text-of-the-model-server'
const complaint = JSON.stringify({ error: { message: planted, type: planted, code: planted } })
const choice = (index: number, content: string) => ({
  index,
  message: { role: 'assistant', content },
  finish_reason: 'stop',
})
const wholeOf = (fields: object): string =>
  JSON.stringify({
    id: 'x',
    object: 'chat.completion',
    created: 1,
    choices: [choice(0, 'Good day.')],
    ...fields,
  })
const delta = (id: unknown, content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({
    id,
    object: 'chat.completion.chunk',
    created: 1,
    choices: [{ index: 0, delta: { content }, finish_reason: finish }],
  })}\n\n`

const answered = (status: number, headers: readonly string[] = []): Cause => {
  const lines = [`HTTP/1.1 ${status} ${planted}`, `x-secret: ${planted}`, ...headers]
  return {
    script: { raw: [`${lines.join('\r\n')}\r\ncontent-length: ${complaint.length}\r\n\r\n${complaint}`] },
  }
}
const empty = (status: number): Cause => ({ script: { raw: [`HTTP/1.1 ${status} Odd\r\n\r\n`] } })
const later = (...values: string[]): Cause =>
  answered(
    503,
    values.map((value) => `retry-after: ${value}`),
  )
const sse = (...body: NonNullable<Script['body']>): Cause => ({
  script: { contentType: 'text/event-stream', body },
  stream: true,
})
const done = 'data: [DONE]\n\n'

const causes: Readonly<Record<keyof typeof junkFaults, Cause | readonly Cause[]>> = {
  'status 226': answered(226),
  'status 304': empty(304),
  'status 402': answered(402),
  'status 408': answered(408),
  'status 418': answered(418),
  'status 421': answered(421),
  'status 504': answered(504),
  'status 507': answered(507),
  'status 529': answered(529),
  'status 599': answered(599),
  'status 600': answered(600),
  'retry-after: 0': later('0'),
  'retry-after: 1e9': later('1e9'),
  'retry-after: 1000000000': later('1000000000'),
  'retry-after: a date': later('Wed, 21 Oct 2099 07:28:00 GMT'),
  'retry-after: junk': later(planted),
  'retry-after: -1': later('-1'),
  'retry-after: twice': later('1', '2'),
  'wrong content type': [
    { script: { contentType: 'text/html', body: [`<script>${planted}</script>`] } },
    { script: { contentType: 'application/json', body: [wholeOf({})] }, stream: true },
    { script: { contentType: 'text/event-stream', body: [done] } },
    { script: { contentType: `application/jsonp; ${planted}`, body: [wholeOf({})] } },
  ],
  'content type twice': {
    script: {
      raw: [
        `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-type: application/json\r\n\r\n${wholeOf({})}`,
      ],
    },
  },
  'compression nobody asked for': [
    { script: { headers: { 'content-encoding': 'gzip' }, body: [gzipSync(wholeOf({}))] } },
    { script: { headers: { 'content-encoding': 'br' }, body: [brotliCompressSync(wholeOf({}))] } },
    { script: { headers: { 'content-encoding': 'identity, gzip' }, body: [gzipSync(wholeOf({}))] } },
    { script: { headers: { 'content-encoding': 'gzip' }, body: [gzipSync('x'.repeat(20_000_000))] } },
  ],
  'compressed error body': {
    script: { status: 400, headers: { 'content-encoding': 'gzip' }, body: [gzipSync(complaint)] },
  },
  'a stream in another charset': sse(
    delta('x', 'one '),
    Buffer.from(delta('x', 'naïve', 'stop'), 'utf16le'),
    done,
  ),
  'the same id in every event of two calls': [
    sse(delta('same', 'one '), delta('same', 'two', 'stop'), done),
    sse(delta('same', 'one '), delta('same', 'two', 'stop'), done),
  ],
  'an id of another kind': sse(delta({ a: planted }, 'one '), delta(['x'], 'two', 'stop'), done),
  'two choices with one index': {
    script: { body: [wholeOf({ choices: [choice(0, 'first'), choice(0, 'second')] })] },
  },
}

for (const [name, cause] of Object.entries(causes) as [keyof typeof junkFaults, Cause | readonly Cause[]][]) {
  t.test(name, async (t) => {
    for (const each of [cause].flat() as Cause[]) {
      const { text, headers, ending } = await scene.matches(name, each)
      t.notMatch(text + JSON.stringify([...headers]), planted, 'nothing that the server wrote')
      t.notMatch(JSON.stringify([ending.record, ending.line]), planted)
      if (each.stream && headers.get('content-type')?.startsWith('text/event'))
        t.ok(eventsOf(text).every(({ id }) => id === undefined || typeof id === 'string'))
    }
  })
}

/** Seconds that the caller is told, for what the server asks for. */
const waits: Readonly<Record<string, string>> = {
  'retry-after: 0': '0',
  'retry-after: 1e9': '1',
  'retry-after: 1000000000': '60',
  'retry-after: a date': '1',
  'retry-after: junk': '1',
  'retry-after: -1': '1',
}
t.test('the caller is never told to wait more than a minute, nor less than no time', async (t) => {
  for (const [name, expected] of Object.entries(waits)) {
    const { headers } = await scene.call(causes[name as keyof typeof waits & keyof typeof causes] as Cause)
    t.equal(headers.get('retry-after'), expected, name)
  }
  t.ok(Object.keys(waits).every((name) => name in faultMatrix))
})
