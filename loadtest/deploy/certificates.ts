// Throw-away certificates of a deploy: an authority for the server, one for its callers, and a leaf of each. Authorities
// bear names of their own, since two of one name cannot stand in one bundle without key identifiers.
import 'reflect-metadata'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const HOUR_MS = 3_600_000
const LIFETIME_MS = 30 * 24 * HOUR_MS
const eku = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' }

/** Node's types have no global of that name. */
interface CryptoKeyPair {
  readonly publicKey: CryptoKey
  readonly privateKey: CryptoKey
}

interface Authority {
  readonly subject: string
  readonly privateKey: CryptoKey
  readonly pem: string
}

/** Fills a folder: `ca.crt`, `client.crt` and `client.key` for callers; `server.crt`, `server.key`, `client-ca.crt`. */
export async function makeSecrets(folder: string, name: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const put = (file: string, text: string): void => writeFileSync(join(folder, file), text, { mode: 0o600 })
  const [servers, callers] = [await authorityOf(`${name} servers`), await authorityOf(`${name} callers`)]
  const names = [
    { type: 'dns', value: 'localhost' },
    { type: 'ip', value: '127.0.0.1' },
  ] as const
  const server = await leaf(servers, 'localhost', eku.server, names)
  const client = await leaf(callers, 'caller', eku.client, [
    { type: 'url', value: 'spiffe://load.test/caller' },
  ])
  put('ca.crt', servers.pem)
  put('server.crt', server.cert)
  put('server.key', server.key)
  put('client-ca.crt', callers.pem)
  put('client.crt', client.cert)
  put('client.key', client.key)
}

async function authorityOf(name: string): Promise<Authority> {
  const keys = await newKeys()
  const subject = `CN=${name}`
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    serialNumber: serial(),
    name: subject,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
    ],
  })
  return { subject, privateKey: keys.privateKey, pem: `${certificate.toString('pem')}\n` }
}

async function leaf(
  { subject: issuer, privateKey }: Authority,
  name: string,
  purpose: string,
  names: readonly { readonly type: 'dns' | 'ip' | 'url'; readonly value: string }[],
): Promise<{ cert: string; key: string }> {
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(),
    serialNumber: serial(),
    subject: `CN=${name}`,
    issuer,
    publicKey: keys.publicKey,
    signingKey: privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([purpose]),
      new x509.SubjectAlternativeNameExtension([...names]),
    ],
  })
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const lines = pkcs8.replaceAll(/.{1,64}/g, '$&\n')
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${lines}-----END PRIVATE KEY-----\n`,
  }
}

const newKeys = async (): Promise<CryptoKeyPair> =>
  (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as CryptoKeyPair
const validity = () => ({
  notBefore: new Date(Date.now() - HOUR_MS),
  notAfter: new Date(Date.now() + LIFETIME_MS),
})
/** Positive, as RFC 5280 section 4.1.2.2 wants it. */
const serial = (): string => `4${Buffer.from(crypto.getRandomValues(new Uint8Array(15))).toString('hex')}0`
