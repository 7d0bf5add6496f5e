import { keyFault } from './certificate-key.ts'
import { dateFault } from './peer-rules.ts'
import { type FileCertificate, type Findings, readCertificates } from './tls-problems.ts'
import type { Authority } from './trust.ts'
import { isAuthority } from './trust.ts'

export interface Authorities {
  readonly anchors: readonly Authority[]
  readonly intermediates: readonly Authority[]
}

/**
 * The authorities of one bundle: self-signed ones are where a chain may end, others are links on the way.
 * An authority that has run out is a warning: it admits nobody, and must not hold up the reload of a CRL.
 */
export function readAuthorities(
  file: Uint8Array,
  source: string,
  trustDomain: string | undefined,
  options: { readonly now: number; readonly findings: Findings },
): Authorities {
  const { findings } = options
  const certificates = readCertificates(file, source, findings)
  const good = certificates.filter((certificate) => {
    const fault = authorityFault(certificate)
    if (fault !== undefined) findings.add(source, `${certificate.label} ${fault}`)
    return fault === undefined
  })
  for (const { parsed, label } of good) {
    const fault = dateFault(parsed, options.now)
    if (fault !== undefined)
      findings.warn(source, `${label} is ${fault === 'cert_expired' ? 'expired' : 'not yet valid'}`)
  }
  const authorities = good.map(({ x509, parsed }) => ({ x509, parsed, trustDomain }))
  const anchors = authorities.filter(isSelfSigned)
  if (good.length > 0 && anchors.length === 0) findings.add(source, 'holds no self-signed authority')
  return { anchors, intermediates: authorities.filter((authority) => !anchors.includes(authority)) }
}

function authorityFault({ parsed }: FileCertificate): string | undefined {
  if (!parsed.ca) return 'is not an authority (basicConstraints without CA:TRUE)'
  if (keyFault(parsed.key) !== undefined)
    return 'has a key that is too weak or of a kind that is not supported'
  return isAuthority(parsed)
    ? undefined
    : 'may not issue client certificates (version, keyUsage, extendedKeyUsage or an unknown critical extension)'
}

const isSelfSigned = ({ parsed, x509 }: Authority): boolean =>
  parsed.subject === parsed.issuer && x509.verify(x509.publicKey)

/** Two trust domains with one key are one domain: whoever holds it can mint identities of both. */
export function checkSeparation(all: readonly Authority[], findings: Findings): void {
  const owners = new Map<string, string | undefined>()
  for (const { parsed, trustDomain } of all) {
    const owner = owners.get(parsed.keyId)
    if (owners.has(parsed.keyId) && owner !== trustDomain) {
      findings.add(`spiffe.trustDomains.${trustDomain}`, `shares an authority key with trust domain ${owner}`)
    }
    owners.set(parsed.keyId, trustDomain)
  }
}
