/** Why our verdict on an x509-limbo chain differs from limbo's. Every difference has a row; a row without one fails. */
export interface Deviation {
  readonly why: string
  readonly ids: readonly string[]
}

/** limbo would accept, we refuse: the safe side. */
export const stricter: readonly Deviation[] = [
  {
    why: 'A client certificate must name clientAuth itself: no extended key usage would be any of them.',
    ids: ['rfc5280::eku::ee-without-eku'],
  },
  {
    why: 'The leaf was made with serverAuth only (these cases were not rewritten for client certificates).',
    ids: ['crl::issuer-no-keyusage-extension', 'crl::issuer-valid-crlsign-and-keycertsign'],
  },
  {
    why: 'An authority is no caller, whatever its path length says.',
    ids: ['pathlen::validation-ignores-pathlen-in-leaf', 'rfc5280::ca-as-leaf'],
  },
  {
    why: 'Self-issued certificates count for chainDepthMax: the bound is on work, not on policy.',
    ids: ['pathlen::max-chain-depth-1-self-issued'],
  },
  {
    why: 'OpenSSL verifies one path and does not go back to an alternate one after a name constraint.',
    ids: ['rfc5280::nc::nc-forbids-alternate-chain-ica', 'rfc5280::nc::nc-forbids-same-chain-ica'],
  },
  {
    why: 'A bundle without a self-signed authority is refused when it is loaded: OpenSSL would end no path there.',
    ids: ['cve::cve-2024-0567', 'rfc5280::root-and-intermediate-swapped'],
  },
  {
    why: 'A bundle is judged as a whole: an authority with an unknown critical extension is refused, used or not.',
    ids: ['rfc5280::unknown-critical-extension-unrelated-root'],
  },
]

/** limbo refuses, we accept: each is harmless to an identity that is a fingerprint or a URI. */
export const looser: readonly Deviation[] = [
  {
    why: 'A caller has no host name to be compared with; names of hosts in a client certificate give no identity.',
    ids: [
      'webpki::cn::ipv4-hex-mismatch',
      'webpki::cn::ipv4-leading-zeros-mismatch',
      'webpki::cn::ipv6-uppercase-mismatch',
      'webpki::cn::ipv6-uncompressed-mismatch',
      'webpki::cn::ipv6-non-rfc5952-mismatch',
      'webpki::cn::punycode-not-in-san',
      'webpki::cn::utf8-vs-punycode-mismatch',
      'webpki::cn::not-in-san',
      'webpki::cn::case-mismatch',
      'webpki::san::mismatch-domain-san',
      'webpki::san::mismatch-subdomain-san',
      'webpki::san::mismatch-subdomain-apex-san',
      'webpki::san::mismatch-apex-subdomain-san',
      'webpki::san::public-suffix-wildcard-san',
      'webpki::san::public-suffix-multi-label-wildcard-san',
      'webpki::san::public-suffix-private-namespace-wildcard-san',
      'webpki::san::wildcard-embedded-leftmost-san',
      'webpki::san::wildcard-not-in-leftmost-san',
      'webpki::san::wildcard-match-across-labels-san',
      'webpki::san::wildcard-embedded-ulabel-san',
      'webpki::san::no-san',
      'webpki::san::san-critical-with-nonempty-subject',
      'webpki::san::san-wildcard-only',
      'webpki::san::san-wildcard-only-tld',
      'rfc5280::san::underscore-dns',
      'rfc5280::san::ip-in-dns',
    ],
  },
  {
    why: 'A constraint on DNS or mail names that are malformed or wildcards: neither kind of name gives identity.',
    ids: [
      'cve::cve-2025-61727',
      'rfc5280::nc::invalid-dnsname-leading-period',
      'rfc5280::nc::nc-permits-invalid-dns-san',
      'rfc5280::nc::nc-permits-invalid-email-san',
      'rfc5280::nc::nc-forbids-dnsname-wildcard-san',
    ],
  },
  {
    why: 'An extension should be marked critical (or not), but is enforced all the same.',
    ids: [
      'rfc5280::nc::permitted-dns-match-noncritical',
      'rfc5280::pc::ica-noncritical-pc',
      'rfc5280::root-non-critical-basic-constraints',
      'webpki::eku::ee-critical-eku',
    ],
  },
  {
    why: 'Key identifiers help to find an issuer; ours is found by its name and proved by its signature.',
    ids: [
      'rfc5280::aki::leaf-missing-aki',
      'rfc5280::aki::intermediate-missing-aki',
      'rfc5280::ski::root-missing-ski',
      'rfc5280::ski::intermediate-missing-ski',
      'webpki::aki::root-with-aki-missing-keyidentifier',
    ],
  },
  {
    why: 'A rule of the public web PKI for authorities; the authorities here are the operator’s own.',
    ids: ['webpki::eku::root-has-eku'],
  },
  { why: 'The extension says where to fetch things; nothing is fetched.', ids: ['webpki::malformed-aia'] },
  {
    why: 'The wrong usage of this case became the right one when it was rewritten for client certificates.',
    ids: ['rfc5280::eku::ee-wrong-eku'],
  },
]

/** What Node accepts and our rules refuse, and by which of them. */
export const closed: Readonly<Record<string, string>> = {
  'rfc5280::leaf-ku-keycertsign': 'cert_signs_certificates',
  'webpki::ee-basicconstraints-ca': 'cert_is_ca',
  'webpki::eku::ee-without-eku': 'cert_no_client_auth',
  'rfc5280::eku::ee-without-eku': 'cert_no_client_auth',
  'webpki::eku::ee-anyeku': 'cert_any_purpose',
  'webpki::v1-cert': 'cert_not_version_3',
  'pathlen::max-chain-depth-0-exhausted': 'cert_chain_too_long',
  'pathlen::max-chain-depth-1-exhausted': 'cert_chain_too_long',
  'pathlen::max-chain-depth-1-self-issued': 'cert_chain_too_long',
  'rfc5280::serial::zero': 'cert_serial_not_positive',
  'rfc5280::serial::too-long': 'cert_serial_too_long',
  'webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf': 'cert_key_weak',
  'rfc5280::san::noncritical-with-empty-subject': 'cert_empty_subject_without_critical_names',
  'rfc5280::nc::not-allowed-in-ee-noncritical': 'cert_constrains_names',
  'rfc5280::nc::not-allowed-in-ee-critical': 'cert_constrains_names',
  'webpki::nc::intermediate-permitted-excluded-subtrees-both-null': 'cert_unreadable',
  'webpki::nc::intermediate-permitted-excluded-subtrees-both-empty-sequences': 'cert_unreadable',
  'webpki::san::unicode-emoji-san': 'cert_unreadable',
  'webpki::forbidden-dsa-root': 'load',
  'webpki::forbidden-rsa-not-divisible-by-8-in-root': 'load',
  'rfc5280::root-missing-basic-constraints': 'load',
  'rfc5280::unknown-critical-extension-unrelated-root': 'load',
}
