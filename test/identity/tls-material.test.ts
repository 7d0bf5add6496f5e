import { constants, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { inspect } from 'node:util'
import t from 'tap'
import { loadTlsMaterial, type TlsFiles, type TlsOptions } from '../../src/identity/tls-material.ts'
import { TlsMaterialRefused } from '../../src/identity/tls-problems.ts'
import { eku, issueServer, makeAuthority, x509 } from '../support/certificates.ts'

const now = Date.now()
const hourMs = 3_600_000
const ca = await makeAuthority('clients')
const serverCa = await makeAuthority('servers')
const server = await issueServer(serverCa)
const bytes = (...texts: readonly string[]): Buffer => Buffer.from(texts.join('\n'))
const files: TlsFiles = { certificate: bytes(server.cert), key: bytes(server.key), clientCa: bytes(ca.cert) }
const options: TlsOptions = { minVersion: 'TLSv1.3', sessionTickets: false, chainDepthMax: 3, now }
const load = (change: Partial<TlsFiles> = {}, choice: Partial<TlsOptions> = {}) =>
  loadTlsMaterial({ ...files, ...change }, { ...options, ...choice })

function problemsOf(change: Partial<TlsFiles>): string[] {
  try {
    load(change)
    return []
  } catch (error) {
    if (!(error instanceof TlsMaterialRefused)) throw error
    return error.problems.map(({ source, message }) => `${source}: ${message}`)
  }
}

t.test('gives the full option set each time', async (t) => {
  const material = load({ crl: [bytes(await ca.crl())] })
  const context = material.contextOptions()
  t.strictSame(Object.keys(context).sort(), [
    'ca',
    'cert',
    'ciphers',
    'crl',
    'honorCipherOrder',
    'key',
    'maxVersion',
    'minVersion',
    'secureOptions',
    'sessionTimeout',
  ])
  t.strictSame([context.minVersion, context.honorCipherOrder], ['TLSv1.3', true])
  t.ok((context.secureOptions ?? 0) & constants.SSL_OP_NO_TICKET)
  t.ok((context.secureOptions ?? 0) & constants.SSL_OP_NO_RENEGOTIATION)
  t.notOk(
    (load({}, { sessionTickets: true }).contextOptions().secureOptions ?? 0) & constants.SSL_OP_NO_TICKET,
  )
  t.notMatch(context.ciphers, /ECDHE/)
  t.doesNotThrow(() => createSecureContext(context))
})

t.test('TLS 1.2 only with forward secrecy and an AEAD', async (t) => {
  const ciphers = load({}, { minVersion: 'TLSv1.2' }).contextOptions().ciphers?.split(':') ?? []
  t.equal(ciphers.length, 9)
  t.ok(
    ciphers.every((name) => name.startsWith('TLS_') || /^ECDHE-(ECDSA|RSA)-(AES\d+-GCM|CHACHA20)/.test(name)),
  )
})

t.test('says what it is made of, but not the key', async (t) => {
  const nextUpdate = new Date(Math.floor((now + hourMs) / 1_000) * 1_000)
  const material = load({ crl: [bytes(await ca.crl({ nextUpdate }))] })
  const leaf = new X509Certificate(server.cert)
  t.equal(material.certificate.notAfter, leaf.validToDate.getTime())
  t.equal(material.crlNextUpdateFirst, nextUpdate.getTime())
  t.equal(
    material.notAfterFirst,
    Math.min(leaf.validToDate.getTime(), new X509Certificate(ca.cert).validToDate.getTime()),
  )
  t.equal(material.authorities.length, 1)
  t.ok(Object.isFrozen(material))
  const dump = inspect(material, { depth: 9 }) + JSON.stringify(material)
  t.notMatch(dump, /PRIVATE/)
})

t.test('the hash changes with every file and option, and with nothing else', async (t) => {
  const other = await makeAuthority('other')
  const renewed = await issueServer(serverCa)
  const all = [
    load().hash,
    load({ clientCa: bytes(ca.cert, other.cert) }).hash,
    load({ crl: [bytes(await ca.crl())] }).hash,
    load({ certificate: bytes(renewed.cert), key: bytes(renewed.key) }).hash,
    load({}, { minVersion: 'TLSv1.2' }).hash,
    load({}, { sessionTickets: true }).hash,
    load({}, { chainDepthMax: 2 }).hash,
    load({ trustDomains: new Map([['a.test', bytes(ca.cert)]]) }).hash,
    load({ trustDomains: new Map([['b.test', bytes(ca.cert)]]) }).hash,
  ]
  t.equal(new Set(all).size, all.length)
  t.equal(load({}, { now: now + 1 }).hash, all[0])
})

t.test('a server certificate that clients could not believe', async (t) => {
  const other = await issueServer(serverCa)
  t.strictSame(problemsOf({ key: bytes(other.key) }), ['key: does not belong to the certificate'])
  const issue = async (change: object) => {
    const made = await serverCa.issue({ dnsNames: ['localhost'], eku: [eku.serverAuth], ...change })
    return problemsOf({ certificate: bytes(made.cert), key: bytes(made.key) })
  }
  t.match(await issue({ eku: [eku.clientAuth] }), [/lacks the extended key usage serverAuth/])
  t.match(await issue({ dnsNames: [] }), [/names no host/])
  t.match(await issue({ ca: true }), [/is an authority/])
  t.match(await issue({ key: 'rsa-1024' }), [/key that is too weak/])
  t.match(await issue({ notAfter: new Date(now - 60_000) }), [/certificate 1 is expired/])
  t.match(await issue({ notBefore: new Date(now + 60_000) }), [/certificate 1 is not yet valid/])
  t.match(problemsOf({ certificate: bytes(server.cert, ca.cert) }), [
    /certificate 1 is not issued by the one after it/,
  ])
  t.strictSame(problemsOf({ certificate: bytes(server.cert, serverCa.cert) }), [])
})

t.test('all problems at once, none with a byte of a file in it', async (t) => {
  const secret = 'MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAK'
  const bad = `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`
  const problems = problemsOf({ key: bytes(bad), clientCa: bytes(bad), crl: [bytes(bad)] })
  t.strictSame(problems, [
    'key: is not a private key in PEM, or is encrypted',
    'clientCa: holds something else than certificates',
    'crl[0]: is not a certificate revocation list in PEM or DER',
  ])
  t.notMatch(problems.join(), secret)
})

t.test('files that are empty, broken off or garbage', async (t) => {
  const broken = ca.cert.slice(0, ca.cert.length / 2)
  t.match(problemsOf({ clientCa: bytes(broken) }), [/clientCa: is not a PEM file, is broken off/])
  t.match(problemsOf({ clientCa: bytes('') }), [/clientCa: holds no certificate/])
  t.match(problemsOf({ clientCa: undefined }), [/clientCa: is missing/])
  t.match(problemsOf({ certificate: bytes('hello') }), [/certificate: holds no certificate/])
  const body = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'
  t.match(problemsOf({ clientCa: bytes(body) }), [/certificate 1 cannot be read/])
  t.match(problemsOf({ clientCa: bytes(...Array.from({ length: 1_001 }, () => body)) }), [/more than 1000/])
  t.match(problemsOf({ clientCa: Buffer.alloc(5 * 1024 * 1024, '\n') }), [/too large/])
  t.match(problemsOf({ crl: [Buffer.from([0x30, 0x80])] }), [/crl\[0\]: is not a usable revocation list/])
})

t.test('client authorities must be authorities', async (t) => {
  const leaf = await ca.issue()
  const weak = await makeAuthority('weak', { key: 'rsa-1024' })
  const mute = await makeAuthority('mute', { keyUsage: x509.KeyUsageFlags.digitalSignature })
  const wrong = await makeAuthority('wrong', { eku: [eku.serverAuth] })
  const middle = await ca.intermediate('middle')
  t.match(problemsOf({ clientCa: bytes(leaf.cert) }), [/certificate 1 is not an authority/])
  t.match(problemsOf({ clientCa: bytes(ca.cert, weak.cert) }), [/certificate 2 has a key that is too weak/])
  t.match(problemsOf({ clientCa: bytes(mute.cert) }), [/may not issue client certificates/])
  t.match(problemsOf({ clientCa: bytes(wrong.cert) }), [/may not issue client certificates/])
  t.match(problemsOf({ clientCa: bytes(middle.cert) }), [/holds no self-signed authority/])
  t.equal(load({ clientCa: bytes(middle.cert, ca.cert) }).trust.intermediates.length, 1)
})

t.test('an authority that has run out is a warning: it must not hold up the reload of a list', async (t) => {
  const old = await makeAuthority('old', { notAfter: new Date(now - 60_000) })
  const material = load({ clientCa: bytes(ca.cert, old.cert) })
  t.strictSame(material.warnings, [{ source: 'clientCa', message: 'certificate 2 is expired' }])
  t.ok(material.notAfterFirst > now)
})

t.test('revocation lists', async (t) => {
  const leaf = await ca.issue()
  const other = await makeAuthority('other')
  const list = await ca.crl({ revoked: [leaf.serial, 'ff01'] })
  const material = load({ crl: [bytes(list)] })
  t.strictSame(
    [...material.trust.revoked.values()].map((serials) => [...serials].sort()),
    [[leaf.serial, 'ff01'].sort()],
  )
  const der = Buffer.from(list.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  t.equal(load({ crl: [der] }).trust.revoked.size, 1, 'DER is read as well')
  const two = { clientCa: bytes(ca.cert, other.cert), crl: [bytes(list, await other.crl())] }
  t.equal(load(two).trust.revoked.size, 2, 'two lists in one file')
  t.equal((load(two).contextOptions().crl as string[]).length, 2)
  t.match(problemsOf({ ...two, crl: [bytes(list)] }), [/crl: 1 of the authorities have no revocation list/])
  t.match(problemsOf({ crl: [bytes(await other.crl())] }), [/crl\[0\]: is not signed by/, /crl: 1 of/])
  const double = await makeAuthority('clients')
  t.match(problemsOf({ crl: [bytes(await double.crl())] }), [/crl\[0\]: is not signed by/, /crl: 1 of/])
  const changed = Buffer.from(der)
  changed[changed.length - 3] = (changed.at(-3) ?? 0) ^ 1
  t.match(problemsOf({ crl: [changed] }), [/is not signed by|not a usable/, /crl: 1 of/])
  const mute = await makeAuthority('mute', { keyUsage: x509.KeyUsageFlags.keyCertSign })
  t.match(problemsOf({ clientCa: bytes(mute.cert), crl: [bytes(await mute.crl())] }), [
    /is not signed by/,
    /crl: 1 of/,
  ])
})

t.test('a list that has run out is a warning with its date', async (t) => {
  const stale = await ca.crl({ thisUpdate: new Date(now - 2 * hourMs), nextUpdate: new Date(now - hourMs) })
  const material = load({ crl: [bytes(stale)] })
  t.match(material.warnings, [{ source: 'crl[0]', message: /past its nextUpdate/ }])
  t.ok((material.crlNextUpdateFirst ?? now) < now)
  const early = await ca.crl({ thisUpdate: new Date(now + hourMs), nextUpdate: new Date(now + 2 * hourMs) })
  t.match(load({ crl: [bytes(early)] }).warnings, [{ source: 'crl[0]', message: /not valid yet/ }])
})

t.test('SPIFFE bundles: each domain its own authorities', async (t) => {
  const other = await makeAuthority('other')
  const domains = (entries: Readonly<Record<string, string>>) => ({
    clientCa: undefined,
    trustDomains: new Map(Object.entries(entries).map(([name, pem]) => [name, bytes(pem)])),
  })
  const material = load(domains({ 'a.test': ca.cert, 'b.test': other.cert }))
  t.strictSame(
    material.trust.anchors.map(({ trustDomain }) => trustDomain),
    ['a.test', 'b.test'],
  )
  t.equal((material.contextOptions().ca as string[]).length, 2)
  t.match(problemsOf(domains({ 'a.test': ca.cert, 'b.test': ca.cert })), [/shares an authority key/])
  t.match(problemsOf(domains({ 'A.test': ca.cert })), [/not a trust domain/])
  t.match(problemsOf(domains({})), [/names no trust domain/])
  t.match(load({ trustDomains: new Map([['a.test', bytes(ca.cert)]]) }).warnings, [{ source: 'clientCa' }])
})
