import 'reflect-metadata'
import { generateKeyPairSync, webcrypto } from 'node:crypto'
import { X509CertificateGenerator, X509CrlGenerator } from '@peculiar/x509'
import t from 'tap'
import { checkMaterial } from '../../src/config/material.ts'
import type { Path } from '../../src/config/problem.ts'
import type { FileKind } from '../../src/config/schema/field.ts'
import { type SimulatedFiles, simulatedSource } from './simulated-source.ts'

const NOW = Date.parse('2030-01-01T00:00:00Z')
const DAY_MS = 86_400_000
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
  'sign',
  'verify',
])) as webcrypto.CryptoKeyPair
const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
const keyPem = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`
const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const otherKeyPem = otherKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const lockedKeyPem = otherKey
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString()

async function certificate(fromDays: number, toDays: number): Promise<string> {
  const made = await X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=test',
      keys,
      signingAlgorithm: algorithm,
      notBefore: new Date(NOW + fromDays * DAY_MS),
      notAfter: new Date(NOW + toDays * DAY_MS),
    },
    webcrypto as never,
  )
  return `${made.toString('pem')}\n`
}

const good = await certificate(-1, 100)
const crl = await X509CrlGenerator.create(
  { issuer: 'CN=test', signingAlgorithm: algorithm, signingKey: keys.privateKey, thisUpdate: new Date(NOW) },
  webcrypto as never,
)

interface Named {
  readonly kind: FileKind
  readonly path?: Path
}

/** `level path message` for files of which each is named by one field. */
async function check(files: SimulatedFiles, named: Record<string, FileKind | Named>): Promise<string[]> {
  const references = Object.entries(named).map(([file, field]) => {
    const { kind, path = [file] } = typeof field === 'string' ? { kind: field } : field
    return { part: 'gateway' as const, file, kind, path }
  })
  const found = await checkMaterial(simulatedSource(files), references, { now: NOW })
  return found.map(({ level, path, message }) => `${level} ${path.join('.')} ${message}`)
}

t.test('everything as it should be', async (t) => {
  const files = {
    c: good,
    k: keyPem,
    ca: good + good,
    crl: `${crl.toString('pem').replaceAll(' CRL', ' X509 CRL')}\n`,
    s: 'sk-1\n',
    d: '{}',
    f: 'folder',
  } as const
  const named = {
    c: 'certificate',
    k: 'key',
    ca: 'authorities',
    crl: 'crl',
    s: 'secret',
    d: 'data',
    f: 'folder',
  } as const
  t.same(await check(files, named), [])
})

t.test('what is not there, or is something else', async (t) => {
  const found = await check(
    { folder: 'folder', empty: '' },
    { none: 'data', folder: 'data', empty: 'data', nowhere: 'folder' },
  )
  t.same(found, [
    'error none names a file that is missing',
    'error folder names a folder; a file is needed',
    'error empty names a file that is empty',
    'error nowhere must name a folder that exists',
  ])
})

t.test('content of another kind', async (t) => {
  const files = {
    a: keyPem,
    b: good,
    c: lockedKeyPem,
    d: 'x',
    e: '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n',
    f: 'a\nb',
  }
  const named = { a: 'certificate', b: 'key', c: 'key', d: 'authorities', e: 'crl', f: 'secret' } as const
  t.same(await check(files, named), [
    'error a must name a PEM file with certificates',
    'error b must name a PEM file with one private key without a passphrase',
    'error c must name a PEM file with one private key without a passphrase',
    'error d must name a PEM file with certificates',
    'error e must name a PEM file with a certificate revocation list',
    'error f names a secret that must be one line of visible ASCII characters',
  ])
})

t.test('dates of a certificate', async (t) => {
  const files = {
    past: await certificate(-9, -1),
    future: await certificate(1, 9),
    soon: await certificate(-1, 3.5),
  }
  const found = await check(files, { past: 'certificate', future: 'certificate', soon: 'certificate' })
  t.same(found, [
    'error past names a certificate that expired on 2029-12-31T00:00:00.000Z',
    'error future names a certificate that is not valid before 2030-01-02T00:00:00.000Z',
    'warning soon names a certificate that expires in 3 days',
  ])
})

t.test('secrets that others can read or write', async (t) => {
  for (const mode of [0o604, 0o602, 0o644, 0o666]) {
    const found = await check(
      { k: { text: keyPem, mode }, s: { text: 'x', mode } },
      { k: 'key', s: 'secret' },
    )
    t.equal(found.length, 2)
    for (const line of found)
      t.match(line, /every user of the machine can read or write; chmod o-rwx \(mode 06/)
  }
  t.same(
    await check({ k: { text: keyPem, mode: 0o440 } }, { k: 'key' }),
    [],
    'a group may read: Kubernetes fsGroup',
  )
  t.same(await check({ c: { text: good, mode: 0o644 } }, { c: 'certificate' }), [], 'certificates are public')
})

t.test('a key and the certificate beside it', async (t) => {
  const named = (certificatePath: Path): Record<string, Named> => ({
    c: { kind: 'certificate', path: certificatePath },
    k: { kind: 'key', path: ['tls', 'key'] },
  })
  t.same(await check({ c: good, k: keyPem }, named(['tls', 'certificate'])), [])
  t.same(await check({ c: good, k: otherKeyPem }, named(['tls', 'certificate'])), [
    'error tls.key names a key that does not belong to the certificate beside it',
  ])
  t.same(await check({ c: good, k: otherKeyPem }, named(['other', 'certificate'])), [], 'in another section')
})

t.test('no message quotes a file', async (t) => {
  const secret = 'SECRET-CONTENT'
  const kinds: FileKind[] = ['certificate', 'key', 'authorities', 'crl', 'secret', 'data']
  for (const kind of kinds)
    t.notMatch((await check({ f: `${secret}\n${secret}` }, { f: kind })).join(), secret)
})
