import { type RevocationList, readRevocationList } from './crl.ts'
import { DerError } from './der.ts'
import { readPem } from './pem.ts'
import type { Findings } from './tls-problems.ts'
import type { Authority } from './trust.ts'

export interface Revoked {
  /** Serial numbers by `keyId` of the authority that signed them away. */
  readonly serials: ReadonlyMap<string, ReadonlySet<string>>
  /** Each list alone, in PEM: OpenSSL reads only the first of a file. */
  readonly pems: readonly string[]
  /** When the first list runs out and every caller below its authority is refused. */
  readonly nextUpdateFirst: number | undefined
}

const crlBytesMax = 32 * 1024 * 1024

/**
 * Reads the revocation lists and finds the authority that signed each. With one list OpenSSL demands a current one
 * from *every* authority of a chain (measured): an authority without one is a mistake, one that ran out a warning.
 */
export function readRevocationLists(
  files: readonly Uint8Array[],
  authorities: readonly Authority[],
  options: { readonly now: number; readonly findings: Findings },
): Revoked {
  const { findings } = options
  const serials = new Map<string, ReadonlySet<string>>()
  const pems: string[] = []
  const nextUpdates: number[] = []
  for (const [i, file] of files.entries()) {
    for (const der of dersOf(file, `crl[${i}]`, findings)) {
      const list = readList(der, `crl[${i}]`, findings)
      if (list === undefined) continue
      addList(list, `crl[${i}]`, authorities, serials, options)
      pems.push(toPem(der))
      nextUpdates.push(list.nextUpdate)
    }
  }
  if (files.length > 0) checkCover(authorities, serials, findings)
  return { serials, pems, nextUpdateFirst: nextUpdates.length > 0 ? Math.min(...nextUpdates) : undefined }
}

/** A file is PEM with one list or more, or one list in DER, as distribution points serve it. */
function dersOf(file: Uint8Array, source: string, findings: Findings): readonly Buffer[] {
  const bytes = Buffer.from(file)
  if (bytes.length > crlBytesMax) findings.add(source, 'is too large')
  else if (bytes[0] === 0x30) return [bytes]
  else {
    const blocks = readPem(bytes.toString('latin1'))
    const good =
      blocks !== undefined && blocks.length > 0 && blocks.every(({ label }) => label === 'X509 CRL')
    if (good) return blocks.map(({ der }) => der)
    findings.add(source, 'is not a certificate revocation list in PEM or DER')
  }
  return []
}

function readList(der: Buffer, source: string, findings: Findings): RevocationList | undefined {
  try {
    return readRevocationList(der)
  } catch (error) {
    if (!(error instanceof DerError)) throw error
    findings.add(source, `is not a usable revocation list (${error.message})`)
    return undefined
  }
}

function addList(
  list: RevocationList,
  source: string,
  authorities: readonly Authority[],
  serials: Map<string, ReadonlySet<string>>,
  { now, findings }: { readonly now: number; readonly findings: Findings },
): void {
  const signers = authorities.filter(
    ({ parsed, x509 }) =>
      parsed.subject === list.issuer &&
      parsed.keyUsage?.allows.has('cRLSign') !== false &&
      list.isSignedBy(x509.publicKey),
  )
  if (signers.length === 0)
    findings.add(source, 'is not signed by an authority of the bundles that may sign lists')
  if (now >= list.nextUpdate)
    findings.warn(source, 'is past its nextUpdate: every caller below its authority is refused')
  if (now < list.thisUpdate)
    findings.warn(source, 'is not valid yet: every caller below its authority is refused')
  for (const { parsed } of signers) {
    serials.set(parsed.keyId, new Set([...(serials.get(parsed.keyId) ?? []), ...list.serials]))
  }
}

function checkCover(
  authorities: readonly Authority[],
  serials: ReadonlyMap<string, ReadonlySet<string>>,
  findings: Findings,
): void {
  const bare = authorities.filter(({ parsed }) => !serials.has(parsed.keyId)).length
  if (bare > 0)
    findings.add('crl', `${bare} of the authorities have no revocation list: their callers would be refused`)
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').replaceAll(/.{1,64}/g, '$&\n')
  return `-----BEGIN X509 CRL-----\n${lines}-----END X509 CRL-----\n`
}
