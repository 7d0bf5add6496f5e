// Probes and metrics: three routes in plain HTTP and nothing else; readiness tells why, liveness depends on nothing.
import { request } from 'node:http'
import t from 'tap'
import { callerOf, put } from '../support/flow.ts'
import { startStack, until } from '../support/stack.ts'

const stack = await startStack()
t.teardown(() => stack.stop())
const caller = callerOf(stack)
t.teardown(() => caller.close())

const get = (path: string): Promise<Response> => fetch(stack.probes + path)

t.test('alive and ready, each check with its detail', async (t) => {
  const live = await get('/livez')
  t.equal(live.status, 200)
  t.same(await live.json(), { status: 'ok' })
  const ready = await get('/readyz')
  t.equal(ready.status, 200)
  const { status, checks } = (await ready.json()) as {
    status: string
    checks: Record<string, { ready: boolean }>
  }
  t.equal(status, 'ok')
  t.same(Object.keys(checks), ['config', 'certificates', 'keys', 'audit', 'quota', 'drain'])
  t.equal(ready.headers.get('cache-control'), 'no-store')
})

t.test('readiness does not depend on model servers, liveness on nothing', async (t) => {
  await stack.model.close()
  t.equal((await caller.chat()).status, 502)
  t.equal((await get('/readyz')).status, 200)
  t.equal((await get('/livez')).status, 200)
})

t.test('metrics are in the Prometheus format, with records counted', async (t) => {
  const reply = await get('/metrics')
  t.match(reply.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  await reply.text()
  await until(async () => /event="exchange\.ended"/.test(await stack.metrics()))
  const text = await stack.metrics()
  t.match(text, /^sallyport_audit_records_total\{event="gateway\.started"\} 1$/m)
  t.match(text, /^sallyport_audit_records_total\{event="exchange\.ended"\} 1$/m)
  t.match(text, /^sallyport_audit_healthy 1$/m)
  t.match(text, /^sallyport_config_info\{hash="[0-9a-f]{16}"\} 1$/m)
})

t.test('nothing else is served, with no method, and no traffic', async (t) => {
  const paths = [
    '/',
    '/metrics/',
    '/livez/x',
    '/v1/models',
    '/v1/chat/completions',
    '/config',
    '/debug/pprof',
    '/%6detrics/..',
  ]
  for (const path of paths) t.equal((await get(path)).status, 404, path)
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE']) {
    const status = await new Promise((resolve, reject) => {
      request(`${stack.probes}/metrics`, { method }, (reply) => resolve(reply.resume().statusCode))
        .on('error', reject)
        .end()
    })
    t.ok(status === 404 || status === 405, `${method}: ${status}`)
  }
  const body = await (await get('/secret?token=abc')).text()
  t.notMatch(body, /secret|abc/)
  t.equal((await get('/livez')).headers.get('server'), null)
})

t.test('and on the traffic listener no probe is', async (t) => {
  for (const path of ['/livez', '/readyz', '/metrics']) t.equal((await caller.fetch(path)).status, 404, path)
})

t.test('a body is not waited for', async (t) => {
  const reply = await fetch(`${stack.probes}/livez`, { method: 'POST', body: 'x'.repeat(10_000) })
  t.ok(reply.status >= 400)
  t.equal((await get('/livez')).status, 200)
})

t.test('without keys for anybody it is not ready', async (t) => {
  put(stack, 'tls/idp-ca.crt', stack.serverCa.cert)
  const [issuer] = [
    {
      name: 'away',
      issuer: 'https://away.test',
      audience: 'sallyport',
      algorithms: ['ES256'],
      keys: { url: 'https://127.0.0.1:9/jwks', ca: 'tls/idp-ca.crt' },
      claims: { tenant: ['tenant'], roles: ['roles'] },
    },
  ]
  stack.configure('gateway', { identity: { issuers: [issuer] } })
  await until(async () => (await get('/readyz')).status === 503)
  const { checks } = (await (await get('/readyz')).json()) as { checks: { keys: object } }
  t.same(checks.keys, { ready: false, detail: 'without keys: away' })
  t.equal((await get('/livez')).status, 200)
})
