/**
 * A small certificate maker for `sallyport dev` and for tests: authorities, leaves of any shape, and CRLs, in memory.
 * Keys are throw-away; nothing is read from or written to disk.
 */
import 'reflect-metadata'
import { X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'

interface CryptoKeyPair {
  readonly publicKey: CryptoKey
  readonly privateKey: CryptoKey
}

export type KeyKind = 'ec' | 'rsa' | 'rsa-1024' | 'ed25519'

const algorithms = {
  ec: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  },
  'rsa-1024': {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 1024,
  },
  ed25519: { name: 'Ed25519' },
} as const

export interface CertificateOptions {
  /** Distinguished name; `''` for an empty subject. */
  readonly subject?: string
  readonly uris?: readonly string[]
  readonly dnsNames?: readonly string[]
  readonly ips?: readonly string[]
  readonly emails?: readonly string[]
  readonly sanCritical?: boolean
  /** Extended key usage OIDs; `[]` leaves the extension out. */
  readonly eku?: readonly string[]
  /** Bits of `x509.KeyUsageFlags`; `undefined` is digitalSignature, `0` leaves the extension out. */
  readonly keyUsage?: number
  readonly keyUsageCritical?: boolean
  readonly ca?: boolean
  readonly pathLength?: number
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** Serial number in hex. */
  readonly serial?: string
  /** More extensions, taken as they are. */
  readonly extensions?: readonly x509.Extension[]
  readonly key?: KeyKind
  readonly keys?: CryptoKeyPair
}

export interface Identity {
  /** The certificate in PEM. */
  readonly cert: string
  /** PKCS #8 private key in PEM. */
  readonly key: string
  readonly der: Buffer
  /** Certificate followed by every intermediate up to, not with, the root: what the holder sends in TLS. */
  readonly chain: string
  /** Lower-case hex without leading zeros. */
  readonly serial: string
  readonly fingerprint256: string
  readonly keys: CryptoKeyPair
}

export interface CrlOptions {
  /** Serial numbers in hex. */
  readonly revoked?: readonly string[]
  readonly thisUpdate?: Date
  readonly nextUpdate?: Date
}

export interface Authority extends Identity {
  issue(options?: CertificateOptions): Promise<Identity>
  intermediate(name: string, options?: CertificateOptions): Promise<Authority>
  crl(options?: CrlOptions): Promise<string>
}

export const eku = {
  clientAuth: '1.3.6.1.5.5.7.3.2',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  any: '2.5.29.37.0',
} as const

const hourMs = 3_600_000
let lastSerial = 0x1000n

interface Issuer {
  readonly name: string
  readonly keys: CryptoKeyPair
  readonly certificate: x509.X509Certificate
  /** PEM of the issuer and the intermediates above it. */
  readonly chain: string
}

/** A self-signed root authority named `CN=<name>`. */
export async function makeAuthority(name: string, options: CertificateOptions = {}): Promise<Authority> {
  return authority(await make(undefined, { ...caDefaults(name), ...options }))
}

/** A root, a leaf for a server on `localhost` and 127.0.0.1, and a client leaf named by `uris`. */
export async function makePair(
  uris: readonly string[],
): Promise<{ ca: Authority; server: Identity; client: Identity }> {
  const ca = await makeAuthority('test root')
  return { ca, server: await issueServer(ca), client: await ca.issue({ uris }) }
}

/** A server leaf for `localhost`, the given names, and 127.0.0.1. */
export function issueServer(
  ca: Authority,
  dnsNames: readonly string[] = [],
  options: CertificateOptions = {},
): Promise<Identity> {
  return ca.issue({
    ...options,
    subject: 'CN=localhost',
    dnsNames: ['localhost', ...dnsNames],
    ips: ['127.0.0.1'],
    eku: [eku.serverAuth],
  })
}

function caDefaults(name: string): CertificateOptions {
  return {
    subject: `CN=${name}`,
    ca: true,
    eku: [],
    keyUsage: x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
  }
}

interface Made extends Identity {
  readonly certificate: x509.X509Certificate
}

async function make(issuer: Issuer | undefined, options: CertificateOptions): Promise<Made> {
  const keys = options.keys ?? (await makeKeys(options.key ?? 'ec'))
  lastSerial += 1n
  const subject = options.subject ?? 'CN=leaf'
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: options.serial ?? lastSerial.toString(16),
    subject,
    issuer: issuer?.name ?? subject,
    notBefore: options.notBefore ?? new Date(Date.now() - hourMs),
    notAfter: options.notAfter ?? new Date(Date.now() + 24 * hourMs),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: { hash: 'SHA-256', ...(issuer?.keys ?? keys).privateKey.algorithm },
    extensions: extensionsOf(options),
  })
  const der = Buffer.from(certificate.rawData)
  const parsed = new X509Certificate(der)
  const pem = parsed.toString()
  return {
    cert: pem,
    key: await privatePem(keys.privateKey),
    der,
    chain: issuer === undefined ? '' : pem + issuer.chain,
    serial: parsed.serialNumber.toLowerCase().replace(/^0+(?=.)/, ''),
    fingerprint256: parsed.fingerprint256,
    keys,
    certificate,
  }
}

function extensionsOf(options: CertificateOptions): x509.Extension[] {
  const out: x509.Extension[] = []
  if (options.ca !== undefined)
    out.push(new x509.BasicConstraintsExtension(options.ca, options.pathLength, true))
  const usage = options.keyUsage ?? x509.KeyUsageFlags.digitalSignature
  if (usage !== 0) out.push(new x509.KeyUsagesExtension(usage, options.keyUsageCritical ?? true))
  const purposes = options.eku ?? [eku.clientAuth]
  if (purposes.length > 0) out.push(new x509.ExtendedKeyUsageExtension([...purposes]))
  const names = [
    ...(options.uris ?? []).map((value) => ({ type: 'url' as const, value })),
    ...(options.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(options.ips ?? []).map((value) => ({ type: 'ip' as const, value })),
    ...(options.emails ?? []).map((value) => ({ type: 'email' as const, value })),
  ]
  if (names.length > 0)
    out.push(new x509.SubjectAlternativeNameExtension(names, options.sanCritical ?? false))
  return [...out, ...(options.extensions ?? [])]
}

function authority(made: Made): Authority {
  const { certificate, ...identity } = made
  const issuer: Issuer = { name: certificate.subject, keys: made.keys, certificate, chain: made.chain }
  return {
    ...identity,
    issue: async (options = {}) => {
      const { certificate: _, ...leaf } = await make(issuer, options)
      return leaf
    },
    intermediate: async (name, options = {}) =>
      authority(await make(issuer, { ...caDefaults(name), ...options })),
    crl: (options = {}) => makeCrl(issuer, options),
  }
}

async function makeCrl(issuer: Issuer, options: CrlOptions): Promise<string> {
  const crl = await x509.X509CrlGenerator.create({
    issuer: issuer.name,
    thisUpdate: options.thisUpdate ?? new Date(Date.now() - hourMs),
    nextUpdate: options.nextUpdate ?? new Date(Date.now() + hourMs),
    entries: (options.revoked ?? []).map((serialNumber) => ({ serialNumber, revocationDate: new Date() })),
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: { hash: 'SHA-256', ...issuer.keys.privateKey.algorithm },
  })
  return toPem('X509 CRL', Buffer.from(crl.rawData))
}

async function makeKeys(kind: KeyKind): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey(algorithms[kind], true, ['sign', 'verify'])) as CryptoKeyPair
}

async function privatePem(key: CryptoKey): Promise<string> {
  return toPem('PRIVATE KEY', Buffer.from(await crypto.subtle.exportKey('pkcs8', key)))
}

function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').replaceAll(/.{1,64}/g, '$&\n')
  return `-----BEGIN ${label}-----\n${lines}-----END ${label}-----\n`
}

/** The library itself, for odd extensions: it must be loaded after its polyfill, which import sorting would undo. */
export { x509 }
