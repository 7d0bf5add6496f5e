import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect as connectPlain, Socket } from 'node:net'
import fc from 'fast-check'
import fastify from 'fastify'
import t from 'tap'
import { guardConnections, secureServerOptions } from '../../plugins/mutual-tls.ts'
import { readPeerCertificate } from '../../src/identity/certificate.ts'
import type { TlsMaterial } from '../../src/identity/tls-material.ts'
import * as trust from '../../src/identity/trust.ts'
import { Refusal } from '../../src/refusal.ts'
import { tlsReason } from '../../src/telemetry/tls-reason.ts'
import { eku, type Identity, issueServer, makeAuthority } from '../support/certificates.ts'
import { type Caller, call, type Listener, listen, makeMaterial } from '../support/tls-listener.ts'

const ca1 = await makeAuthority('ca1')
const ca2 = await makeAuthority('ca2')
const server = await issueServer(ca1, ['a.test', 'b.test'])
const uri = 'spiffe://td.test/ns/app/sa/a'
const a = await ca1.issue({ subject: 'CN=a', uris: [uri] })
const b = await ca2.issue({ subject: 'CN=b', uris: ['spiffe://td.test/ns/app/sa/b'] })
const fingerprintOf = (identity: Identity): string => readPeerCertificate(identity.der).fingerprint
const plain = makeMaterial({ server, clientCa: [ca1] })
const versions = ['TLSv1.3', 'TLSv1.2'] as const
const exactly = (version: (typeof versions)[number]) => ({ minVersion: version, maxVersion: version })

/** One connection, one request: the answer, or the reason for which the server's TLS refused it. */
async function ask(listener: Listener, identity?: Identity, options = {}): Promise<string> {
  const before = listener.failures.length
  const caller = call(listener, identity, options)
  const reply = await caller.get()
  await caller.close()
  if (reply !== undefined) return `${reply.status} ${reply.text}`
  await listener.failed(before + 1)
  return `tls ${tlsReason(listener.failures.at(-1))}`
}

t.test('a client certificate of the right authority', async (t) => {
  await using listener = await listen(plain)
  t.equal(await ask(listener, a), `200 ${fingerprintOf(a)}`)
  t.equal(listener.failures.length, 0)
})

t.test('no certificate: an alert, a count, and not one byte of HTTP (attack case 1)', async (t) => {
  await using listener = await listen(plain)
  const caller = call(listener)
  let received = 0
  caller.socket.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  t.equal(await caller.get(), undefined)
  t.equal(await caller.ended, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED')
  t.strictSame([received, listener.served()], [0, 0])
  t.strictSame(listener.failures.map(tlsReason), ['no_certificate'])
})

t.test('what TLS itself refuses (attack case 3)', async (t) => {
  await using listener = await listen(plain)
  t.equal(await ask(listener, b), 'tls untrusted')
  t.equal(await ask(listener, await ca1.issue({ eku: [eku.serverAuth] })), 'tls purpose')
  t.equal(await ask(listener, await ca1.issue({ notAfter: new Date(Date.now() - 60_000) })), 'tls expired')
  t.equal(
    await ask(listener, await ca1.issue({ notBefore: new Date(Date.now() + 60_000) })),
    'tls not_yet_valid',
  )
  t.equal(await ask(listener, a, { maxVersion: 'TLSv1.2' }), 'tls protocol')
  t.equal(listener.served(), 0)
})

t.test('what Node accepts is answered with the fault in HTTP (attack case 5)', async (t) => {
  await using listener = await listen(plain)
  t.equal(await ask(listener, await ca1.issue({ eku: [] })), '403 cert_no_client_auth')
  t.equal(await ask(listener, await ca1.issue({ ca: true })), '403 cert_is_ca')
  t.equal(await ask(listener, await ca1.issue({ uris: ['spiffe://td.test/a\0b'] })), '403 cert_unreadable')
})

t.test('chains: order, depth, strangers', async (t) => {
  await using listener = await listen(makeMaterial({ server, clientCa: [ca1], chainDepthMax: 2 }))
  const first = await ca1.intermediate('first')
  const second = await first.intermediate('second')
  const below = await first.issue()
  t.match(await ask(listener, below), '200')
  t.match(await ask(listener, below, { cert: below.cert + second.cert + first.cert }), '200')
  t.equal(await ask(listener, below, { cert: below.cert }), 'tls untrusted')
  t.equal(await ask(listener, await second.issue()), '403 cert_chain_too_long')
})

t.test('one trust domain cannot speak for another (attack case 7)', async (t) => {
  const material = makeMaterial({ server, trustDomains: { 'td.test': [ca1], 'other.test': [ca2] } })
  await using listener = await listen(material)
  t.equal(await ask(listener, a), `200 ${fingerprintOf(a)}`)
  t.equal(await ask(listener, b), '403 spiffe_issued_by_other_domain')
  const tricky = await ca1.issue({ dnsNames: ['x, URI:spiffe://td.test/ns/app/sa/admin'], uris: [uri] })
  const caller = call(listener, tricky)
  const [socket] = (await once(listener.server, 'secureConnection')) as [Socket]
  t.equal(listener.tls.peerOf(socket).spiffeId, uri)
  await caller.close()
})

t.test('revocation lists: revoked, and run out', async (t) => {
  const revoked = await ca1.issue()
  const crl = await ca1.crl({ revoked: [revoked.serial] })
  await using listener = await listen(makeMaterial({ server, clientCa: [ca1], crl: [crl] }))
  t.match(await ask(listener, a), '200')
  t.equal(await ask(listener, revoked), 'tls revoked')
  const [thisUpdate, nextUpdate] = [new Date(Date.now() - 7_200_000), new Date(Date.now() - 3_600_000)]
  const stale = await ca1.crl({ thisUpdate, nextUpdate })
  await using closed = await listen(makeMaterial({ server, clientCa: [ca1], crl: [stale] }))
  t.equal(await ask(closed, a), 'tls expired')
})

t.test('TLS 1.2 by choice: AEAD suites only, no renegotiation', async (t) => {
  await using listener = await listen(makeMaterial({ server, clientCa: [ca1], minVersion: 'TLSv1.2' }))
  t.match(await ask(listener, a, exactly('TLSv1.2')), '200')
  t.equal(
    await ask(listener, a, { ...exactly('TLSv1.2'), ciphers: 'ECDHE-ECDSA-AES128-SHA256' }),
    'tls protocol',
  )
  t.equal(
    await ask(listener, a, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
    'tls protocol',
  )
  const caller = call(listener, a, exactly('TLSv1.2'))
  await caller.get()
  const { promise, resolve } = Promise.withResolvers<Error | null>()
  caller.socket.renegotiate({}, resolve)
  t.ok(await Promise.race([promise, caller.ended]), 'refused')
  await caller.close()
})

t.test('no session is resumed, in either version, unless it is asked for', async (t) => {
  const silent = makeMaterial({ server, clientCa: [ca1], minVersion: 'TLSv1.2' })
  const ticketed = makeMaterial({ server, clientCa: [ca1], minVersion: 'TLSv1.2', sessionTickets: true })
  for (const [material, reused] of [[silent, false] as const, [ticketed, true] as const]) {
    await using listener = await listen(material)
    for (const version of versions) {
      const first = call(listener, a, exactly(version))
      await first.get()
      await first.close()
      const session = first.session()
      const again = call(listener, a, { ...exactly(version), ...(session && { session }) })
      t.equal((await again.get())?.status, 200)
      t.equal(again.socket.isSessionReused(), reused, version)
      await again.close()
    }
  }
})

t.test('a resumed session has no chain: links must then be in the bundle', async (t) => {
  const first = await ca1.intermediate('first')
  const leaf = await first.issue()
  for (const [clientCa, answer] of [[[ca1], '403'] as const, [[ca1, first], '200'] as const]) {
    await using listener = await listen(makeMaterial({ server, clientCa, sessionTickets: true }))
    const full = call(listener, leaf)
    t.equal((await full.get())?.status, 200)
    await full.close()
    t.match(await ask(listener, undefined, { session: full.session() }), answer)
  }
})

t.test(
  'a revoked certificate: open connection, stream and ticket all end with the reload (attack case 9)',
  async (t) => {
    for (const version of versions) {
      const common = { server, clientCa: [ca1], minVersion: 'TLSv1.2', sessionTickets: true } as const
      await using listener = await listen(makeMaterial({ ...common, crl: [await ca1.crl()] }))
      const other = await ca1.issue()
      const [open, stream, stays] = [
        call(listener, a, exactly(version)),
        call(listener, a, exactly(version)),
        call(listener, other),
      ]
      t.equal((await open.get())?.status, 200)
      t.equal((await stream.get('localhost', '/stream'))?.status, 200)
      t.equal((await stays.get())?.status, 200)
      const session = open.session()
      t.match(
        await ask(listener, undefined, { ...exactly(version), session }),
        '200',
        'a ticket needs no key',
      )
      const next = makeMaterial({ ...common, crl: [await ca1.crl({ revoked: [a.serial] })] })
      // The server may not have seen yet that the caller above has gone.
      t.ok(listener.tls.swap(next) >= 2)
      await Promise.all([open.ended, stream.ended])
      t.equal(await ask(listener, a, { ...exactly(version), session }), 'tls revoked')
      t.equal(await ask(listener, undefined, { ...exactly(version), session }), 'tls no_certificate')
      t.equal((await stays.get())?.status, 200)
      await stays.close()
    }
  },
)

t.test(
  'a ticket of one listener is worth nothing on another with another authority (attack case 81)',
  async (t) => {
    for (const version of versions) {
      const common = { server, minVersion: 'TLSv1.2', sessionTickets: true } as const
      await using first = await listen(makeMaterial({ ...common, clientCa: [ca1] }))
      await using second = await listen(makeMaterial({ ...common, clientCa: [ca2] }))
      const caller = call(first, a, { ...exactly(version), servername: 'a.test' })
      t.equal((await caller.get('a.test'))?.status, 200)
      await caller.close()
      const session = caller.session()
      t.ok(session)
      for (const servername of ['a.test', 'b.test']) {
        t.equal(await ask(second, a, { ...exactly(version), servername, session }), 'tls untrusted')
        t.equal(
          await ask(second, undefined, { ...exactly(version), servername, session }),
          'tls no_certificate',
        )
      }
    }
  },
)

t.test('a connection that was being made during a reload is judged by the new material', async (t) => {
  await using listener = await listen(makeMaterial({ server, clientCa: [ca1, ca2] }))
  const caller = call(listener, b)
  // `connection` comes before the handshake, which goes on with the old context.
  await once(listener.server, 'connection')
  listener.tls.swap(plain)
  const reply = await caller.get()
  t.not(reply?.status, 200)
  await caller.close()
})

t.test('a reload ends who is refused as well, and keeps who is not', async (t) => {
  await using listener = await listen(makeMaterial({ server, clientCa: [ca1, ca2] }))
  const [stays, goes, refused] = [
    call(listener, a),
    call(listener, b),
    call(listener, await ca1.issue({ eku: [] })),
  ]
  t.strictSame(
    [(await stays.get())?.status, (await goes.get())?.status, (await refused.get())?.status],
    [200, 200, 403],
  )
  t.equal(listener.tls.swap(plain), 2)
  await Promise.all([goes.ended, refused.ended])
  t.equal((await stays.get())?.status, 200)
  await stays.close()
})

t.test('material that OpenSSL does not take changes nothing', async (t) => {
  await using listener = await listen(plain)
  const open = call(listener, a)
  await open.get()
  const broken = { ...plain, contextOptions: () => ({ ...plain.contextOptions(), key: 'no key' }) }
  t.throws(() => listener.tls.swap(broken))
  t.equal((await open.get())?.status, 200)
  t.match(await ask(listener, a), '200')
  await open.close()
})

t.test('a connection outlives its certificate, a request does not', async (t) => {
  let now = Date.now()
  await using listener = await listen(plain, { now: () => now })
  const notAfter = new Date(now + 3_600_000)
  const leaf = await ca1.issue({ notAfter })
  const caller = call(listener, leaf)
  t.equal((await caller.get())?.status, 200)
  now = readPeerCertificate(leaf.der).notAfter + 999
  t.equal((await caller.get())?.status, 200)
  now += 1
  t.strictSame(await caller.get(), { status: 401, text: 'cert_expired' })
  await caller.close()
})

t.test('Host must be the name that TLS was opened for', async (t) => {
  await using listener = await listen(plain)
  const hosts = async (servername: string, ...names: readonly string[]) => {
    const caller = call(listener, a, servername === '' ? {} : { servername })
    const answers: unknown[] = []
    for (const name of names) answers.push((await caller.get(name))?.status)
    await caller.close()
    return answers
  }
  t.strictSame(await hosts('a.test', 'a.test', 'A.TEST:8443', 'a.test.', 'a.test.:1'), [200, 200, 200, 200])
  t.strictSame(
    await hosts('a.test', 'b.test', 'a.test.evil.test', 'a.test..', '', '[::1]'),
    [421, 421, 421, 421, 421],
  )
  t.strictSame(await hosts('B.TEST.', 'b.test', 'a.test'), [200, 421])
  t.strictSame(await hosts('', 'b.test', '127.0.0.1:8443'), [200, 200])
})

t.test('names that are not served', async (t) => {
  await using listener = await listen(plain, { serverNames: new Set(['a.test']) })
  const status = async (servername: string) => {
    const caller = call(listener, a, servername === '' ? {} : { servername })
    const reply = await caller.get(servername || 'localhost')
    await caller.close()
    return reply
  }
  t.equal((await status('A.test.'))?.status, 200)
  t.equal((await status(''))?.status, 200)
  t.strictSame(await status('b.test'), { status: 421, text: 'sni_unknown' })
})

t.test('junk in ALPN and SNI does no harm (attack case 83)', async (t) => {
  await using listener = await listen(plain)
  const protocols = [
    ['h2'],
    ['http/1.0'],
    ['x'.repeat(255)],
    Array.from({ length: 200 }, (_, i) => `p${i}`),
    ['\0'],
  ]
  for (const ALPNProtocols of protocols) t.equal(await ask(listener, a, { ALPNProtocols }), 'tls protocol')
  t.match(await ask(listener, a, { ALPNProtocols: [] }), '200')
  t.match(await ask(listener, a, { ALPNProtocols: ['h2', 'http/1.1'] }), '200')
  for (const servername of ['.', '..', 'a'.repeat(250), '*', 'a b', '__proto__', 'xn--a']) {
    t.match(await ask(listener, a, { servername }), '421')
  }
  const junk = Array.from({ length: 200 }, () => call(listener, a, { ALPNProtocols: [crypto.randomUUID()] }))
  await Promise.all(junk.map(({ ended }) => ended))
  t.match(await ask(listener, a), '200')
  const getConnections = Promise.withResolvers<number>()
  listener.server.getConnections((_, count) => getConnections.resolve(count))
  t.ok((await getConnections.promise) <= 1)
})

t.test('what is not TLS at all is counted, and never reaches the HTTP side', async (t) => {
  await using listener = await listen(plain, { handshakeTimeoutMs: 50 })
  let clientErrors = 0
  listener.server.on('clientError', () => {
    clientErrors += 1
  })
  for (const text of ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\x16\x03\x01\xff\xff', '']) {
    const before = listener.failures.length
    const socket = connectPlain(listener.port, '127.0.0.1').on('error', () => {})
    socket.resume()
    if (text !== '') socket.write(text, 'latin1')
    await listener.failed(before + 1)
    socket.destroy()
  }
  const reasons = listener.failures.map(tlsReason)
  t.strictSame([reasons[0], reasons.at(-1)], ['protocol', 'timeout'])
  t.equal(clientErrors, 0)
})

t.test('no more connections than the bound', async (t) => {
  await using listener = await listen(plain, { connectionsMax: 1 })
  const first = call(listener, a)
  t.equal((await first.get())?.status, 200)
  const second = call(listener, a)
  t.equal(await second.get(), undefined)
  await listener.failed(1)
  t.strictSame(listener.failures, ['CONNECTIONS_MAX'])
  await first.close()
})

t.test('a socket that was never judged is a failure, not a caller', async (t) => {
  await using listener = await listen(plain)
  const strange = new Socket()
  t.throws(() => listener.tls.peerOf(strange), /never judged/)
  t.throws(() => listener.tls.checkHost(strange, 'localhost'), /never judged/)
})

t.test('works under Fastify', async (t) => {
  const app = fastify({ https: secureServerOptions(plain, { handshakeTimeoutMs: 5_000 }) })
  const tls = guardConnections(app.server, {
    material: plain,
    trust,
    connectionsMax: 10,
    serverNames: undefined,
    now: Date.now,
    handshakeFailed: () => {},
  })
  app.get('/', (request) => tls.peerOf(request.raw.socket).fingerprint)
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const caller = call({ port } as Listener, a)
  t.strictSame(await caller.get(), { status: 200, text: fingerprintOf(a) })
  await caller.close()
})

interface World {
  readonly material: TlsMaterial
  readonly welcome: readonly Identity[]
}

interface Connected {
  readonly who: Identity
  readonly caller: Caller
  readonly spiffe: boolean
}

/** What must be true of a listener, kept beside it. */
class ModelOfListener {
  readonly #listener: Listener
  #world: World
  #open: readonly Connected[] = []

  constructor(listener: Listener, world: World) {
    this.#listener = listener
    this.#world = world
  }

  get #spiffe(): boolean {
    return this.#world.material.trust.trustDomains !== undefined
  }

  async swap(world: World): Promise<void> {
    this.#world = world
    // A connection made without SPIFFE has no id that was checked, so it does not survive into a SPIFFE listener.
    const stays = ({ who, spiffe }: Connected) => world.welcome.includes(who) && spiffe === this.#spiffe
    const gone = this.#open.filter((one) => !stays(one))
    this.#open = this.#open.filter(stays)
    this.#listener.tls.swap(world.material)
    await Promise.all(gone.map(({ caller }) => caller.ended))
  }

  async connect(who: Identity): Promise<void> {
    const caller = call(this.#listener, who)
    const welcome = (await caller.get())?.status === 200
    assert.equal(welcome, this.#world.welcome.includes(who))
    if (welcome) this.#open = [...this.#open, { who, caller, spiffe: this.#spiffe }]
    else await caller.close()
  }

  async check(): Promise<void> {
    for (const { caller } of this.#open) assert.equal((await caller.get())?.status, 200)
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map(({ caller }) => caller.close()))
  }
}

t.test('property: whoever is connected is believed, whatever reloads came between', async (t) => {
  const both = { server, clientCa: [ca1, ca2] }
  const lists = [await ca1.crl({ revoked: [a.serial] }), await ca2.crl()]
  const first: World = { material: makeMaterial(both), welcome: [a, b] }
  const worlds: readonly World[] = [
    first,
    { material: plain, welcome: [a] },
    { material: makeMaterial({ ...both, crl: lists }), welcome: [b] },
    { material: makeMaterial({ server, trustDomains: { 'td.test': [ca2] } }), welcome: [b] },
  ]
  const step = fc.oneof(
    fc.record({ swap: fc.constantFrom(...worlds) }),
    fc.record({ connect: fc.constantFrom(a, b) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      await using listener = await listen(first.material)
      const model = new ModelOfListener(listener, first)
      for (const action of steps) {
        if ('swap' in action) await model.swap(action.swap)
        else await model.connect(action.connect)
        await model.check()
      }
      await model.close()
    }),
    { numRuns: 15 },
  )
  t.pass('held')
})

t.test(
  'the Refusal of a connection is the same object each time and carries no text of the caller',
  async (t) => {
    await using listener = await listen(plain)
    const caller = call(listener, await ca1.issue({ subject: 'CN=secret name', eku: [] }))
    const [socket] = (await once(listener.server, 'secureConnection')) as [Socket]
    const thrown = t.throws(() => listener.tls.peerOf(socket), Refusal)
    t.notMatch(JSON.stringify(thrown), /secret name/)
    await caller.close()
  },
)

t.test('one certificate cannot take the connections of others', async (t) => {
  await using listener = await listen(plain, { connectionsMax: 16, connectionsPerCertificateMax: 3 })
  const other = await ca1.issue()
  const held: Caller[] = []
  for (let n = 0; n < 3; n++) {
    const caller = call(listener, a)
    t.equal((await caller.get())?.status, 200)
    held.push(caller)
  }
  const above = call(listener, a)
  t.match(await above.get(), { status: 503, text: 'connections_of_certificate' })
  await above.ended
  const silent = call(listener, a)
  await silent.ended
  t.equal(await ask(listener, other), `200 ${fingerprintOf(other)}`)
  t.equal((await held[0]?.get())?.status, 200, 'those before stay')
  const gone = once(listener.server, 'connection').then(() => undefined)
  await held.pop()?.close()
  // The server may not have seen yet that one has gone.
  for (;;) {
    const answer = await ask(listener, a)
    if (answer.startsWith('200')) break
    t.match(answer, '503')
  }
  await gone
  for (const caller of held) await caller.close()
})

t.test('a crowd: more than half of the connections of a certificate, or of all', async (t) => {
  await using listener = await listen(plain, { connectionsMax: 16 })
  const crowded: boolean[] = []
  listener.server.on('request', ({ socket }) => {
    t.equal(listener.tls.endsAfter(socket, 200), false)
    crowded.push(listener.tls.endsAfter(socket, 401))
  })
  const callers: Caller[] = []
  const join = async (identity: Identity): Promise<void> => {
    const caller = call(listener, identity)
    callers.push(caller)
    t.equal((await caller.get())?.status, 200)
  }
  for (let n = 0; n < 3; n++) await join(a)
  const others = await Promise.all([ca1.issue(), ca1.issue(), ca1.issue(), ca1.issue()])
  for (const other of others.slice(0, 3)) for (let n = 0; n < 2; n++) await join(other)
  t.same(crowded, [false, false, true, false, false, false, false, false, true])
  for (const caller of callers) await caller.close()
})
