import { type KeyObject, verify } from 'node:crypto'
import { readExtension } from './certificate-extensions.ts'
import {
  childrenOf,
  contextGroup,
  type Der,
  DerError,
  eachChild,
  expectTag,
  insideOf,
  readDer,
  tags,
  wholeOf,
} from './der.ts'
import { bitsOf, integerOf, oidOf, smallIntegerOf, timeOf } from './der-values.ts'

/** What a certificate revocation list says. Nothing of it holds before `isSignedBy` has said so. */
export interface RevocationList {
  /** Hex of the DER of the issuer's name. */
  readonly issuer: string
  /** Milliseconds since the epoch. */
  readonly thisUpdate: number
  readonly nextUpdate: number
  /** Serial numbers, lower-case hex without leading zeros. */
  readonly serials: ReadonlySet<string>
  isSignedBy(key: KeyObject): boolean
}

/** Most entries of one list: OpenSSL keeps them all in memory, and so do we. */
export const revokedMax = 500_000

// RFC 5280 sections 5.2.1 and 5.2.3; any other critical extension (delta, indirect, by reason) is refused.
const plainExtensions: ReadonlySet<string> = new Set(['2.5.29.35'])

const digests: ReadonlyMap<string, string | null> = new Map([
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.3.101.112', null],
  ['1.3.101.113', null],
])

/** Reads one complete, direct CRL of version 2 with a `nextUpdate`. Throws `DerError` for anything else. */
export function readRevocationList(der: Buffer): RevocationList {
  const [tbs, outer, signature] = childrenOf(readDer(der, tags.sequence), 3)
  const body = expectTag(tbs, tags.sequence)
  const outerAlgorithm = expectTag(outer, tags.sequence)
  const { octets, unused } = bitsOf(expectTag(signature, tags.bitString))
  const { algorithm, ...list } = readBody(body)
  if (unused !== 0 || !wholeOf(algorithm).equals(wholeOf(outerAlgorithm)))
    throw new DerError('two signature algorithms')
  const digest = digests.get(oidOf(expectTag(childrenOf(algorithm, 2)[0], tags.oid)))
  if (digest === undefined) throw new DerError('signature algorithm not supported')
  return { ...list, isSignedBy: (key) => verify(digest, wholeOf(body), key, octets) }
}

// TBSCertList has seven parts (RFC 5280 section 5.1).
const bodyPartsMax = 7

function readBody(body: Der): Omit<RevocationList, 'isSignedBy'> & { readonly algorithm: Der } {
  const parts = childrenOf(body, bodyPartsMax)
  const [version, algorithm, issuer, thisUpdate, nextUpdate, ...rest] = parts
  if (version?.tag !== tags.integer || smallIntegerOf(version) !== 1)
    throw new DerError('not a version 2 list')
  if (thisUpdate === undefined || nextUpdate === undefined) throw new DerError('no dates')
  const entries = rest[0]?.tag === tags.sequence ? rest.shift() : undefined
  const extensions = rest[0]?.tag === contextGroup(0) ? rest.shift() : undefined
  if (rest.length > 0) throw new DerError('unexpected part')
  if (extensions !== undefined) eachChild(insideOf(extensions, tags.sequence), refuseCritical)
  return {
    algorithm: expectTag(algorithm, tags.sequence),
    issuer: wholeOf(expectTag(issuer, tags.sequence)).toString('hex'),
    thisUpdate: timeOf(thisUpdate),
    nextUpdate: timeOf(nextUpdate),
    serials: entries === undefined ? new Set() : readSerials(entries),
  }
}

function readSerials(entries: Der): ReadonlySet<string> {
  const serials = new Set<string>()
  eachChild(entries, (entry) => {
    const [serial, , extensions] = childrenOf(expectTag(entry, tags.sequence), 3)
    if (extensions !== undefined) eachChild(expectTag(extensions, tags.sequence), refuseCritical)
    serials.add(
      integerOf(expectTag(serial, tags.integer))
        .toString('hex')
        .replace(/^0+(?=.)/, ''),
    )
    if (serials.size > revokedMax) throw new DerError('too many entries')
  })
  return serials
}

function refuseCritical(item: Der): void {
  const { oid, extension } = readExtension(expectTag(item, tags.sequence))
  if (extension.critical && !plainExtensions.has(oid)) throw new DerError('critical extension not supported')
}
