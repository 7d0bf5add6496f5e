// Certificates, authorities and revocation lists change under open connections: what is no longer believed ends, the
// rest goes on, and a file that is no good changes nothing.
import { X509Certificate } from 'node:crypto'
import { connect, type TLSSocket } from 'node:tls'
import t from 'tap'
import { type Identity, issueServer, makeAuthority } from '../support/certificates.ts'
import { callerOf, codeOf, HeldModel, linesOf, put, recordsOf } from '../support/flow.ts'
import { endOf, samplesOf } from '../support/scene.ts'
import { startStack, until } from '../support/stack.ts'

const held = new HeldModel()
const stack = await startStack({ model: { script: held.script } })
t.teardown(() => stack.stop())
const { clientCa, serverCa } = stack

/** Opens a connection; resolves with what it came to. A TLS 1.3 client learns of a refusal only when it reads. */
function dial(identity: Identity): Promise<{ socket: TLSSocket; refused: string | undefined }> {
  const { promise, resolve } = Promise.withResolvers<{ socket: TLSSocket; refused: string | undefined }>()
  const socket = connect({
    host: '127.0.0.1',
    port: stack.port,
    servername: 'localhost',
    ca: serverCa.cert,
    cert: identity.chain || identity.cert,
    key: identity.key,
  })
  socket.on('error', (error: NodeJS.ErrnoException) => resolve({ socket, refused: error.code ?? 'error' }))
  socket.on('close', () => resolve({ socket, refused: 'closed' }))
  socket.on('data', () => resolve({ socket, refused: undefined }))
  socket.on('secureConnect', () => socket.write('GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n'))
  t.teardown(() => socket.destroy())
  return promise
}

const servedBy = async (): Promise<string> => {
  const { socket } = await dial(stack.client)
  const { fingerprint256 } = socket.getPeerX509Certificate() as X509Certificate
  socket.destroy()
  return fingerprint256
}

const closed = (socket: TLSSocket): Promise<void> =>
  new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())))

t.test('a new server certificate: new connections see it, a running stream goes on', async (t) => {
  const caller = callerOf(stack)
  t.teardown(() => caller.close())
  const stream = await caller.stream()
  const before = await servedBy()
  const next = await issueServer(serverCa)
  put(stack, 'tls/server.key', next.key)
  put(stack, 'tls/server.crt', next.cert)
  await until(async () => (await servedBy()) === next.fingerprint256)
  t.not(before, next.fingerprint256)
  t.equal((await caller.chat()).status, 200, 'the connection of before still serves')
  const notAfter = samplesOf(await stack.metrics()).get(
    'sallyport_tls_certificate_not_after_seconds{role="traffic"}',
  )
  t.equal(notAfter, new X509Certificate(next.cert).validToDate.getTime() / 1000)
  t.equal(linesOf(stack, 'tls.reloaded').length, 1)
  held.release()
  t.equal(await stream.end, 'ended')
  t.equal(endOf(stream.text()), '[DONE]')
})

t.test('a half-written pair and an expired certificate are refused, the old one stays', async (t) => {
  const before = await servedBy()
  const rejected = linesOf(stack, 'config.rejected').length
  const expired = await serverCa.issue({
    dnsNames: ['localhost'],
    eku: ['1.3.6.1.5.5.7.3.1'],
    notBefore: new Date(Date.now() - 7_200_000),
    notAfter: new Date(Date.now() - 3_600_000),
  })
  put(stack, 'tls/server.crt', expired.cert)
  await until(() => linesOf(stack, 'config.rejected').length > rejected)
  const [first] = linesOf(stack, 'config.rejected').slice(rejected)
  t.match(String(first?.['problems']), /gateway\.yaml:\d+:\d+ traffic\.tls\.(certificate|key) names a/)
  put(stack, 'tls/server.key', expired.key)
  await until(() => /expired/.test(String(linesOf(stack, 'config.rejected').at(-1)?.['problems'])))
  t.equal(await servedBy(), before)
  const good = await issueServer(serverCa)
  put(stack, 'tls/server.key', good.key)
  put(stack, 'tls/server.crt', good.cert)
  await until(async () => (await servedBy()) === good.fingerprint256)
})

t.test('a list that takes a certificate back ends its connections and streams, and no others', async (t) => {
  const [bad, other] = await Promise.all([clientCa.issue(), clientCa.issue()])
  const [badCaller, otherCaller] = [callerOf(stack, bad), callerOf(stack, other)]
  t.teardown(() => Promise.all([badCaller.close(), otherCaller.close()]))
  const [idle, otherIdle] = await Promise.all([dial(bad), dial(other)])
  const [stream, otherStream] = await Promise.all([badCaller.stream(), otherCaller.stream()])
  const startedAt = Date.now()
  put(stack, 'tls/client-ca.crl', await clientCa.crl({ revoked: [bad.serial] }))
  await Promise.all([stream.end, closed(idle.socket)])
  t.ok(Date.now() - startedAt < 5_000)
  t.equal(endOf(stream.text()), 'token_revoked', 'the stream says why it ends')
  await until(() => recordsOf(stack, 'exchange.ended').some(({ reason }) => reason === 'cert_revoked'))
  t.ok((await dial(bad)).refused, 'no new handshake')
  t.notOk(otherIdle.socket.closed)
  t.equal((await otherCaller.chat()).status, 200)
  held.release()
  await otherStream.end
  t.equal(endOf(otherStream.text()), '[DONE]')
  const errors = samplesOf(await stack.metrics())
  t.ok((errors.get('sallyport_tls_client_errors_total{reason="revoked"}') ?? 0) > 0)
})

t.test('a list that is not signed by the authority is refused, the old one stays in force', async (t) => {
  const bad = await clientCa.issue()
  put(stack, 'tls/client-ca.crl', await clientCa.crl({ revoked: [bad.serial] }))
  await until(async () => (await dial(bad)).refused !== undefined)
  const stranger = await makeAuthority('test client CA')
  const rejected = linesOf(stack, 'config.rejected').length
  put(stack, 'tls/client-ca.crl', await stranger.crl())
  await until(() => linesOf(stack, 'config.rejected').length > rejected)
  t.match(
    String(linesOf(stack, 'config.rejected').at(-1)?.['problems']),
    /traffic\.tls: crl\[0\]: is not signed/,
  )
  t.ok((await dial(bad)).refused)
  t.equal((await dial(stack.client)).refused, undefined)
  put(stack, 'tls/client-ca.crl', await clientCa.crl())
  await until(async () => (await dial(bad)).refused === undefined)
})

t.test('a list that ran out refuses everybody, and the gateway warns of it', async (t) => {
  const ranOutAt = new Date(Math.floor(Date.now() / 1000) * 1000 - 1_000)
  put(stack, 'tls/client-ca.crl', await clientCa.crl({ nextUpdate: ranOutAt }))
  await until(async () => (await dial(stack.client)).refused !== undefined)
  t.match(linesOf(stack, 'tls.warning').at(-1), { source: 'crl[0]', level: 'warn' })
  const samples = samplesOf(await stack.metrics())
  t.equal(
    samples.get('sallyport_tls_certificate_not_after_seconds{role="traffic_crl"}'),
    ranOutAt.getTime() / 1000,
  )
  put(stack, 'tls/client-ca.crl', await clientCa.crl())
  await until(async () => (await dial(stack.client)).refused === undefined)
})

t.test('a refused policy does not keep a revocation out', async (t) => {
  const bad = await clientCa.issue()
  t.equal((await dial(bad)).refused, undefined)
  const rejected = linesOf(stack, 'config.rejected').length
  stack.configure('policies', { roles: { app: { redaction: 'nowhere' } } })
  await until(() => linesOf(stack, 'config.rejected').length > rejected)
  put(stack, 'tls/client-ca.crl', await clientCa.crl({ revoked: [bad.serial] }))
  await until(async () => (await dial(bad)).refused !== undefined)
  stack.configure('policies', { roles: { app: { redaction: 'mask' } } })
})

t.test('a certificate that runs out on an open connection is asked for at the next request', async (t) => {
  const brief = await clientCa.issue({ notAfter: new Date(Date.now() + 2_000) })
  const caller = callerOf(stack, brief)
  t.teardown(() => caller.close())
  t.equal((await caller.chat()).status, 200)
  await until(async () => (await codeOf(await caller.chat())) === 'certificate_expired')
  t.equal((await caller.chat()).status, 401)
})

t.test('a new client authority: connections of the old one end, its callers come in no more', async (t) => {
  const nextCa = await makeAuthority('next client CA')
  const newcomer = await nextCa.issue()
  const caller = callerOf(stack)
  t.teardown(() => caller.close())
  const stream = await caller.stream()
  const idle = await dial(stack.client)
  t.equal((await dial(newcomer)).refused !== undefined, true)
  put(stack, 'tls/client-ca.crt', clientCa.cert + nextCa.cert)
  put(stack, 'tls/client-ca.crl', (await clientCa.crl()) + (await nextCa.crl()))
  await until(async () => (await dial(newcomer)).refused === undefined)
  t.notOk(idle.socket.closed, 'both are believed while the bundle holds both')
  put(stack, 'tls/client-ca.crl', await nextCa.crl())
  put(stack, 'tls/client-ca.crt', nextCa.cert)
  await closed(idle.socket)
  await stream.end
  t.equal(endOf(stream.text()), 'invalid_certificate')
  t.ok((await dial(stack.client)).refused)
  t.equal((await dial(newcomer)).refused, undefined)
})
