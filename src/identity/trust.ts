/**
 * Which authority stands behind a client certificate. TLS has already verified *a* chain to *some* configured
 * authority, but Node tells neither which chain nor which authority: the links of `getPeerCertificate(true)` are
 * matched by name alone and stop where the caller sent them out of order (measured on Node 26), and a resumed
 * session has no chain at all. So the path is built again here, with every signature verified.
 *
 * Invariants:
 *  1. A path ends at an authority of this store; of the caller's own trust domain when the store has domains.
 *  2. No certificate of a path is expired, revoked, or against a URI name constraint of one above it.
 *  3. The work is bounded: at most `signaturesMax` verifications, whatever the caller sends.
 *  4. `fallenBy` is `undefined` only where the peer's authority still stands, in the same trust domain, and no
 *     certificate of the path is on a list of this store.
 */
import type { X509Certificate } from 'node:crypto'
import { type ParsedCertificate, readPeerCertificate } from './certificate.ts'
import { keyFault } from './certificate-key.ts'
import { DerError } from './der.ts'
import { uriIsPermitted } from './name-constraints.ts'
import { checkPeer, dateFault, expiresAt, type PeerFault, peerRefusal } from './peer-rules.ts'
import type { PeerCertificate } from './principal.ts'
import { parseSpiffeId } from './spiffe.ts'

export interface Authority {
  readonly parsed: ParsedCertificate
  readonly x509: X509Certificate
  /** The trust domain whose bundle it is from; `undefined` on a listener without SPIFFE. */
  readonly trustDomain: string | undefined
}

/** Whom a listener believes. Immutable; a reload makes another one. */
export interface TrustStore {
  /** Self-signed authorities: where a path may end. */
  readonly anchors: readonly Authority[]
  /** Other authorities of the bundles: links that callers need not send. */
  readonly intermediates: readonly Authority[]
  /** Serial numbers taken back, by `keyId` of the authority that signed the list. */
  readonly revoked: ReadonlyMap<string, ReadonlySet<string>>
  readonly trustDomains: ReadonlySet<string> | undefined
  /** Most certificates in a chain below the authority, the leaf included. */
  readonly chainDepthMax: number
}

export interface VerifiedPeer {
  readonly certificate: PeerCertificate
  /** Fingerprint of the authority at the end of the path. */
  readonly anchor: string
  readonly trustDomain: string | undefined
  /** Milliseconds since the epoch: when the first certificate of the path has run out. */
  readonly validUntil: number
  /** Leaf first; each certificate by its serial number and the key that signed it. */
  readonly path: readonly { readonly issuerKeyId: string; readonly serial: string }[]
}

/** Most certificates that a caller may send above the leaf. */
export const presentedMax = 10
const signaturesMax = 24

/** Everything that must hold for a client certificate. Throws a Refusal whose `detail` is a `PeerFault`. */
export function verifyPeer(
  store: TrustStore,
  leaf: X509Certificate,
  presented: readonly X509Certificate[],
  now: number,
): VerifiedPeer {
  const parsed = parse(leaf)
  if (presented.length > presentedMax) throw peerRefusal('cert_chain_too_long')
  checkPeer(parsed, store, now)
  const spiffeId = store.trustDomains === undefined ? undefined : parsed.uris[0]
  const trustDomain = spiffeId === undefined ? undefined : parseSpiffeId(spiffeId)?.trustDomain
  const links = presented.map((x509) => ({ parsed: parse(x509), x509, trustDomain }))
  const path = new Search(store, links, trustDomain, now).from({ parsed, x509: leaf, trustDomain })
  return {
    certificate: peerCertificate(parsed, spiffeId),
    anchor: path.at(-1)?.parsed.fingerprint ?? '',
    trustDomain,
    validUntil: Math.min(...path.map(({ parsed: { notAfter } }) => expiresAt(notAfter))),
    path: stepsOf(path),
  }
}

/**
 * The certificate of a peer that was verified when it connected. Throws `certificate_expired` once its path has run
 * out: a connection can outlive the certificate, and Node never looks again.
 */
export function currentPeer(peer: VerifiedPeer, now: number): PeerCertificate {
  if (now >= peer.validUntil) throw peerRefusal('cert_expired')
  return peer.certificate
}

/** Why a peer that was verified under another store would not be under this one, or `undefined` when it still is. */
export function fallenBy(store: TrustStore, peer: VerifiedPeer): PeerFault | undefined {
  if ((store.trustDomains === undefined) !== (peer.trustDomain === undefined)) return 'cert_chain_unverified'
  if (peer.path.length > store.chainDepthMax) return 'cert_chain_too_long'
  const standing = store.anchors.some(
    ({ parsed, trustDomain }) => parsed.fingerprint === peer.anchor && trustDomain === peer.trustDomain,
  )
  if (!standing) return 'cert_chain_unverified'
  const revoked = peer.path.some(({ issuerKeyId, serial }) => store.revoked.get(issuerKeyId)?.has(serial))
  return revoked ? 'cert_revoked' : undefined
}

function parse(x509: X509Certificate): ParsedCertificate {
  try {
    return readPeerCertificate(x509.raw)
  } catch (error) {
    if (error instanceof DerError) throw peerRefusal('cert_unreadable')
    throw error
  }
}

function peerCertificate(parsed: ParsedCertificate, spiffeId: string | undefined): PeerCertificate {
  const { fingerprint, serial, uris, dnsNames, notBefore, notAfter } = parsed
  return Object.freeze({ fingerprint, serial, uris, dnsNames, spiffeId, notBefore, notAfter })
}

function stepsOf(path: readonly Authority[]): VerifiedPeer['path'] {
  return path.slice(0, -1).map(({ parsed }, i) => ({
    issuerKeyId: path[i + 1]?.parsed.keyId ?? '',
    serial: parsed.serial,
  }))
}

/** One depth-first search for a path, with its budget of signatures. */
class Search {
  readonly #store: TrustStore
  readonly #anchors: readonly Authority[]
  readonly #links: readonly Authority[]
  readonly #now: number
  #signaturesLeft = signaturesMax
  #fault: PeerFault

  constructor(store: TrustStore, links: readonly Authority[], trustDomain: string | undefined, now: number) {
    const ofDomain = (authority: Authority): boolean => authority.trustDomain === trustDomain
    this.#store = store
    this.#anchors = store.anchors.filter(ofDomain)
    this.#links = [...links, ...store.intermediates.filter(ofDomain)]
    this.#now = now
    this.#fault = trustDomain === undefined ? 'cert_chain_unverified' : 'spiffe_issued_by_other_domain'
  }

  from(leaf: Authority): readonly Authority[] {
    const path = this.#extend([leaf])
    if (path === undefined) throw peerRefusal(this.#fault)
    return path
  }

  /** The whole path when an authority can end it; the deepest fault is kept for the answer when none can. */
  #extend(path: readonly Authority[]): readonly Authority[] | undefined {
    for (const anchor of this.#anchors) {
      if (this.#mayFollow(path, anchor)) return [...path, anchor]
    }
    for (const link of this.#links) {
      if (path.includes(link) || !this.#mayFollow(path, link)) continue
      if (path.length === this.#store.chainDepthMax) {
        this.#fault = 'cert_chain_too_long'
        continue
      }
      const whole = this.#extend([...path, link])
      if (whole !== undefined) return whole
    }
    return undefined
  }

  #mayFollow(path: readonly Authority[], issuer: Authority): boolean {
    const child = path.at(-1)
    if (child === undefined || child.parsed.issuer !== issuer.parsed.subject) return false
    // The key is judged before it is used: verifying with an oversized one is work that a caller could ask for.
    if (!isAuthority(issuer.parsed) || keyFault(issuer.parsed.key) !== undefined) return false
    if (this.#signaturesLeft === 0) return false
    this.#signaturesLeft -= 1
    if (!child.x509.verify(issuer.x509.publicKey)) return false
    const fault = this.#issuerFault(path, child, issuer.parsed)
    if (fault !== undefined) this.#fault = fault
    return fault === undefined
  }

  #issuerFault(
    path: readonly Authority[],
    child: Authority,
    issuer: ParsedCertificate,
  ): PeerFault | undefined {
    if (dateFault(issuer, this.#now) !== undefined) return 'cert_chain_unverified'
    // RFC 5280 section 4.2.1.9: certificates that an authority issued to itself do not count.
    const below = path.slice(1).filter(({ parsed }) => parsed.subject !== parsed.issuer).length
    if (below > (issuer.pathLengthMax ?? Number.POSITIVE_INFINITY)) return 'cert_chain_too_long'
    if (this.#store.revoked.get(issuer.keyId)?.has(child.parsed.serial)) return 'cert_revoked'
    const permitted = path[0]?.parsed.uris.every((uri) => uriIsPermitted(uri, issuer.nameConstraints))
    return permitted ? undefined : 'cert_name_not_permitted'
  }
}

const clientAuth = '1.3.6.1.5.5.7.3.2'
const anyPurpose = '2.5.29.37.0'

/** Whether a certificate may stand above a client's at all, dates and key aside. */
export function isAuthority(certificate: ParsedCertificate): boolean {
  const { ca, keyUsage, purposes, version, unknownCritical } = certificate
  if (!ca || version !== 3 || unknownCritical) return false
  if (keyUsage !== undefined && !keyUsage.allows.has('keyCertSign')) return false
  return purposes === undefined || purposes.includes(clientAuth) || purposes.includes(anyPurpose)
}
