import { generateKeyPairSync } from 'node:crypto'
import fastifyJwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Expectation, VerifyWithLibrary } from '../src/identity/library.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The second verifier of bearer tokens: @fastify/jwt. */
    verifyWithLibrary: VerifyWithLibrary
  }
}

/**
 * Registers @fastify/jwt and offers it as the second verifier. Its own settings hold a public key whose private half
 * was never kept, so code that verifies without naming a key (`request.jwtVerify()`) accepts no token at all.
 * Its cache stays off: ours asks dates, binding and revocation again at each use.
 */
export const bearerToken = fastifyPlugin(
  async (app: FastifyInstance): Promise<void> => {
    const { publicKey } = generateKeyPairSync('ed25519')
    await app.register(fastifyJwt, {
      secret: { public: publicKey.export({ type: 'spki', format: 'pem' }).toString() },
      verify: { algorithms: ['EdDSA'], cache: false, requiredClaims: [...requiredClaims] },
    })
    app.decorate('verifyWithLibrary', libraryVerifier(app))
  },
  { name: 'sallyport-bearer-token', fastify: '5.x' },
)

/** Without this list fast-jwt accepts a token that lacks the claim which another option restricts (measured). */
const requiredClaims = ['iss', 'aud', 'exp', 'sub'] as const

function libraryVerifier(app: FastifyInstance): VerifyWithLibrary {
  return (token, expectation) => app.jwt.verify<object>(token, verifyOptions(expectation))
}

function verifyOptions({ key, algorithm, issuer, audience, clockToleranceMs, now }: Expectation) {
  return {
    key,
    algorithms: [algorithm],
    allowedIss: issuer,
    allowedAud: audience,
    requiredClaims: [...requiredClaims],
    clockTolerance: clockToleranceMs,
    clockTimestamp: now,
    cache: false,
  }
}
