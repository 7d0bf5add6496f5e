// One model server over real sockets: what is sent, what is read, when a request is sent again, and what an abort does.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createEndpoint, type EndpointOptions } from '../../../src/upstream/http/undici-endpoint.ts'
import type { UpstreamRequest } from '../../../src/upstream/upstream.ts'
import { issueServer, makeAuthority } from '../../support/certificates.ts'

const never = new AbortController().signal
const ask: UpstreamRequest = {
  path: '/v1/chat/completions',
  body: '{"a":1}',
  stream: true,
  requestId: 'id-1',
}

interface Told {
  connections: number
  retries: number
  statuses: (number | undefined)[]
}

function endpoint(t: Test, server: Server, options: Partial<EndpointOptions> = {}) {
  const told: Told = { connections: 0, retries: 0, statuses: [] }
  const { port } = server.address() as AddressInfo
  const handle = createEndpoint({
    origin: `${options.tls ? 'https' : 'http'}://localhost:${port}`,
    tls: undefined,
    apiKey: () => undefined,
    keepAlive: 'on',
    connectionsMax: 4,
    connectTimeoutMs: 2_000,
    firstByteTimeoutMs: 2_000,
    idleTimeoutMs: 2_000,
    observer: {
      connected: () => void told.connections++,
      retried: () => void told.retries++,
      answered: (status) => void told.statuses.push(status),
    },
    ...options,
  })
  t.teardown(() => handle.close())
  return { handle, told }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function listen(t: Test, server: Server): Promise<Server> {
  server.listen(0, 'localhost')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return server
}
const serve = (t: Test, handler: Handler): Promise<Server> => listen(t, createServer(handler))

/** undici gives a connection back to its pool a turn after the body has ended. */
const idle = (): Promise<void> => delay(10)

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = ''
  for await (const chunk of body) text += Buffer.from(chunk).toString('latin1')
  return text
}

const refusalOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error) => error.code,
  )

t.test('the head holds our own fields and no others', async (t) => {
  let seen: IncomingMessage | undefined
  let body = ''
  const server = await serve(t, (request, response) => {
    seen = request
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => response.setHeader('content-type', 'a/b').end('ok'))
  })
  const { handle, told } = endpoint(t, server, { apiKey: () => 'k-1' })
  const answer = await handle.post(ask, never)
  t.equal(await textOf(answer.body), 'ok')
  await answer[Symbol.asyncDispose]()
  t.same(seen?.headers, {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    connection: 'keep-alive',
    'content-type': 'application/json',
    'content-length': '7',
    accept: 'text/event-stream',
    'accept-encoding': 'identity',
    'x-request-id': 'id-1',
    authorization: 'Bearer k-1',
  })
  t.equal(`${seen?.method} ${seen?.url} ${body}`, 'POST /v1/chat/completions {"a":1}')
  t.match(answer, { status: 200, contentType: 'a/b' })
  t.match(told, { connections: 1, retries: 0, statuses: [200] })
})

t.test('of the answer only the headers that we read come through', async (t) => {
  const server = await serve(t, (_request, response) => {
    response.writeHead(200, [
      ...['set-cookie', 'a', 'server', 'x', 'location', '/y', 'retry-after', '3'],
      ...['x-request-id', 'theirs', 'endpoint-load-metrics', 'm', 'content-encoding', 'gzip'],
    ])
    response.end()
  })
  const { handle } = endpoint(t, server)
  await using answer = await handle.post({ ...ask, stream: false }, never)
  t.same(answer.headers, { 'retry-after': '3', 'endpoint-load-metrics': 'm', 'content-encoding': 'gzip' })
  t.equal(answer.contentType, '')
})

t.test('a rotated key is asked for at each request', async (t) => {
  const seen: (string | undefined)[] = []
  const server = await serve(t, (request, response) => {
    seen.push(request.headers.authorization)
    response.end()
  })
  const keys = ['one', 'two', undefined]
  const { handle } = endpoint(t, server, { apiKey: () => keys.shift() })
  for (let times = 0; times < 3; times++) {
    await using answer = await handle.post(ask, never)
    await textOf(answer.body)
  }
  t.same(seen, ['Bearer one', 'Bearer two', undefined])
})

t.test('TLS: our authority alone, with our certificate', async (t) => {
  const [ours, theirs] = await Promise.all([makeAuthority('ours'), makeAuthority('theirs')])
  const [identity, stranger, client] = await Promise.all([
    issueServer(ours),
    issueServer(theirs),
    ours.issue({ subject: 'CN=gateway' }),
  ])
  const names: unknown[] = []
  const start = (server: typeof identity): Promise<Server> =>
    listen(
      t,
      createTlsServer(
        { cert: server.cert, key: server.key, ca: ours.cert, requestCert: true, rejectUnauthorized: true },
        (request, response) => {
          names.push((request.socket as never as { getPeerCertificate(): unknown }).getPeerCertificate())
          response.end('ok')
        },
      ) as unknown as Server,
    )
  const good = await start(identity)
  const tls = { ca: ours.cert, certificate: client.cert, key: client.key }
  {
    const { handle } = endpoint(t, good, { tls })
    await using answer = await handle.post(ask, never)
    t.equal(await textOf(answer.body), 'ok')
  }
  t.match(names, [{ subject: { CN: 'gateway' } }])
  const bad = await start(stranger)
  const attempts: [string, Server, Partial<EndpointOptions>][] = [
    ['a server of another authority', bad, { tls }],
    ['an authority that is not ours', good, { tls: { ...tls, ca: theirs.cert } }],
    ['another name', good, { tls: { ...tls, serverName: 'other.test' } }],
    ['no certificate of ours', good, { tls: { ca: ours.cert } }],
  ]
  for (const [name, server, options] of attempts) {
    const { handle } = endpoint(t, server, options)
    t.match(await refusalOf(handle.post(ask, never)), /^upstream_(unavailable|truncated|protocol)$/, name)
    t.equal(handle.inFlight, 0)
  }
  t.equal(names.length, 1, 'nobody else got a request')
})

t.test('a reused socket that dies unanswered: once more, on a new one', async (t) => {
  let requests = 0
  const server = await serve(t, (request, response) => {
    requests += 1
    if (requests === 2) request.socket.destroy()
    else response.end('ok')
  })
  const { handle, told } = endpoint(t, server)
  for (const attempts of [1, 3]) {
    await using answer = await handle.post(ask, never)
    t.equal(await textOf(answer.body), 'ok')
    t.equal(requests, attempts)
    await idle()
  }
  t.match(told, { connections: 2, retries: 1, statuses: [200, 200] })
})

t.test('never again otherwise', async (t) => {
  const ends: Record<string, Handler> = {
    'a fresh socket that dies unanswered': (request) => request.socket.destroy(),
    'half a head': (request) => void request.socket.write('HTTP/1.1 20', () => request.socket.destroy()),
  }
  for (const [name, end] of Object.entries(ends)) {
    let requests = 0
    const server = await serve(t, (request, response) => {
      requests += 1
      end(request, response)
    })
    const { handle, told } = endpoint(t, server)
    t.equal(await refusalOf(handle.post(ask, never)), 'upstream_truncated', name)
    t.equal(requests, 1)
    t.equal(told.retries, 0)
    t.same(told.statuses, [undefined])
  }
  // On a reused socket: an answer that had begun, and one that dies twice.
  for (const [dies, times] of [
    ['HTTP/1.1 200', 2],
    ['', 3],
  ] as const) {
    let requests = 0
    const server = await serve(t, (request, response) => {
      requests += 1
      if (requests === 1) response.end('ok')
      else request.socket.end(dies)
    })
    const { handle } = endpoint(t, server)
    {
      await using first = await handle.post(ask, never)
      await textOf(first.body)
      await idle()
    }
    t.equal(await refusalOf(handle.post(ask, never)), 'upstream_truncated')
    t.equal(requests, times)
  }
})

t.test('a reused socket is no reason to begin a generation twice', async (t) => {
  const ends: readonly (readonly [string, Handler, string])[] = [
    ['silence until the time limit', () => {}, 'upstream_timeout'],
    [
      'a server that dies of its work',
      (request) => void setTimeout(() => request.socket.destroy(), 700),
      'upstream_truncated',
    ],
    [
      'bytes that are no HTTP',
      (request) => void setTimeout(() => request.socket.end('\0'), 10),
      'upstream_protocol',
    ],
  ]
  for (const [name, end, code] of ends) {
    let requests = 0
    const server = await serve(t, (request, response) => {
      requests += 1
      if (requests === 1) response.end('ok')
      else end(request, response)
    })
    const { handle, told } = endpoint(t, server, { firstByteTimeoutMs: 1_000 })
    {
      await using first = await handle.post(ask, never)
      await textOf(first.body)
      await idle()
    }
    let sent = 0
    t.equal(await refusalOf(handle.post({ ...ask, sent: () => void sent++ }, never)), code, name)
    t.match({ requests, sent, told }, { requests: 2, sent: 1, told: { retries: 0 } }, name)
  }
})

t.test('each sending is told, also when no answer comes of it', async (t) => {
  let requests = 0
  const server = await serve(t, (request, response) => {
    requests += 1
    if (requests === 1) response.end('ok')
    else request.socket.destroy()
  })
  const { handle } = endpoint(t, server)
  {
    await using first = await handle.post(ask, never)
    await textOf(first.body)
    await idle()
  }
  let sent = 0
  t.equal(await refusalOf(handle.post({ ...ask, sent: () => void sent++ }, never)), 'upstream_truncated')
  t.equal(sent, 2)
})

t.test('an abort reaches the server in each phase, and its reason is what is thrown', async (t) => {
  const reason = new Error('the caller left')
  for (const phase of ['before', 'waiting', 'streaming'] as const) {
    const aborts = Promise.withResolvers<void>()
    let requests = 0
    const server = await serve(t, (_request, response) => {
      requests += 1
      response.on('close', () => aborts.resolve())
      if (phase === 'streaming') response.write('a')
      else setTimeout(() => caller.abort(reason), 20)
    })
    const caller = new AbortController()
    const { handle } = endpoint(t, server)
    if (phase === 'before') caller.abort(reason)
    if (phase === 'streaming') {
      await using answer = await handle.post(ask, caller.signal)
      await t.rejects(async () => {
        for await (const chunk of answer.body) {
          t.equal(String(chunk), 'a')
          caller.abort(reason)
        }
      })
    } else await t.rejects(handle.post(ask, caller.signal), reason)
    if (phase === 'before') t.equal(requests, 0)
    else await aborts.promise
    t.equal(handle.inFlight, 0)
  }
})
