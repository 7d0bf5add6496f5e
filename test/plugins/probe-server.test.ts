import { type AddressInfo, connect } from 'node:net'
import t from 'tap'
import { createProbeServer, type ProbeAnswer } from '../../plugins/probe-server.ts'

function make(overrides: { ready?: ProbeAnswer; metrics?: () => Promise<string> } = {}) {
  const server = createProbeServer({
    livez: () => ({ status: 200, body: { status: 'ok' } }),
    readyz: () => overrides.ready ?? { status: 200, body: { status: 'ok' } },
    metrics: overrides.metrics ?? (async () => 'metric 1\n'),
    metricsContentType: 'text/plain; version=0.0.4; charset=utf-8',
  })
  t.teardown(() => server.close())
  return server
}

t.test('the three routes, never cached', async (t) => {
  const server = make({ ready: { status: 503, body: { status: 'unavailable' } } })
  const live = await server.inject('/livez')
  t.equal(live.statusCode, 200)
  t.same(live.json(), { status: 'ok' })
  const ready = await server.inject('/readyz')
  t.equal(ready.statusCode, 503)
  t.same(ready.json(), { status: 'unavailable' })
  const metrics = await server.inject('/metrics')
  t.equal(metrics.body, 'metric 1\n')
  t.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/)
  for (const { headers } of [live, ready, metrics]) t.equal(headers['cache-control'], 'no-store')
})

t.test('a scrape that fails says nothing of why', async (t) => {
  const server = make({
    metrics: async () => {
      throw new Error('sk-never-shown /etc/sallyport')
    },
  })
  const reply = await server.inject('/metrics')
  t.equal(reply.statusCode, 500)
  t.notMatch(reply.body, /never-shown|etc|stack/)
  t.equal((await server.inject('/livez')).statusCode, 200)
})

t.test('everything else is not found, and quotes nothing', async (t) => {
  const server = make()
  for (const url of ['/', '/livez/', '/LIVEZ', '/metrics/x', '/v1/models?key=sk-never-shown']) {
    const reply = await server.inject(url)
    t.equal(reply.statusCode, 404, url)
    t.notMatch(reply.body, /never-shown/)
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const) {
    t.equal((await server.inject({ method, url: '/metrics' })).statusCode, 404, method)
  }
})

t.test('a body is refused at its bound, and one that is no JSON is not quoted', async (t) => {
  const server = make()
  const big = await server.inject({ method: 'POST', url: '/livez', payload: { a: 'x'.repeat(10_000) } })
  t.ok(big.statusCode >= 400)
  const odd = await server.inject({
    method: 'POST',
    url: '/livez',
    headers: { 'content-type': 'application/json' },
    payload: 'sk-never-shown',
  })
  t.ok(odd.statusCode >= 400)
  t.notMatch(odd.body, /never-shown/)
})

t.test('a malformed address quotes nothing', async (t) => {
  const reply = await make().inject('/%zzsk-never-shown')
  t.ok(reply.statusCode >= 400)
  t.notMatch(reply.body, /never-shown/)
})

t.test('no connection is held open: by a body, by half a head, or by being one of many', async (t) => {
  const server = make()
  await server.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.server.address() as AddressInfo
  const open = async (text: string): Promise<{ read: string; closed: Promise<void> }> => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    const seen = { read: '', closed: new Promise<void>((resolve) => socket.once('close', () => resolve())) }
    socket.on('data', (chunk) => {
      seen.read += chunk
    })
    socket.on('error', () => {})
    socket.write(text)
    return seen
  }
  for (const body of ['Content-Length: 1000\r\n', 'Transfer-Encoding: chunked\r\n']) {
    for (const method of ['GET', 'POST']) {
      const held = await open(`${method} /livez HTTP/1.1\r\nHost: a\r\n${body}\r\n`)
      await held.closed
      t.match(held.read, /^HTTP\/1\.1 400 /)
      t.match(held.read, /a probe has no body/)
    }
  }
  const half = await open('GET /livez HTTP/1.1\r\nHo')
  const many = await Promise.all(Array.from({ length: 140 }, () => open('')))
  await Promise.any(many.map(({ closed }) => closed))
  await half.closed
  t.match(half.read, /^HTTP\/1\.1 (408|400) /)
  const live = await open('GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await Promise.all(many.map(({ closed }) => closed))
  await live.closed
})
