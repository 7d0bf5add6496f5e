import {
  childrenOf,
  contentOf,
  contextGroup,
  contextTag,
  type Der,
  DerError,
  expectTag,
  insideOf,
  readDer,
  tags,
} from './der.ts'
import { asciiOf, bitsOf, booleanOf, oidOf, smallIntegerOf } from './der-values.ts'

export const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const
export type KeyUsage = (typeof keyUsages)[number]

/** The extensions of RFC 5280 that our rules ask about. */
export interface Extensions {
  readonly ca: boolean
  readonly pathLengthMax: number | undefined
  readonly keyUsage: { readonly critical: boolean; readonly allows: ReadonlySet<KeyUsage> } | undefined
  /** Extended key usage, as dotted OIDs; `undefined` when the extension is absent. */
  readonly purposes: readonly string[] | undefined
  /** Subject alternative names, byte-exact. */
  readonly uris: readonly string[]
  readonly dnsNames: readonly string[]
  readonly addressCount: number
  readonly namesCritical: boolean | undefined
  /** Name constraints for URIs: hosts, or domains with a leading dot (RFC 5280 section 4.2.1.10). */
  readonly nameConstraints:
    | { readonly permittedUris: readonly string[]; readonly excludedUris: readonly string[] }
    | undefined
  /** Whether a critical extension is there that nobody here or in OpenSSL's path check is known to process. */
  readonly unknownCritical: boolean
}

const oids = {
  keyUsage: '2.5.29.15',
  names: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  purposes: '2.5.29.37',
} as const

/** Processed by OpenSSL's own path check, which every chain here has passed: policies and their constraints. */
const processedByOpenssl: ReadonlySet<string> = new Set(['2.5.29.32', '2.5.29.33', '2.5.29.36', '2.5.29.54'])
const processed: ReadonlySet<string> = new Set([...Object.values(oids), ...processedByOpenssl])

const extensionsMax = 64
const namesMax = 64
const purposesMax = 32
const subtreesMax = 256
/** SPIFFE-ID section 2.3 demands support for 2048 bytes. */
const nameBytesMax = 2048

interface Extension {
  readonly critical: boolean
  readonly value: Der
}

/** Reads `[3] Extensions`; a certificate without any has none of the powers that they give. */
export function readExtensions(element: Der | undefined): Extensions {
  const all = new Map<string, Extension>()
  const list = element === undefined ? [] : childrenOf(insideOf(element, tags.sequence), extensionsMax)
  for (const item of list) {
    const { oid, extension } = readExtension(expectTag(item, tags.sequence))
    if (all.has(oid)) throw new DerError('extension twice')
    all.set(oid, extension)
  }
  return {
    ...readBasicConstraints(all.get(oids.basicConstraints)),
    ...readNames(all.get(oids.names)),
    keyUsage: readKeyUsage(all.get(oids.keyUsage)),
    purposes: readPurposes(all.get(oids.purposes)),
    nameConstraints: readNameConstraints(all.get(oids.nameConstraints)),
    unknownCritical: [...all].some(([oid, { critical }]) => critical && !processed.has(oid)),
  }
}

/** One Extension; the value is what the OCTET STRING holds. Certificates and CRLs share it. */
export function readExtension(item: Der): { readonly oid: string; readonly extension: Extension } {
  const parts = childrenOf(item, 3)
  const oid = oidOf(expectTag(parts[0], tags.oid))
  const flag = parts.length === 3 ? parts[1] : undefined
  const critical = flag !== undefined && booleanOf(flag)
  const holder = expectTag(parts.at(-1), tags.octetString)
  return { oid, extension: { critical, value: holder } }
}

const sequenceIn = (extension: Extension, countMax: number): Der[] =>
  childrenOf(readDer(contentOf(extension.value), tags.sequence), countMax)

function readBasicConstraints(extension: Extension | undefined): Pick<Extensions, 'ca' | 'pathLengthMax'> {
  if (extension === undefined) return { ca: false, pathLengthMax: undefined }
  const parts = sequenceIn(extension, 2)
  const flag = parts[0]?.tag === tags.boolean ? parts.shift() : undefined
  const length = parts.shift()
  if (parts.length > 0) throw new DerError('bad basic constraints')
  return {
    ca: flag !== undefined && booleanOf(flag),
    pathLengthMax: length === undefined ? undefined : smallIntegerOf(length),
  }
}

function readKeyUsage(extension: Extension | undefined): Extensions['keyUsage'] {
  if (extension === undefined) return undefined
  const { octets } = bitsOf(readDer(contentOf(extension.value), tags.bitString))
  const allows = keyUsages.filter((_, bit) => ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0)
  return { critical: extension.critical, allows: new Set(allows) }
}

function readPurposes(extension: Extension | undefined): readonly string[] | undefined {
  return extension === undefined ? undefined : sequenceIn(extension, purposesMax).map(oidOf)
}

type Names = Pick<Extensions, 'uris' | 'dnsNames' | 'addressCount' | 'namesCritical'>

function readNames(extension: Extension | undefined): Names {
  if (extension === undefined) return { uris: [], dnsNames: [], addressCount: 0, namesCritical: undefined }
  const names = sequenceIn(extension, namesMax)
  const texts = (number: number): string[] =>
    names.filter(({ tag }) => tag === contextTag(number)).map((name) => asciiOf(name, nameBytesMax))
  return {
    dnsNames: texts(2),
    uris: texts(6),
    addressCount: names.filter(({ tag }) => tag === contextTag(7)).length,
    namesCritical: extension.critical,
  }
}

function readNameConstraints(extension: Extension | undefined): Extensions['nameConstraints'] {
  if (extension === undefined) return undefined
  const [first, second] = sequenceIn(extension, 2)
  // RFC 5280 section 4.2.1.10: a constraint that constrains nothing must not be issued.
  if (first === undefined) throw new DerError('empty name constraints')
  const trees = (number: number): string[] => {
    const group = [first, second].find((part) => part?.tag === contextGroup(number))
    if (group === undefined) return []
    if (group.start === group.end) throw new DerError('empty name constraints')
    return childrenOf(group, subtreesMax).flatMap(uriOfSubtree)
  }
  return { permittedUris: trees(0), excludedUris: trees(1) }
}

function uriOfSubtree(subtree: Der): string[] {
  const [base] = childrenOf(expectTag(subtree, tags.sequence), 3)
  return base?.tag === contextTag(6) ? [asciiOf(base, nameBytesMax).toLowerCase()] : []
}
