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
