import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { PoolConfig } from '../config/schema/models.ts'
import { type Secret, secretOf } from '../config/secret.ts'
import type { UpstreamTls } from '../upstream/http/connector.ts'
import { FileRefused, naming } from './file-refused.ts'
import { readKeyFile } from './key-file.ts'

/**
 * Reads and checks the TLS files toward a server. Throws `FileRefused`: undici looks at them only when it connects, and
 * by then every call would fail.
 */
export function readUpstreamTls(tls: PoolConfig['tls'], now: number): UpstreamTls | undefined {
  if (tls === undefined) return undefined
  const { certificate, key, serverName } = tls
  const files = {
    ca: readAuthorities(tls.ca),
    ...(certificate === undefined ? {} : { certificate: readCertificate(certificate, now) }),
    ...(key === undefined ? {} : { key: readKeyFile(key) }),
    ...(serverName === undefined ? {} : { serverName }),
  }
  naming(key ?? certificate ?? tls.ca, () => tryContext(files))
  return files
}

/** Reads the API key for a server. Throws `FileRefused`, without a word of what the file holds. */
export function readApiKey(file: string): Secret {
  const secret = secretOf(readKeyFile(file))
  if (typeof secret === 'string') throw new FileRefused(file, new Error(secret))
  return secret
}

/** Changes with the configuration of a connection and with what the files that it names hold. */
export function connectionDigest(
  config: unknown,
  tls: UpstreamTls | undefined,
  secrets: readonly (Secret | undefined)[] = [],
): string {
  const hash = createHash('sha256')
  const revealed = secrets.map((secret) => secret?.reveal())
  for (const part of [JSON.stringify(config), tls?.ca, tls?.certificate, tls?.key, ...revealed])
    hash.update(part ?? '').update('\0')
  return hash.digest('hex')
}

/** An empty bundle would mean the system's roots to some and nobody to others: neither is what was configured. */
function readAuthorities(file: string): Buffer {
  const bytes = readFileSync(file)
  naming(file, () => certificatesOf(bytes))
  return bytes
}

function readCertificate(file: string, now: number): Buffer {
  const bytes = readFileSync(file)
  naming(file, () => {
    const [leaf] = certificatesOf(bytes)
    if (leaf === undefined || leaf.validToDate.getTime() <= now) throw new Error('has expired')
    if (leaf.validFromDate.getTime() > now) throw new Error('is not valid yet')
  })
  return bytes
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Every block must be whole: a bundle that was cut short has lost somebody. */
function certificatesOf(bytes: Buffer): X509Certificate[] {
  const text = bytes.toString('latin1')
  const blocks = text.match(BLOCK) ?? []
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1
  if (blocks.length === 0 || blocks.length !== begun) throw new Error('is not a PEM file with certificates')
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    throw new Error('holds a certificate that cannot be read')
  }
}

function tryContext({ ca, certificate, key }: UpstreamTls): void {
  try {
    createSecureContext({ ca, ...(certificate ? { cert: certificate } : {}), ...(key ? { key } : {}) })
  } catch {
    // What OpenSSL says of a key is not repeated.
    throw new Error('does not go with the other TLS files beside it, or cannot be read')
  }
}
