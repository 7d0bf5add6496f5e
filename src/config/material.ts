import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { error, type Finding, type Part, type Path, warning } from './problem.ts'
import type { FileReference } from './referenced.ts'
import type { FileKind } from './schema/field.ts'
import { SECRET_BYTES_MAX, secretOf } from './secret.ts'
import type { FileRead, FileSource } from './source.ts'

const FILE_BYTES_MAX = 8 * 1024 * 1024
const READABLE_OR_WRITABLE_BY_OTHERS = 0o006
const DAY_MS = 86_400_000
const EXPIRY_WARNING_DAYS = 14

export interface MaterialOptions {
  /** Milliseconds since the epoch, for the dates of certificates. */
  readonly now: number
}

interface Reading extends FileReference {
  readonly part: Part
  readonly found: FileRead
}

/** Opens every file that the configuration names: it must be there, be readable by us alone where it is secret, and fit. */
export async function checkMaterial(
  source: FileSource,
  references: readonly (FileReference & { readonly part: Part })[],
  options: MaterialOptions,
): Promise<Finding[]> {
  const readings = await Promise.all(
    references.map(async (reference): Promise<Reading> => {
      const bytesMax = reference.kind === 'secret' ? SECRET_BYTES_MAX : FILE_BYTES_MAX
      return { ...reference, found: await source.read(reference.file, { bytesMax }) }
    }),
  )
  return [...readings.flatMap((reading) => checkOne(reading, options)), ...checkPairs(readings)]
}

function checkOne({ part, path, kind, found }: Reading, options: MaterialOptions): Finding[] {
  if (kind === 'folder') return checkFolder(part, path, found)
  if (found.kind === 'folder') return [error(part, path, 'names a folder; a file is needed')]
  if (found.kind === 'no file')
    return [error(part, path, 'names something that is neither a file nor a folder')]
  if (found.kind !== 'file') return [error(part, path, `names a file that is ${found.kind}`)]
  return [...checkMode(part, path, kind, found.mode), ...checkContent(part, path, kind, found.bytes, options)]
}

const checkFolder = (part: Part, path: Path, found: FileRead): Finding[] =>
  found.kind !== 'folder'
    ? [error(part, path, 'must name a folder that exists')]
    : found.writable
      ? []
      : [error(part, path, 'names a folder that this process cannot write to')]

const checkMode = (part: Part, path: Path, kind: FileKind, mode: number): Finding[] =>
  (kind === 'key' || kind === 'secret') && (mode & READABLE_OR_WRITABLE_BY_OTHERS) !== 0
    ? [
        error(
          part,
          path,
          `names a secret that every user of the machine can read or write; chmod o-rwx (mode ${octal(mode)})`,
        ),
      ]
    : []

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')

function checkContent(
  part: Part,
  path: Path,
  kind: FileKind,
  bytes: Buffer,
  { now }: MaterialOptions,
): Finding[] {
  const fault = (message: string): Finding[] => [error(part, path, message)]
  switch (kind) {
    case 'certificate':
    case 'authorities': {
      const chain = certificates(bytes)
      if (chain === undefined) return fault('must name a PEM file with certificates')
      return kind === 'certificate' ? checkDates(part, path, chain[0] as X509Certificate, now) : []
    }
    case 'key':
      return privateKey(bytes) === undefined
        ? fault('must name a PEM file with one private key without a passphrase')
        : []
    case 'crl':
      return isRevocationList(bytes) ? [] : fault('must name a PEM file with a certificate revocation list')
    case 'secret': {
      const secret = secretOf(bytes)
      return typeof secret === 'string' ? fault(`names a secret that ${secret}`) : []
    }
    default:
      return bytes.length === 0 ? fault('names a file that is empty') : []
  }
}

function checkDates(part: Part, path: Path, leaf: X509Certificate, now: number): Finding[] {
  const until = leaf.validToDate.getTime()
  if (until <= now)
    return [error(part, path, `names a certificate that expired on ${leaf.validToDate.toISOString()}`)]
  if (leaf.validFromDate.getTime() > now) {
    return [
      error(part, path, `names a certificate that is not valid before ${leaf.validFromDate.toISOString()}`),
    ]
  }
  const days = Math.floor((until - now) / DAY_MS)
  return days < EXPIRY_WARNING_DAYS
    ? [warning(part, path, `names a certificate that expires in ${days} days`)]
    : []
}

/** `certificate` and `key` next to each other belong together. */
function checkPairs(readings: readonly Reading[]): Finding[] {
  return readings
    .filter(({ kind }) => kind === 'key')
    .flatMap((keyReading) => {
      const beside = JSON.stringify([keyReading.part, keyReading.path.slice(0, -1)])
      const partner = readings.find(
        ({ part, path, kind }) =>
          kind === 'certificate' && JSON.stringify([part, path.slice(0, -1)]) === beside,
      )
      const key = contentOf(keyReading, privateKey)
      const leaf = partner && contentOf(partner, certificates)?.[0]
      if (key === undefined || leaf === undefined || leaf.checkPrivateKey(key)) return []
      return [
        error(
          keyReading.part,
          keyReading.path,
          'names a key that does not belong to the certificate beside it',
        ),
      ]
    })
}

const contentOf = <Content>(
  { found }: Reading,
  read: (bytes: Buffer) => Content | undefined,
): Content | undefined => (found.kind === 'file' ? read(found.bytes) : undefined)

const orUndefined = <Value>(make: () => Value): Value | undefined => {
  try {
    return make()
  } catch {
    return undefined
  }
}

function certificates(bytes: Buffer): X509Certificate[] | undefined {
  const blocks = bytes.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  return blocks ? orUndefined(() => blocks.map((block) => new X509Certificate(block))) : undefined
}

const privateKey = (bytes: Buffer): KeyObject | undefined => orUndefined(() => createPrivateKey(bytes))

const isRevocationList = (bytes: Buffer): boolean =>
  bytes.includes('-----BEGIN X509 CRL-----') &&
  orUndefined(() => createSecureContext({ crl: bytes })) !== undefined
