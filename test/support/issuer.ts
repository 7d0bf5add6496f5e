/** A token issuer for tests: a key that signs, the JWKS that verifies, and an https server that serves it. */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Authority, issueServer } from './certificates.ts'
import { type Stack, type TokenOptions, tokenMaker } from './stack.ts'

export interface TestIssuer {
  readonly kid: string
  /** The public key as a member of a JWKS. */
  readonly jwk: Readonly<Record<string, unknown>>
  token(options?: TokenOptions): string
}

export function makeIssuer(kid: string, claims: Readonly<Record<string, unknown>> = {}): TestIssuer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const make: Stack['token'] = tokenMaker(privateKey)
  return {
    kid,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' },
    token: (options = {}) =>
      make({ ...options, header: { kid, ...options.header }, claims: { ...claims, ...options.claims } }),
  }
}

export const jwksOf = (...issuers: readonly TestIssuer[]): string =>
  JSON.stringify({ keys: issuers.map(({ jwk }) => jwk) })

export interface KeyServer {
  readonly url: string
  readonly fetches: () => number
  /** What is served from now on; `undefined` answers 503. */
  serve(jwks: string | undefined): void
  /** Answers nothing any more, and leaves the caller waiting. */
  hang(): void
  close(): Promise<void>
}

/** Serves a JWKS over https, with a certificate of the authority. */
export async function startKeyServer(authority: Authority, jwks: string): Promise<KeyServer> {
  const { cert, key } = await issueServer(authority)
  let served: string | undefined = jwks
  let hanging = false
  let fetches = 0
  const server = createServer({ cert, key }, (_request, response) => {
    fetches += 1
    if (hanging) return
    response.writeHead(served === undefined ? 503 : 200, { 'content-type': 'application/json' })
    response.end(served ?? '{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}/jwks`,
    fetches: () => fetches,
    serve: (next) => {
      served = next
    },
    hang: () => {
      hanging = true
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
