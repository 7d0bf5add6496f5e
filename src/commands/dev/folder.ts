import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { signToken } from '../token.ts'
import { type Authority, issueServer, makeAuthority } from './authority.ts'
import {
  auditFolder,
  configFolder,
  devKeyId,
  pseudonymKeyFile,
  quotaFolder,
  signingKeyFile,
  tokenFile,
} from './names.ts'

/** What the simulated model server needs to speak the same mutual TLS as a real one would. */
export interface UpstreamSecrets {
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string }
  readonly apiKey: string
}

/** Longer than a configuration check warns about. */
const LIFETIME_MS = 30 * 24 * 3_600_000
const TOKEN_LIFETIME_SECONDS = 3_600

/** Makes everything under the folder anew, owner-only: what an earlier run left there is replaced. */
export async function makeFolder(directory: string): Promise<UpstreamSecrets> {
  const write = writerIn(directory)
  for (const folder of ['', auditFolder, quotaFolder, configFolder, join(configFolder, 'tls')]) {
    mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 })
  }
  const lasting = lastingFrom(Date.now())
  const [serverCa, clientCa, upstreamCa] = (await Promise.all(
    ['server', 'client', 'upstream'].map((name) => makeAuthority(`Sallyport throw-away ${name} CA`, lasting)),
  )) as [Authority, Authority, Authority]
  await writeTraffic(write, serverCa, clientCa)
  writeIssuer(write)
  write(`${configFolder}/${pseudonymKeyFile}`, `${randomBytes(32).toString('base64')}\n`)
  return await writeUpstream(write, upstreamCa)
}

const lastingFrom = (nowMs: number) => ({ notAfter: new Date(nowMs + LIFETIME_MS) })

type Write = (file: string, text: string) => void

const writerIn =
  (directory: string): Write =>
  (file, text) =>
    writeFileSync(join(directory, file), text, { mode: 0o600 })

async function writeTraffic(write: Write, serverCa: Authority, clientCa: Authority): Promise<void> {
  const lasting = lastingFrom(Date.now())
  const server = await issueServer(serverCa, [], lasting)
  const client = await clientCa.issue({
    ...lasting,
    subject: 'CN=developer',
    uris: ['spiffe://sallyport.test/developer'],
  })
  write('ca.crt', serverCa.cert)
  write('client.crt', client.cert)
  write('client.key', client.key)
  write('config/tls/server.crt', server.cert)
  write('config/tls/server.key', server.key)
  write('config/tls/client-ca.crt', clientCa.cert)
  write('config/tls/client-ca.crl', await clientCa.crl({ nextUpdate: lasting.notAfter }))
  write('config/revocations.json', `${JSON.stringify({ revoked: [] }, null, 2)}\n`)
}

function writeIssuer(write: Write): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: devKeyId, alg: 'ES256', use: 'sig' }
  write(signingKeyFile, pem)
  write('config/issuer.jwks.json', `${JSON.stringify({ keys: [jwk] }, null, 2)}\n`)
  const { jwt } = signToken(pem, {
    subject: 'developer',
    tenant: 'demo',
    role: ['app'],
    lifetime: TOKEN_LIFETIME_SECONDS,
  })
  write(tokenFile, jwt)
}

async function writeUpstream(write: Write, ca: Authority): Promise<UpstreamSecrets> {
  const lasting = lastingFrom(Date.now())
  const server = await issueServer(ca, [], lasting)
  const gateway = await ca.issue({ ...lasting, subject: 'CN=sallyport' })
  const apiKey = `sk-upstream-${randomBytes(24).toString('base64url')}`
  write('config/tls/upstream-ca.crt', ca.cert)
  write('config/tls/upstream-client.crt', gateway.cert)
  write('config/tls/upstream-client.key', gateway.key)
  write('config/upstream.key', apiKey)
  return { tls: { cert: server.cert, key: server.key, ca: ca.cert }, apiKey }
}
