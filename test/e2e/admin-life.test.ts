// The operators' listener in the life of the gateway: no change without a record, files that change, a drain, and a
// configuration that is edited under the quotas.
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ask, changesOf, ifMatch, rule, toCreate } from '../support/admin.ts'
import { issueServer, makeAuthority } from '../support/certificates.ts'
import { callerOf, HeldModel, linesOf, put } from '../support/flow.ts'
import { freePorts, startStack, until } from '../support/stack.ts'

t.test('what cannot be recorded is not changed', async (t) => {
  const stack = await startStack({ gateway: { audit: { segmentBytesMax: 65_536 } } })
  t.teardown(() => stack.stop())
  const [folder, away] = [join(stack.folder, 'audit'), join(stack.folder, 'away')]
  t.equal((await ask(stack, 'PUT', '/quotas/kept', { body: rule(), headers: toCreate })).status, 201)
  renameSync(folder, away)
  let version = 1
  await until(async () => {
    const body = rule({
      where: { tenants: Array.from({ length: 100 }, (_, index) => `tenant-${version}-${index}`) },
    })
    const token = stack.token({ roles: ['ops'], subject: `operator-${version}` })
    const answer = await ask(stack, 'PUT', '/quotas/kept', { body, headers: ifMatch(version), token })
    if (answer.status === 200) version += 1
    else t.match(answer, { status: 503, code: 'audit_unavailable' })
    return answer.status === 503
  }, 30_000)
  const refused = await ask(stack, 'DELETE', '/quotas/kept')
  t.equal(refused.code, 'audit_unavailable')
  t.match(await ask(stack, 'GET', '/quotas/kept'), { status: 200, etag: `"${version}"` }, 'reading goes on')
  renameSync(away, folder)
  await until(async () => (await ask(stack, 'DELETE', '/quotas/kept')).status === 204, 15_000)
})

t.test('a long rule is a record that names it by its hash', async (t) => {
  const stack = await startStack()
  t.teardown(() => stack.stop())
  const tenants = Array.from({ length: 256 }, (_, index) => `tenant-${'x'.repeat(100)}-${index}`)
  const long = await ask(stack, 'PUT', '/quotas/long', {
    body: rule({ where: { tenants } }),
    headers: toCreate,
  })
  t.equal(long.status, 201)
  t.match(changesOf(stack).at(-1), { after: { amount: 60, counts: 'requests', sha256: /^[0-9a-f]{64}$/ } })
})

t.test('quotas outlive a reload; a limit that leaves the configuration stays an operator’s', async (t) => {
  const configured = { counts: 'requests', per: 'minute', amount: 1_000, by: ['tenant'] }
  const stack = await startStack({ policies: { limits: { shared: configured } } })
  t.teardown(() => stack.stop())
  await ask(stack, 'PATCH', '/quotas/shared', { body: { amount: 2_000 }, headers: ifMatch(0) })
  stack.configure('policies', { limits: { shared: { ...configured, amount: 3_000 } } })
  await stack.gateway.reload()
  const both = { rule: { amount: 2_000 }, configured: { amount: 3_000 }, source: 'operator' }
  t.match((await ask(stack, 'GET', '/quotas/shared')).body, both)
  stack.configure('policies', { limits: { shared: undefined } })
  await stack.gateway.reload()
  t.match((await ask(stack, 'GET', '/quotas/shared')).body, { rule: { amount: 2_000 }, configured: null })
  t.equal((await ask(stack, 'DELETE', '/quotas/shared')).status, 204)
  t.equal((await ask(stack, 'GET', '/quotas/shared')).status, 404)
})

t.test('files of its own: another certificate and authority, changed while it runs', async (t) => {
  const [authority, operators] = await Promise.all([
    makeAuthority('ops server CA'),
    makeAuthority('operators CA'),
  ])
  const server = await issueServer(authority)
  const stack = await startStack({
    files: {
      'config/tls/ops.crt': server.cert,
      'config/tls/ops.key': server.key,
      'config/tls/operators.crt': operators.cert,
    },
    gateway: {
      ops: { tls: { certificate: 'tls/ops.crt', key: 'tls/ops.key', clientCa: 'tls/operators.crt' } },
    },
  })
  t.teardown(() => stack.stop())
  const port = Number(new URL(stack.ops).port)
  const token = stack.token({ roles: ['ops'] })
  const operator = callerOf(
    { ...stack, port, serverCa: authority },
    await operators.issue({ subject: 'CN=operator' }),
  )
  const caller = callerOf({ ...stack, port, serverCa: authority })
  t.teardown(() => Promise.all([operator.close(), caller.close()]))
  t.equal((await operator.fetch('/admin/v1/quotas', { token })).status, 200)
  await t.rejects(
    caller.fetch('/admin/v1/quotas', { token }),
    'a certificate for traffic is none for operators',
  )
  const next = await issueServer(authority)
  put(stack, 'tls/ops.key', next.key)
  put(stack, 'tls/ops.crt', next.cert)
  await until(() => linesOf(stack, 'tls.reloaded').some(({ role }) => role === 'ops'))
  t.equal((await operator.fetch('/admin/v1/quotas', { token })).status, 200)
  t.match(await stack.metrics(), /sallyport_tls_certificate_not_after_seconds\{role="ops"\}/)
})

t.test('operators can look while streams drain; then the listener is gone', async (t) => {
  const held = new HeldModel()
  const stack = await startStack({
    model: { script: held.script },
    gateway: { drain: { deadlineMs: 20_000 } },
  })
  const caller = callerOf(stack)
  const stream = await caller.stream()
  const closing = stack.gateway.close()
  await until(() => linesOf(stack, 'drain.started').length === 1)
  const answer = await ask(stack, 'GET', '/usage')
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('connection'), 'close')
  held.release()
  t.equal(await stream.end, 'ended')
  await closing
  await t.rejects(ask(stack, 'GET', '/usage'))
  await caller.close()
  await stack.stop()
})

t.test('a port that is taken stops the start, and gives everything back', async (t) => {
  const first = await startStack()
  t.teardown(() => first.stop())
  const port = Number(new URL(first.ops).port)
  await t.rejects(startStack({ gateway: { ops: { port } } }), { code: 'EADDRINUSE' })
  const [free] = await freePorts(1)
  t.ok(free !== port)
})
