import { createHash } from 'node:crypto'
import { type Extensions, readExtensions } from './certificate-extensions.ts'
import { type CertificateKey, readKey } from './certificate-key.ts'
import {
  childrenOf,
  contextGroup,
  type Der,
  DerError,
  expectTag,
  insideOf,
  readDer,
  tags,
  wholeOf,
} from './der.ts'
import { integerOf, smallIntegerOf, timeOf } from './der-values.ts'

/** A certificate above this is nobody's: a leaf with 64 names and an RSA 4096 key has about 8 KiB. */
export const certificateBytesMax = 32 * 1024

/** What a certificate says, read from its DER and nothing else. Reading it proves nothing: see trust.ts. */
export interface ParsedCertificate extends Extensions {
  /** base64url(SHA-256(DER)): the `x5t#S256` of RFC 8705. */
  readonly fingerprint: string
  /** base64url(SHA-256(SubjectPublicKeyInfo)): the same for a renewed certificate with the same key. */
  readonly keyId: string
  readonly version: number
  /** Lower-case hex without leading zeros. */
  readonly serial: string
  readonly serialBytes: number
  readonly serialPositive: boolean
  /** Hex of the DER of the name: equal names are equal strings. */
  readonly issuer: string
  readonly subject: string
  readonly subjectEmpty: boolean
  /** Milliseconds since the epoch; a certificate is valid up to and with its last second. */
  readonly notBefore: number
  readonly notAfter: number
  readonly key: CertificateKey
}

/** Reads one certificate. Throws `DerError` for what is not strict DER, too large or has too many parts. */
export function readPeerCertificate(der: Buffer): ParsedCertificate {
  if (der.length > certificateBytesMax) throw new DerError('certificate too large')
  const [tbs, algorithm, signature, ...rest] = childrenOf(readDer(der, tags.sequence), 3)
  expectTag(algorithm, tags.sequence)
  expectTag(signature, tags.bitString)
  if (rest.length > 0) throw new DerError('certificate with more than three parts')
  return readBody(expectTag(tbs, tags.sequence), digest(der))
}

// TBSCertificate has at most ten parts (RFC 5280 section 4.1).
const bodyPartsMax = 10

function readBody(tbs: Der, fingerprint: string): ParsedCertificate {
  const parts = childrenOf(tbs, bodyPartsMax)
  const version = parts[0]?.tag === contextGroup(0) ? versionOf(parts.shift()) : 1
  const [serial, algorithm, issuer, validity, subject, key, ...optional] = parts
  expectTag(algorithm, tags.sequence)
  const keyInfo = expectTag(key, tags.sequence)
  const names = { issuer: expectTag(issuer, tags.sequence), subject: expectTag(subject, tags.sequence) }
  return {
    fingerprint,
    keyId: digest(wholeOf(keyInfo)),
    version,
    ...serialOf(expectTag(serial, tags.integer)),
    issuer: wholeOf(names.issuer).toString('hex'),
    subject: wholeOf(names.subject).toString('hex'),
    subjectEmpty: names.subject.start === names.subject.end,
    ...datesOf(expectTag(validity, tags.sequence)),
    key: readKey(keyInfo),
    ...readExtensions(extensionsOf(optional)),
  }
}

function versionOf(part: Der | undefined): number {
  return smallIntegerOf(insideOf(expectTag(part, contextGroup(0)), tags.integer)) + 1
}

function serialOf(element: Der): Pick<ParsedCertificate, 'serial' | 'serialBytes' | 'serialPositive'> {
  const value = integerOf(element)
  const hex = value.toString('hex').replace(/^0+(?=.)/, '')
  return { serial: hex, serialBytes: value.length, serialPositive: (value[0] ?? 0) < 0x80 && hex !== '0' }
}

function datesOf(validity: Der): Pick<ParsedCertificate, 'notBefore' | 'notAfter'> {
  const [from, to, ...rest] = childrenOf(validity, 2)
  if (from === undefined || to === undefined || rest.length > 0) throw new DerError('bad validity')
  return { notBefore: timeOf(from), notAfter: timeOf(to) }
}

/** Of the optional parts only `[3]` matters; `[1]` and `[2]` (unique ids) may stand before it. */
function extensionsOf(optional: readonly Der[]): Der | undefined {
  const order = optional.map(({ tag }) => tag & 0x1f)
  if (order.some((number, i) => number < 1 || number > 3 || number <= (order[i - 1] ?? 0))) {
    throw new DerError('unexpected part')
  }
  return optional.find(({ tag }) => tag === contextGroup(3))
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64url')
