// Bytes that no good model server sends, and the ends of bodies: a refusal of our own each time, never a crash.
import { once } from 'node:events'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createEndpoint } from '../../../src/upstream/http/undici-endpoint.ts'
import type { EndpointHandle, UpstreamAnswer } from '../../../src/upstream/upstream.ts'
import { freePorts, until } from '../../support/stack.ts'

const never = new AbortController().signal
const ask = { path: '/v1/completions', body: '{}', stream: false, requestId: 'id' } as const

function endpointAt(t: Test, port: number, timeoutMs = 200): EndpointHandle & { connections(): number } {
  let connections = 0
  const handle = createEndpoint({
    origin: `http://127.0.0.1:${port}`,
    tls: undefined,
    apiKey: () => undefined,
    keepAlive: 'on',
    connectionsMax: 1,
    connectTimeoutMs: 500,
    firstByteTimeoutMs: timeoutMs,
    idleTimeoutMs: timeoutMs,
    observer: { connected: () => void connections++, retried() {}, answered() {} },
  })
  t.teardown(() => handle.close())
  return Object.assign(handle, { connections: () => connections })
}

async function rawServer(t: Test, speak: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => speak(socket))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

async function read(answer: UpstreamAnswer): Promise<number> {
  let bytes = 0
  for await (const chunk of answer.body) bytes += chunk.byteLength
  return bytes
}

/** What comes of an answer: its status and bytes, or the code of the refusal. */
async function outcome(handle: EndpointHandle): Promise<string> {
  try {
    await using answer = await handle.post(ask, never)
    return `${answer.status} ${await read(answer)}`
  } catch (error) {
    return (error as { code: string }).code
  }
}

const ok = 'HTTP/1.1 200 OK\r\n'
const replies: Record<string, [string, string | RegExp]> = {
  'a good one': [`${ok}content-length: 2\r\n\r\n{}`, '200 2'],
  'a body until the connection closes': [`${ok}\r\n{}`, '200 2'],
  'bytes after the body': [
    `${ok}content-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nxyz`,
    '200 2',
  ],
  'a length and chunks': [
    `${ok}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    /^upstream_/,
  ],
  'two lengths': [`${ok}content-length: 2\r\ncontent-length: 4\r\n\r\n{}{}`, /^upstream_/],
  'a length that is no number': [`${ok}content-length: two\r\n\r\n{}`, /^upstream_/],
  'a chunk of no size': [`${ok}transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n`, /^upstream_/],
  'a body that is too short': [`${ok}content-length: 20\r\n\r\n{}`, 'upstream_truncated'],
  'chunks without an end': [`${ok}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`, 'upstream_truncated'],
  'a head that is too long': [`${ok}x: ${'y'.repeat(20_000)}\r\n\r\n`, 'upstream_protocol'],
  'a NUL in the head': [`${ok}x: a\0b\r\ncontent-length: 0\r\n\r\n`, /^upstream_/],
  'a bare LF': [`${ok}x: a\ny: b\r\ncontent-length: 0\r\n\r\n`, /^upstream_|^200 0$/],
  'status 099': ['HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n', /^upstream_/],
  'status 999': ['HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n', '999 0'],
  'a status of two digits': ['HTTP/1.1 20 Odd\r\n\r\n', /^upstream_/],
  'a switch that nobody asked for': [
    'HTTP/1.1 101 Go\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    /^upstream_/,
  ],
  'a hundred early hints': [
    `${'HTTP/1.1 103 Hint\r\n\r\n'.repeat(100)}${ok}content-length: 2\r\n\r\n{}`,
    '200 2',
  ],
  'another protocol': ['\x16\x03\x01\x02\x00', /^upstream_/],
  'another version of HTTP': ['HTTP/9.9 200 OK\r\ncontent-length: 0\r\n\r\n', /^upstream_/],
  nothing: ['', 'upstream_truncated'],
}

for (const [name, [bytes, expected]] of Object.entries(replies)) {
  t.test(name, async (t) => {
    const handle = endpointAt(t, await rawServer(t, (socket) => socket.end(bytes, 'latin1')))
    t.match(await outcome(handle), expected)
    t.equal(handle.inFlight, 0)
  })
}

t.test('silence before the head, and within the body, is a timeout', async (t) => {
  for (const bytes of ['', `${ok}content-length: 9\r\n\r\n{}`]) {
    const handle = endpointAt(t, await rawServer(t, (socket) => void socket.write(bytes)))
    t.equal(await outcome(handle), 'upstream_timeout')
  }
})

t.test('nobody there', async (t) => {
  const [port] = await freePorts(1)
  t.equal(await outcome(endpointAt(t, port as number)), 'upstream_unavailable')
})

t.test(
  'the end of a finished reply gives the connection back; what is too long or too late does not',
  async (t) => {
    let respond: (response: ServerResponse) => void = () => {}
    const server = createHttpServer((_request, response) => {
      response.write('[DONE]')
      respond(response)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => {
      server.close()
      server.closeAllConnections()
    })
    const handle = endpointAt(t, (server.address() as AddressInfo).port, 60_000)
    const ask1 = async (end: 'finish' | 'leave'): Promise<void> => {
      await using answer = await handle.post(ask, never)
      for await (const _chunk of answer.body) break
      if (end === 'finish') answer.finish()
    }
    respond = (response) => void setTimeout(() => response.end(), 30)
    await ask1('finish')
    t.equal(handle.inFlight, 0, 'it is not waited for')
    await delay(80)
    await ask1('finish')
    t.equal(handle.connections(), 1)

    const closed = Promise.withResolvers<void>()
    respond = (response) => {
      response.on('close', closed.resolve)
      response.write('x'.repeat(100_000))
    }
    await delay(80)
    await ask1('finish')
    await closed.promise
    t.pass('a reply that goes on after its end is cut')

    const left = Promise.withResolvers<void>()
    respond = (response) => void response.on('close', left.resolve)
    await ask1('leave')
    await left.promise
    t.pass('a reply that was not finished is cut at once')
    await until(() => handle.inFlight === 0)
  },
)
