import { Refusal } from '../refusal.ts'
import type { ParsedCertificate } from './certificate.ts'
import { keyFault } from './certificate-key.ts'
import { parseSpiffeId } from './spiffe.ts'

/** Why a client certificate is refused after TLS has accepted it. Machine-readable: goes to log, audit and metrics. */
export const peerFaults = [
  'cert_unreadable',
  'cert_not_version_3',
  'cert_serial_not_positive',
  'cert_serial_too_long',
  'cert_is_ca',
  'cert_signs_certificates',
  'cert_constrains_names',
  'cert_unknown_critical_extension',
  'cert_no_client_auth',
  'cert_any_purpose',
  'cert_no_digital_signature',
  'cert_key_weak',
  'cert_key_unsupported',
  'cert_empty_subject_without_critical_names',
  'cert_not_yet_valid',
  'cert_expired',
  'cert_revoked',
  'cert_chain_too_long',
  'cert_chain_unverified',
  'cert_name_not_permitted',
  'spiffe_not_one_uri',
  'spiffe_bad_id',
  'spiffe_no_path',
  'spiffe_unknown_trust_domain',
  'spiffe_key_usage_not_critical',
  'spiffe_no_key_usage',
  'spiffe_issued_by_other_domain',
] as const
export type PeerFault = (typeof peerFaults)[number]

export interface PeerRules {
  /** Trust domains of a listener that takes SPIFFE X.509-SVIDs only; `undefined` when it takes any certificate. */
  readonly trustDomains: ReadonlySet<string> | undefined
}

const clientAuth = '1.3.6.1.5.5.7.3.2'
const anyPurpose = '2.5.29.37.0'
// RFC 5280 section 4.1.2.2
const serialBytesMax = 20
const secondMs = 1000

/** The Refusal for a fault: a caller whose certificate has run out or was taken back hears so, the rest is one code. */
export function peerRefusal(fault: PeerFault): Refusal {
  if (fault === 'cert_expired') return new Refusal('certificate_expired', fault)
  if (fault === 'cert_revoked') return new Refusal('token_revoked', fault)
  return new Refusal('invalid_certificate', fault)
}

/**
 * What neither Node nor OpenSSL asks of a client certificate (measured on Node 26: no extended key usage at all,
 * or a CA certificate in place of a leaf, are accepted). Throws a Refusal whose `detail` is a `PeerFault`.
 */
export function checkPeer(certificate: ParsedCertificate, rules: PeerRules, now: number): void {
  const fault =
    formFault(certificate) ??
    powerFault(certificate) ??
    keyFault(certificate.key) ??
    dateFault(certificate, now) ??
    (rules.trustDomains === undefined ? undefined : spiffeFault(certificate, rules.trustDomains))
  if (fault !== undefined) throw peerRefusal(fault)
}

/** The first moment at which a certificate is no longer valid: its last second belongs to it. */
export const expiresAt = (notAfter: number): number => notAfter + secondMs

/** Whether a certificate is outside its dates. Both ends belong to it, in whole seconds (RFC 5280 section 4.1.2.5). */
export function dateFault(
  { notBefore, notAfter }: Pick<ParsedCertificate, 'notBefore' | 'notAfter'>,
  now: number,
): 'cert_not_yet_valid' | 'cert_expired' | undefined {
  if (now < notBefore) return 'cert_not_yet_valid'
  return now >= expiresAt(notAfter) ? 'cert_expired' : undefined
}

function formFault(certificate: ParsedCertificate): PeerFault | undefined {
  if (certificate.version !== 3) return 'cert_not_version_3'
  if (!certificate.serialPositive) return 'cert_serial_not_positive'
  if (certificate.serialBytes > serialBytesMax) return 'cert_serial_too_long'
  if (certificate.unknownCritical) return 'cert_unknown_critical_extension'
  // RFC 5280 section 4.1.2.6: without a subject the names are all there is, so nobody may skip them.
  const unnamed = certificate.subjectEmpty && certificate.namesCritical !== true
  return unnamed ? 'cert_empty_subject_without_critical_names' : undefined
}

function powerFault(certificate: ParsedCertificate): PeerFault | undefined {
  const { purposes, keyUsage } = certificate
  if (certificate.ca) return 'cert_is_ca'
  if (keyUsage?.allows.has('keyCertSign') || keyUsage?.allows.has('cRLSign')) return 'cert_signs_certificates'
  if (certificate.nameConstraints !== undefined) return 'cert_constrains_names'
  if (purposes?.includes(anyPurpose)) return 'cert_any_purpose'
  if (!purposes?.includes(clientAuth)) return 'cert_no_client_auth'
  return keyUsage?.allows.has('digitalSignature') === false ? 'cert_no_digital_signature' : undefined
}

/** X509-SVID sections 2 to 5, as far as a leaf alone can show it. */
function spiffeFault(
  certificate: ParsedCertificate,
  trustDomains: ReadonlySet<string>,
): PeerFault | undefined {
  const [uri, ...others] = certificate.uris
  if (uri === undefined || others.length > 0) return 'spiffe_not_one_uri'
  const id = parseSpiffeId(uri)
  if (id === undefined) return 'spiffe_bad_id'
  if (id.path === '') return 'spiffe_no_path'
  if (!trustDomains.has(id.trustDomain)) return 'spiffe_unknown_trust_domain'
  if (certificate.keyUsage === undefined) return 'spiffe_no_key_usage'
  return certificate.keyUsage.critical ? undefined : 'spiffe_key_usage_not_critical'
}
