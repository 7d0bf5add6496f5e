import { constants, createHash } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { type Authorities, checkSeparation, readAuthorities } from './authorities.ts'
import { type Revoked, readRevocationLists } from './revocation-lists.ts'
import { readServerCertificate, type ServerCertificate } from './server-certificate.ts'
import { isTrustDomain } from './spiffe.ts'
import { Findings, TlsMaterialRefused, type TlsProblem } from './tls-problems.ts'
import type { TrustStore } from './trust.ts'

/** The bytes of the files of one mutual TLS listener. Who reads and watches them is not known here. */
export interface TlsFiles {
  /** PEM chain of the server, leaf first. */
  readonly certificate: Uint8Array
  readonly key: Uint8Array
  /** PEM bundle of client authorities. Not used where `trustDomains` is given. */
  readonly clientCa?: Uint8Array | undefined
  /** Certificate revocation lists, PEM or DER. */
  readonly crl?: readonly Uint8Array[] | undefined
  /** SPIFFE trust domain -> PEM bundle. With it, callers are SPIFFE X.509-SVIDs and nothing else. */
  readonly trustDomains?: ReadonlyMap<string, Uint8Array> | undefined
}

export interface TlsOptions {
  readonly minVersion: 'TLSv1.3' | 'TLSv1.2'
  /** Session resumption. Intermediates of callers must then be in the bundles: a resumed session has no chain. */
  readonly sessionTickets: boolean
  /** Most certificates in a client chain below the authority, the leaf included. */
  readonly chainDepthMax: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Everything a listener needs to speak mutual TLS, checked as a whole. Immutable; a reload makes another one. */
export interface TlsMaterial {
  /** The full option set, also for `setSecureContext`. A function, so that the key is in no dump of this object. */
  readonly contextOptions: () => SecureContextOptions
  readonly trust: TrustStore
  /** The server's leaf; `notAfter` is the earliest of its chain. */
  readonly certificate: {
    readonly fingerprint: string
    readonly notBefore: number
    readonly notAfter: number
  }
  readonly authorities: readonly {
    readonly fingerprint: string
    readonly notAfter: number
    readonly trustDomain: string | undefined
  }[]
  /** Earliest end of a certificate in use: the server's chain and the authorities that are still valid. */
  readonly notAfterFirst: number
  /** Earliest `nextUpdate` of the revocation lists: from then on callers are refused. */
  readonly crlNextUpdateFirst: number | undefined
  readonly warnings: readonly TlsProblem[]
  /** SHA-256 over files and options: equal where nothing has changed. */
  readonly hash: string
}

// TLS 1.2 only with forward secrecy and an AEAD (RFC 9325 section 4.2).
const suites13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']
const suites12 = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].flatMap((suite) => [
  `ECDHE-ECDSA-${suite}`,
  `ECDHE-RSA-${suite}`,
])
const sessionTimeoutS = 300

/** Checks and composes the TLS files. Throws `TlsMaterialRefused` with every problem at once. */
export function loadTlsMaterial(files: TlsFiles, options: TlsOptions): TlsMaterial {
  const findings = new Findings()
  const parts = { now: options.now, findings }
  const server = readServerCertificate(files, parts)
  const { anchors, intermediates } = readBundles(files, parts)
  const revoked = readRevocationLists(files.crl ?? [], [...anchors, ...intermediates], parts)
  if (findings.problems.length > 0 || server === undefined) throw new TlsMaterialRefused(findings.problems)
  const contextOptions = contextOf(server, { anchors, intermediates }, revoked, options)
  tryContext(contextOptions)
  const trust = Object.freeze({
    anchors,
    intermediates,
    revoked: revoked.serials,
    trustDomains: files.trustDomains && new Set(files.trustDomains.keys()),
    chainDepthMax: options.chainDepthMax,
  })
  return Object.freeze({
    contextOptions,
    trust,
    ...datesOf(server, trust, options.now),
    crlNextUpdateFirst: revoked.nextUpdateFirst,
    warnings: findings.warnings,
    hash: hashOf(files, options),
  })
}

function readBundles(
  files: TlsFiles,
  parts: { readonly now: number; readonly findings: Findings },
): Authorities {
  const { findings } = parts
  if (files.trustDomains === undefined) {
    if (files.clientCa !== undefined) return readAuthorities(files.clientCa, 'clientCa', undefined, parts)
    findings.add('clientCa', 'is missing: without it no caller could be believed')
    return { anchors: [], intermediates: [] }
  }
  if (files.clientCa !== undefined)
    findings.warn('clientCa', 'is not used: spiffe.trustDomains names the authorities')
  if (files.trustDomains.size === 0) findings.add('spiffe.trustDomains', 'names no trust domain')
  const bundles = [...files.trustDomains].map(([domain, bundle]) => {
    const source = `spiffe.trustDomains.${domain}`
    if (!isTrustDomain(domain)) findings.add('spiffe.trustDomains', 'has a name that is not a trust domain')
    return readAuthorities(bundle, source, domain, parts)
  })
  const anchors = bundles.flatMap((bundle) => bundle.anchors)
  const intermediates = bundles.flatMap((bundle) => bundle.intermediates)
  checkSeparation([...anchors, ...intermediates], findings)
  return { anchors, intermediates }
}

function contextOf(
  { chain, key }: ServerCertificate,
  { anchors, intermediates }: Authorities,
  revoked: Revoked,
  { minVersion, sessionTickets }: TlsOptions,
): () => SecureContextOptions {
  const { SSL_OP_NO_TICKET, SSL_OP_NO_RENEGOTIATION } = constants
  const cert = chain.map(({ x509 }) => x509.toString()).join('')
  const ca = [...anchors, ...intermediates].map(({ x509 }) => x509.toString())
  return () => ({
    cert,
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    ca: [...ca],
    ...(revoked.pems.length > 0 ? { crl: [...revoked.pems] } : {}),
    minVersion,
    maxVersion: 'TLSv1.3',
    ciphers: [...suites13, ...(minVersion === 'TLSv1.2' ? suites12 : [])].join(':'),
    honorCipherOrder: true,
    // A ticket is accepted without the key and, until it runs out, without a new look at the certificate (measured).
    secureOptions: SSL_OP_NO_RENEGOTIATION | (sessionTickets ? 0 : SSL_OP_NO_TICKET),
    sessionTimeout: sessionTimeoutS,
  })
}

function tryContext(contextOptions: () => SecureContextOptions): void {
  try {
    createSecureContext(contextOptions())
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new TlsMaterialRefused([{ source: 'tls', message: `OpenSSL does not accept the files${code}` }])
  }
}

function datesOf(
  { chain }: ServerCertificate,
  trust: TrustStore,
  now: number,
): Pick<TlsMaterial, 'certificate' | 'authorities' | 'notAfterFirst'> {
  const notAfter = Math.min(...chain.map(({ parsed }) => parsed.notAfter))
  const authorities = [...trust.anchors, ...trust.intermediates].map(({ parsed, trustDomain }) => ({
    fingerprint: parsed.fingerprint,
    notAfter: parsed.notAfter,
    trustDomain,
  }))
  const current = authorities.filter((authority) => authority.notAfter > now)
  return {
    certificate: {
      fingerprint: chain[0]?.parsed.fingerprint ?? '',
      notBefore: Math.max(...chain.map(({ parsed }) => parsed.notBefore)),
      notAfter,
    },
    authorities,
    notAfterFirst: Math.min(notAfter, ...current.map((authority) => authority.notAfter)),
  }
}

/** Every part goes in with its name and length, so that no two sets of files can look alike. */
function hashOf(files: TlsFiles, { minVersion, sessionTickets, chainDepthMax }: TlsOptions): string {
  const hash = createHash('sha256')
  const part = (name: string, bytes: Uint8Array | string | undefined): void => {
    hash.update(`${name}:${bytes?.length ?? -1}:`).update(bytes ?? '')
  }
  part('certificate', files.certificate)
  part('key', files.key)
  part('clientCa', files.clientCa)
  for (const list of files.crl ?? []) part('crl', list)
  for (const [domain, bundle] of files.trustDomains ?? []) {
    part('trustDomain', domain)
    part('bundle', bundle)
  }
  part('options', JSON.stringify([minVersion, sessionTickets, chainDepthMax]))
  return hash.digest('base64url')
}
