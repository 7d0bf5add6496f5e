import { createHash, X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { certificateBytesMax, readPeerCertificate } from '../../src/identity/certificate.ts'
import { DerError } from '../../src/identity/der.ts'
import { checkPeer, type PeerRules } from '../../src/identity/peer-rules.ts'
import { Refusal } from '../../src/refusal.ts'
import { type CertificateOptions, eku, makeAuthority, x509 } from '../support/certificates.ts'
import { limboCases } from '../support/limbo.ts'

const root = await makeAuthority('root')
const now = Date.now()
const anyRules: PeerRules = { trustDomains: undefined }
const spiffeRules: PeerRules = { trustDomains: new Set(['td.test']) }
const uri = 'spiffe://td.test/ns/app/sa/a'

const parsed = async (options: CertificateOptions) => readPeerCertificate((await root.issue(options)).der)
const faultOf = async (options: CertificateOptions, rules = anyRules, at = now): Promise<string> => {
  const certificate = await parsed(options)
  try {
    checkPeer(certificate, rules, at)
    return 'accepted'
  } catch (error) {
    return error instanceof Refusal ? `${error.code} ${error.detail}` : 'failure'
  }
}

t.test('reads what a certificate says', async (t) => {
  const leaf = await root.issue({ uris: [uri], dnsNames: ['a.test'], ips: ['127.0.0.1'], serial: '00ab01' })
  const certificate = readPeerCertificate(leaf.der)
  t.equal(certificate.fingerprint, createHash('sha256').update(leaf.der).digest('base64url'))
  t.equal(certificate.serial, 'ab01')
  t.strictSame([certificate.uris, certificate.dnsNames, certificate.addressCount], [[uri], ['a.test'], 1])
  t.strictSame(certificate.purposes, [eku.clientAuth])
  t.strictSame([...(certificate.keyUsage?.allows ?? [])], ['digitalSignature'])
  t.equal(certificate.keyUsage?.critical, true)
  t.strictSame(certificate.key, { kind: 'ec', curve: 'P-256' })
  t.equal(certificate.issuer, readPeerCertificate(root.der).subject)
  t.equal(readPeerCertificate(root.der).ca, true)
})

t.test('agrees with OpenSSL on every certificate of x509-limbo', async (t) => {
  const pems = limboCases().flatMap((limbo) => [limbo.peer_certificate, ...limbo.trusted_certs])
  const different: string[] = []
  let read = 0
  for (const pem of new Set(pems)) {
    const node = new X509Certificate(pem)
    if (node.raw.length > certificateBytesMax) continue
    const ours = tryRead(node.raw)
    if (ours === undefined) continue
    read += 1
    const same =
      // Node says false as well where keyUsage lacks keyCertSign.
      (ours.ca || !node.ca) &&
      (ours.serialPositive
        ? ours.serial === node.serialNumber.toLowerCase().replace(/^0+(?=.)/, '')
        : true) &&
      ours.notBefore === node.validFromDate.getTime() &&
      ours.notAfter === node.validToDate.getTime() &&
      String(ours.purposes ?? '') === String(node.keyUsage ?? '')
    if (!same) different.push(node.fingerprint256)
  }
  t.strictSame(different, [])
  t.ok(read > 250, 'and reads nearly all of them')
})

function tryRead(der: Buffer) {
  try {
    return readPeerCertificate(der)
  } catch (error) {
    if (error instanceof DerError) return undefined
    throw error
  }
}

t.test('a name that looks like another one is one name, byte for byte (attack case 7)', async (t) => {
  const trick = 'x, URI:spiffe://td.test/ns/app/sa/admin'
  const certificate = await parsed({ dnsNames: [trick], uris: [uri] })
  t.strictSame([certificate.dnsNames, certificate.uris], [[trick], [uri]])
  t.doesNotThrow(() => checkPeer(certificate, spiffeRules, now))
})

t.test('URIs are not normalized', async (t) => {
  const odd = ['SPIFFE://A/x', 'spiffe://a/x/../admin']
  t.strictSame((await parsed({ uris: odd })).uris, odd)
})

const rawNames = (bytes: Buffer, tag = 0x86): x509.Extension => {
  const name = Buffer.concat([Buffer.from([tag, bytes.length]), bytes])
  return new x509.Extension('2.5.29.17', false, Buffer.concat([Buffer.from([0x30, name.length]), name]))
}

t.test('names with control bytes, NUL or beyond ASCII are not read', async (t) => {
  for (const bytes of ['spiffe://td.test/a\0b', 'spiffe://td.test/a\n', 'spiffe://td.test/é', '']) {
    const leaf = await root.issue({ extensions: [rawNames(Buffer.from(bytes))] })
    t.throws(() => readPeerCertificate(leaf.der), DerError)
  }
})

t.test('bounds: size, names, extensions', async (t) => {
  const names = (count: number) => Array.from({ length: count }, (_, i) => `spiffe://td.test/${i}`)
  t.equal((await parsed({ uris: names(64) })).uris.length, 64)
  const over = await root.issue({ uris: names(65) })
  t.throws(() => readPeerCertificate(over.der), new DerError('too many elements'))
  const large = await root.issue({
    extensions: [new x509.Extension('1.2.3.4', false, Buffer.alloc(certificateBytesMax))],
  })
  t.throws(() => readPeerCertificate(large.der), new DerError('certificate too large'))
  const twice = new x509.Extension('1.2.3.4', false, Buffer.from([5, 0]))
  const doubled = await root.issue({ extensions: [twice, twice] })
  t.throws(() => readPeerCertificate(doubled.der), new DerError('extension twice'))
})

t.test('bytes after the end, broken off, or not DER at all', async (t) => {
  const { der } = root
  t.throws(() => readPeerCertificate(Buffer.concat([der, Buffer.from([0])])), DerError)
  for (let length = 0; length < der.length; length += 1) {
    t.throws(() => readPeerCertificate(der.subarray(0, length)), DerError)
  }
})

t.test('property: any change of bytes is read or refused, never anything else', async (t) => {
  const { der } = await root.issue({ uris: [uri], dnsNames: ['a.test'] })
  const change = fc.tuple(fc.nat(der.length - 1), fc.nat(255))
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = Buffer.from(der)
      for (const [at, byte] of changes) bytes[at] = byte
      tryRead(bytes)
    }),
    { numRuns: 2_000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => tryRead(Buffer.from(bytes)) === undefined),
    { numRuns: 500 },
  )
  t.pass('held')
})

t.test('accepts an ordinary client certificate', async (t) => {
  t.equal(await faultOf({ uris: [uri] }), 'accepted')
  t.equal(await faultOf({ key: 'rsa' }), 'accepted')
  t.equal(await faultOf({ key: 'ed25519' }), 'accepted')
  t.equal(await faultOf({ keyUsage: 0 }), 'accepted')
  t.equal(await faultOf({ subject: '', dnsNames: ['a.test'], sanCritical: true }), 'accepted')
  t.equal(await faultOf({ eku: [eku.serverAuth, eku.clientAuth] }), 'accepted')
})

t.test('refuses what Node accepts', async (t) => {
  const invalid = async (options: CertificateOptions) =>
    (await faultOf(options)).replace('invalid_certificate ', '')
  t.equal(await invalid({ eku: [] }), 'cert_no_client_auth')
  t.equal(await invalid({ eku: [eku.serverAuth] }), 'cert_no_client_auth')
  t.equal(await invalid({ eku: [eku.any] }), 'cert_any_purpose')
  t.equal(await invalid({ eku: [eku.clientAuth, eku.any] }), 'cert_any_purpose')
  t.equal(await invalid({ ca: true }), 'cert_is_ca')
  const { KeyUsageFlags: flags } = x509
  t.equal(await invalid({ keyUsage: flags.digitalSignature | flags.keyCertSign }), 'cert_signs_certificates')
  t.equal(await invalid({ keyUsage: flags.digitalSignature | flags.cRLSign }), 'cert_signs_certificates')
  t.equal(await invalid({ keyUsage: flags.keyEncipherment }), 'cert_no_digital_signature')
  t.equal(await invalid({ key: 'rsa-1024' }), 'cert_key_weak')
  t.equal(await invalid({ serial: '7f'.repeat(21) }), 'cert_serial_too_long')
  t.equal(await invalid({ serial: '7f'.repeat(20) }), 'accepted')
  t.equal(await invalid({ subject: '', dnsNames: ['a.test'] }), 'cert_empty_subject_without_critical_names')
  t.equal(await invalid({ subject: '' }), 'cert_empty_subject_without_critical_names')
  const unknown = new x509.Extension('1.2.3.4', true, Buffer.from([5, 0]))
  t.equal(await invalid({ extensions: [unknown] }), 'cert_unknown_critical_extension')
})

t.test('a negative serial number is seen (x509-limbo rfc5280::serial::negative)', async (t) => {
  const pem = limboCases().find(({ id }) => id === 'rfc5280::serial::negative')?.peer_certificate ?? ''
  const certificate = readPeerCertificate(new X509Certificate(pem).raw)
  t.throws(
    () => checkPeer(certificate, anyRules, now),
    new Refusal('invalid_certificate', 'cert_serial_not_positive'),
  )
})

t.test('dates: the last second belongs to the certificate', async (t) => {
  const notBefore = new Date('2026-01-01T00:00:00Z')
  const notAfter = new Date('2026-01-02T00:00:00Z')
  const at = (time: number) => faultOf({ notBefore, notAfter }, anyRules, time)
  t.equal(await at(notBefore.getTime() - 1), 'invalid_certificate cert_not_yet_valid')
  t.equal(await at(notBefore.getTime()), 'accepted')
  t.equal(await at(notAfter.getTime() + 999), 'accepted')
  t.equal(await at(notAfter.getTime() + 1_000), 'certificate_expired cert_expired')
})

t.test('SPIFFE rules of a leaf', async (t) => {
  const spiffe = async (options: CertificateOptions) =>
    (await faultOf(options, spiffeRules)).replace('invalid_certificate ', '')
  t.equal(await spiffe({ uris: [uri] }), 'accepted')
  t.equal(await spiffe({}), 'spiffe_not_one_uri')
  t.equal(await spiffe({ uris: [uri, 'spiffe://td.test/admin'] }), 'spiffe_not_one_uri')
  t.equal(await spiffe({ uris: [uri, 'https://td.test/'] }), 'spiffe_not_one_uri')
  t.equal(await spiffe({ uris: ['https://td.test/a'] }), 'spiffe_bad_id')
  t.equal(await spiffe({ uris: ['SPIFFE://td.test/a'] }), 'spiffe_bad_id')
  t.equal(await spiffe({ uris: ['spiffe://td.test'] }), 'spiffe_no_path')
  t.equal(await spiffe({ uris: ['spiffe://other.test/a'] }), 'spiffe_unknown_trust_domain')
  t.equal(await spiffe({ uris: [uri], keyUsage: 0 }), 'spiffe_no_key_usage')
  t.equal(await spiffe({ uris: [uri], keyUsageCritical: false }), 'spiffe_key_usage_not_critical')
})
