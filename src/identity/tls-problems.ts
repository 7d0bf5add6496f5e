import { X509Certificate } from 'node:crypto'
import { type ParsedCertificate, readPeerCertificate } from './certificate.ts'
import { DerError } from './der.ts'
import { readPem } from './pem.ts'

/** What is wrong with one of the TLS files. `source` is its name in the configuration, e.g. `crl[0]`. */
export interface TlsProblem {
  readonly source: string
  readonly message: string
}

/** The TLS files cannot be used. Holds everything that is wrong with them, not only the first thing. */
export class TlsMaterialRefused extends Error {
  readonly problems: readonly TlsProblem[]

  constructor(problems: readonly TlsProblem[]) {
    super(problems.map(({ source, message }) => `${source}: ${message}`).join('; '))
    this.name = 'TlsMaterialRefused'
    this.problems = problems
  }
}

/** Collects what is wrong (`add`, stops the load) and what an operator should know (`warn`). */
export class Findings {
  readonly problems: TlsProblem[] = []
  readonly warnings: TlsProblem[] = []

  add(source: string, message: string): void {
    this.problems.push({ source, message })
  }

  warn(source: string, message: string): void {
    this.warnings.push({ source, message })
  }
}

export interface FileCertificate {
  readonly x509: X509Certificate
  readonly parsed: ParsedCertificate
  /** `certificate 2 of clientCa`, counted from 1. */
  readonly label: string
}

const pemBytesMax = 4 * 1024 * 1024
const certificatesMax = 1000

/** The certificates of a PEM file, in order. What cannot be read is a problem, and left out. */
export function readCertificates(file: Uint8Array, source: string, findings: Findings): FileCertificate[] {
  const blocks = file.length > pemBytesMax ? undefined : readPem(Buffer.from(file).toString('latin1'))
  if (blocks === undefined) findings.add(source, 'is not a PEM file, is broken off, or is too large')
  else if (blocks.length === 0) findings.add(source, 'holds no certificate')
  else if (blocks.length > certificatesMax)
    findings.add(source, `holds more than ${certificatesMax} certificates`)
  else if (blocks.some(({ label }) => label !== 'CERTIFICATE')) {
    findings.add(source, 'holds something else than certificates')
  } else return blocks.flatMap(({ der }, i) => readCertificate(der, source, i, findings))
  return []
}

function readCertificate(der: Buffer, source: string, index: number, findings: Findings): FileCertificate[] {
  const label = `certificate ${index + 1}`
  try {
    return [{ x509: new X509Certificate(der), parsed: readPeerCertificate(der), label }]
  } catch (error) {
    // Either reader may refuse it; ours names the reason, OpenSSL's text could quote the file.
    findings.add(source, `${label} cannot be read${error instanceof DerError ? ` (${error.message})` : ''}`)
    return []
  }
}
