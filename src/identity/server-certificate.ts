import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { ParsedCertificate } from './certificate.ts'
import { keyFault } from './certificate-key.ts'
import { dateFault } from './peer-rules.ts'
import { type FileCertificate, type Findings, readCertificates } from './tls-problems.ts'

export interface ServerCertificate {
  /** Leaf first. */
  readonly chain: readonly FileCertificate[]
  readonly key: KeyObject
}

const serverAuth = '1.3.6.1.5.5.7.3.1'
const certificateSource = 'certificate'
const keySource = 'key'

/** Reads the chain that the server shows, and its key, and checks that clients could believe them. */
export function readServerCertificate(
  files: { readonly certificate: Uint8Array; readonly key: Uint8Array },
  options: { readonly now: number; readonly findings: Findings },
): ServerCertificate | undefined {
  const { now, findings } = options
  const chain = readCertificates(files.certificate, certificateSource, findings)
  const key = readKey(files.key, findings)
  const [leaf] = chain
  if (leaf === undefined) return undefined
  for (const fault of leafFaults(leaf.parsed)) findings.add(certificateSource, fault)
  checkLinks(chain, now, findings)
  if (key === undefined) return undefined
  if (!leaf.x509.checkPrivateKey(key)) findings.add(keySource, 'does not belong to the certificate')
  return { chain, key }
}

function readKey(file: Uint8Array, findings: Findings): KeyObject | undefined {
  try {
    return createPrivateKey(Buffer.from(file))
  } catch {
    // The reason is not shown: OpenSSL's text is about the bytes of a private key.
    findings.add(keySource, 'is not a private key in PEM, or is encrypted')
    return undefined
  }
}

function* leafFaults(leaf: ParsedCertificate): Generator<string> {
  if (leaf.ca) yield 'the first certificate is an authority, not the server'
  if (!leaf.purposes?.includes(serverAuth))
    yield 'the first certificate lacks the extended key usage serverAuth'
  if (leaf.dnsNames.length + leaf.addressCount === 0)
    yield 'the first certificate names no host (subjectAltName)'
  if (keyFault(leaf.key) !== undefined) yield 'has a key that is too weak or of a kind that is not supported'
}

function checkLinks(chain: readonly FileCertificate[], now: number, findings: Findings): void {
  for (const [i, { parsed, x509, label }] of chain.entries()) {
    const fault = dateFault(parsed, now)
    if (fault !== undefined) {
      findings.add(certificateSource, `${label} is ${fault === 'cert_expired' ? 'expired' : 'not yet valid'}`)
    }
    const issuer = chain[i + 1]
    if (issuer === undefined) continue
    const issued = parsed.issuer === issuer.parsed.subject && x509.verify(issuer.x509.publicKey)
    if (!issued) findings.add(certificateSource, `${label} is not issued by the one after it`)
  }
}
