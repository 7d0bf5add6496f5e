import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { devAudience, devIssuer, devKeyId, signingKeyFile } from './dev/names.ts'
import { CommandFailed, type ExitCode, exitCodes, type Surroundings } from './surroundings.ts'

export interface TokenOptions {
  readonly directory: string
  readonly subject: string
  readonly tenant: string
  readonly role: readonly string[]
  /** Seconds from now; negative for a token that has expired. */
  readonly lifetime: number
  /** PEM file of the client certificate that alone may use the token. */
  readonly bind?: string
  readonly json?: boolean
}

/** `sallyport token`: a bearer token that a gateway started by `sallyport dev` accepts. */
export async function token(options: TokenOptions, { out }: Surroundings): Promise<ExitCode> {
  const path = join(options.directory, signingKeyFile)
  if (!existsSync(path)) throw new CommandFailed(`${path} is missing. Start the gateway once: npm start`)
  const { jwt, claims } = signToken(readFileSync(path), options)
  out(options.json ? `${JSON.stringify({ token: jwt, claims }, null, 2)}\n` : `${jwt}\n`)
  return exitCodes.ok
}

/** A compact JWS (RFC 7515), ES256, over the claims of RFC 7519 and RFC 8705 section 3.1. */
export function signToken(
  keyPem: string | Buffer,
  options: Omit<TokenOptions, 'directory' | 'json'>,
): { jwt: string; claims: object } {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: devIssuer,
    aud: devAudience,
    sub: options.subject,
    tenant: options.tenant,
    roles: options.role,
    iat: Math.min(now, now + options.lifetime - 1),
    exp: now + options.lifetime,
    jti: randomUUID(),
    ...(options.bind === undefined ? {} : { cnf: { 'x5t#S256': thumbprint(options.bind) } }),
  }
  const input = `${encode({ alg: 'ES256', kid: devKeyId, typ: 'at+jwt' })}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(input), {
    key: createPrivateKey(keyPem),
    dsaEncoding: 'ieee-p1363',
  })
  return { jwt: `${input}.${signature.toString('base64url')}`, claims }
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function thumbprint(path: string): string {
  const { fingerprint256 } = readCertificate(path)
  return Buffer.from(fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
}

function readCertificate(path: string): X509Certificate {
  try {
    return new X509Certificate(readFileSync(path))
  } catch {
    throw new CommandFailed(`${path} is not a certificate in PEM that can be read.`)
  }
}
