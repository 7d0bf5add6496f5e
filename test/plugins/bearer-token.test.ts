import { sign } from 'node:crypto'
import { fastify } from 'fastify'
import t from 'tap'
import { bearerToken } from '../../plugins/bearer-token.ts'
import { createIdentity } from '../../src/identity/identity.ts'
import type { IssuerOptions } from '../../src/identity/issuer.ts'
import { noRevocations } from '../../src/identity/revocation.ts'
import { Refusal } from '../../src/refusal.ts'
import { FakeClock } from '../identity/fake-clock.ts'
import {
  encode,
  fingerprintA,
  goodClaims,
  headerOf,
  issuerOptions,
  issuerUrl,
  makeKey,
  peerWith,
  signToken,
} from '../identity/token-maker.ts'

const app = fastify()
await app.register(bearerToken)
t.teardown(() => app.close())

const now = 1_800_000_000_000
const seconds = now / 1000
const k1 = makeKey('k1')
const evil = makeKey('k1')

function start(more: Partial<IssuerOptions> = {}) {
  const clock = new FakeClock(now)
  const identity = createIdentity({
    issuers: [issuerOptions([k1], more)],
    verifyWithLibrary: app.verifyWithLibrary,
    revocations: () => noRevocations,
    clock,
  })
  return { clock, send: (token: string) => identity.authenticate(`Bearer ${token}`, peerWith(fingerprintA)) }
}

const { send } = start()
const good = (more: object = {}) => signToken(k1, goodClaims(now, more))
const raw = (name: string, json: string) => {
  const { [name]: dropped, ...rest } = goodClaims(now)
  t.ok(dropped, `${name} is among the claims`)
  return signToken(k1, `${JSON.stringify(rest).slice(0, -1)},"${name}":${json}}`)
}
const without = (name: string) => {
  const { [name]: dropped, ...rest } = goodClaims(now)
  t.ok(dropped, `${name} is among the claims`)
  return signToken(k1, rest)
}
const withHeader = (more: object, key = k1) => signToken(key, goodClaims(now), { ...headerOf(key), ...more })
const unsigned = (alg: string, signature: string) =>
  `${encode({ ...headerOf(k1), alg })}.${encode(goodClaims(now))}.${signature}`

t.test('good tokens pass both verifiers', async (t) => {
  t.equal((await send(good())).id, 'idp/a')
  t.equal((await send(good({ nbf: seconds + 20, iat: seconds + 20 }))).subject, 'a')
  t.equal((await send(without('iat'))).issuedAt, undefined)
  t.equal((await send(without('jti'))).tokenId, undefined)
})

t.test('every algorithm that can be configured passes both verifiers', async (t) => {
  const { generateKeyPairSync, constants } = await import('node:crypto')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
  const pairs = {
    EdDSA: generateKeyPairSync('ed25519'),
    ES256: ec('P-256'),
    ES384: ec('P-384'),
    ES512: ec('P-521'),
    PS256: rsa,
    PS384: rsa,
    PS512: rsa,
    RS256: rsa,
    RS384: rsa,
    RS512: rsa,
  } as const
  for (const [alg, { privateKey, publicKey }] of Object.entries(pairs)) {
    const digest = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363', ...(alg.startsWith('PS') ? pss : {}) } as const
    const input = `${encode({ alg, typ: 'JWT' })}.${encode(goodClaims(now))}`
    const token = `${input}.${sign(digest, Buffer.from(input), key).toString('base64url')}`
    const pem = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }).toString())
    const issuer = start({ algorithms: [alg as keyof typeof pairs], keys: { kind: 'file', read: () => pem } })
    t.equal((await issuer.send(token)).id, 'idp/a', alg)
  }
})

const list = (aud: string) => raw('aud', aud)
const signatureOf = (bytes: Buffer) => {
  const input = `${encode(headerOf(k1))}.${encode(goodClaims(now))}`
  return `${input}.${bytes.toString('base64url')}`
}
const derOf = () => {
  const input = `${encode(headerOf(k1))}.${encode(goodClaims(now))}`
  return `${input}.${sign('sha256', Buffer.from(input), k1.privateKey).toString('base64url')}`
}
const claimsJson = JSON.stringify(goodClaims(now))
const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')

/** The measured weak spots of JWT libraries; with some of these the library alone ends in a 500. */
const hostile: Readonly<Record<string, string>> = {
  'alg none, no signature': unsigned('none', ''),
  'alg nOnE': unsigned('nOnE', ''),
  'alg none, some signature': unsigned('none', Buffer.alloc(64, 1).toString('base64url')),
  'alg HS256 in lower case': unsigned('hs256', Buffer.alloc(32, 1).toString('base64url')),
  'another algorithm': withHeader({ alg: 'ES384' }),
  'a key in the header': withHeader({ jwk: evil.jwk }, evil),
  'a key set address in the header': withHeader({ jku: 'https://127.0.0.1:1/jwks' }, evil),
  'a certificate address in the header': withHeader({ x5u: 'https://127.0.0.1:1/x5u' }, evil),
  'a certificate in the header': withHeader({ x5c: ['AAAA'] }, evil),
  'the key of somebody else': withHeader({}, evil),
  'an unknown critical extension': withHeader({ crit: ['x'], x: 1 }),
  'an unencoded payload': withHeader({ crit: ['b64'], b64: false }),
  'a key id that is a path': withHeader({ kid: '../../dev/null' }),
  'a key id that is a statement': withHeader({ kid: "' OR 1=1 --" }),
  'no type': signToken(k1, goodClaims(now), { alg: 'ES256', kid: 'k1' }),
  'another type': withHeader({ typ: 'logout+jwt' }),
  'expired 61 s ago': good({ iat: seconds - 400, exp: seconds - 61 }),
  'expired 1 s ago': good({ iat: seconds - 400, exp: seconds - 1 }),
  'no exp': without('exp'),
  'exp as text': raw('exp', '"9999999999"'),
  'exp 1e400': raw('exp', '1e400'),
  'exp 1e20': raw('exp', '1e20'),
  'exp null': raw('exp', 'null'),
  'exp as list': raw('exp', `[${seconds + 60}]`),
  'exp -1': raw('exp', '-1'),
  'nbf in the future': good({ nbf: seconds + 31 }),
  'iat in the far future': good({ iat: seconds + 10_000, exp: seconds + 10_300 }),
  'a life of a year': good({ exp: seconds + 31_536_000 }),
  'no aud': without('aud'),
  'an empty list as aud': list('[]'),
  'another aud': list('"other"'),
  'a number as aud': list('5'),
  'an object as aud': list('{"0":"gw"}'),
  'a list as aud where none is allowed': list('["x","gw"]'),
  'no iss': without('iss'),
  'a list as iss': raw('iss', `["https://evil.test","${issuerUrl}"]`),
  'another iss': good({ iss: 'https://evil.test' }),
  'no sub': without('sub'),
  'sub as number': raw('sub', '5'),
  'a list as payload': signToken(k1, `[${claimsJson}]`),
  'a text as payload': signToken(k1, '"x"'),
  'null as payload': signToken(k1, 'null'),
  'no payload': signToken(k1, ''),
  'a byte order mark': signToken(k1, `\ufeff${claimsJson}`),
  'sub twice': signToken(k1, claimsJson.replace('"sub":"a"', '"sub":"a","sub":"admin"')),
  'sub twice, one escaped': signToken(k1, claimsJson.replace('"sub":"a"', '"sub":"a","\\u0073ub":"admin"')),
  'a __proto__ member': signToken(k1, claimsJson.replace('{', '{"__proto__":{"scope":"admin"},')),
  'a DER signature': derOf(),
  'r and s zero': signatureOf(Buffer.alloc(64)),
  'r the order of the curve': signatureOf(Buffer.concat([order, Buffer.alloc(32, 1)])),
  'a space in the signature': `${good().slice(0, -4)} ${good().slice(-4)}`,
  'four parts': `${good()}.x`,
  'the five parts of a JWE': 'eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA',
  'one part': 'abc',
  'a demand for another proof': good({ cnf: { jkt: 'x' } }),
  'another certificate': good({ cnf: { 'x5t#S256': 'B'.repeat(43) } }),
}

t.test('hostile tokens are a Refusal with the same public text, and nothing else', async (t) => {
  for (const [name, token] of Object.entries(hostile)) {
    const error: unknown = await send(token).then(
      () => 'accepted',
      (thrown) => thrown,
    )
    t.ok(error instanceof Refusal && error.code === 'invalid_token' && error.row.status === 401, name)
    t.ok(error instanceof Refusal && /^[a-z_]{5,30}$/.test(error.detail), `${name}: a machine code`)
  }
})

t.test('a list as aud passes where the issuer allows it', async (t) => {
  const { send: sendList } = start({ audienceMayBeList: true })
  t.equal((await sendList(list('["x","gw"]'))).subject, 'a')
})

t.test('a token without iat is refused after its exp though it was accepted before', async (t) => {
  const { clock, send: sendLater } = start()
  const { iat, ...timeless } = goodClaims(now, { exp: seconds + 10 })
  t.ok(iat)
  const token = signToken(k1, timeless)
  t.equal((await sendLater(token)).subject, 'a')
  await clock.advance(12_000)
  await t.rejects(sendLater(token), { code: 'invalid_token', detail: 'expired' })
})

t.test('the library alone refuses what it must, so that it is a second opinion', async (t) => {
  const issuer = issuerOptions([k1])
  if (issuer.keys.kind !== 'file') return t.bailout('keys from a file expected')
  const { parseKeySet } = await import('../../src/identity/key-set.ts')
  const key = parseKeySet(issuer.keys.read()).choose('k1')?.pem ?? ''
  const expectation = {
    key,
    algorithm: 'ES256' as const,
    issuer: issuerUrl,
    audience: 'gw',
    clockToleranceMs: 0,
    now,
  }
  const verify = (token: string, more: object = {}) =>
    app.verifyWithLibrary(token, { ...expectation, ...more })
  t.match(verify(good()), { sub: 'a', iss: issuerUrl })
  for (const name of [
    'alg none, no signature',
    'the key of somebody else',
    'no aud',
    'no iss',
    'no sub',
    'no exp',
  ]) {
    t.throws(() => verify(hostile[name] ?? ''), name)
  }
  t.throws(() => verify(good(), { algorithm: 'HS256' }), 'an algorithm that no issuer may use')
  t.throws(() => verify(good(), { key: '' }), 'no key')
  t.throws(() => verify(good(), { now: now + 301_000 }), 'after exp')
})

t.test('the plugin’s own default accepts no token at all', async (t) => {
  t.throws(() => app.jwt.verify(good()))
  t.throws(() => app.jwt.verify(unsigned('none', '')))
  t.throws(() => app.jwt.sign({ sub: 'a' }), 'and signs none')
})
