import t from 'tap'
import { createIdentity, type IdentityOptions } from '../../src/identity/identity.ts'
import type { VerifyWithLibrary } from '../../src/identity/library.ts'
import { noRevocations, parseRevocations, type Revocations } from '../../src/identity/revocation.ts'
import { FakeClock } from './fake-clock.ts'
import { SimulatedFetcher } from './simulated-fetcher.ts'
import {
  fingerprintA,
  fingerprintB,
  goodClaims,
  headerOf,
  issuerOptions,
  issuerUrl,
  jwksOf,
  makeKey,
  peerWith,
  refusedAs,
  signToken,
} from './token-maker.ts'

const now = 1_800_000_000_000
const k1 = makeKey('k1')
const peer = peerWith(fingerprintA)

/** Stands for the second verifier and counts how often it is asked; the real one is in test/plugins. */
function simulatedLibrary() {
  const state = { calls: 0 }
  const verify: VerifyWithLibrary = (token) => {
    state.calls += 1
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  }
  return { state, verify }
}

function start(more: Partial<IdentityOptions> = {}) {
  const clock = new FakeClock(now)
  const library = simulatedLibrary()
  const identity = createIdentity({
    issuers: [issuerOptions([k1])],
    verifyWithLibrary: library.verify,
    revocations: () => noRevocations,
    clock,
    ...more,
  })
  const send = (token: string, from = peer) => identity.authenticate(`Bearer ${token}`, from)
  return { clock, identity, send, calls: library.state }
}

const good = (more: object = {}) => signToken(k1, goodClaims(now, more))

t.test('a good token makes a principal', async (t) => {
  const { identity, send } = start()
  t.same(await send(good()), {
    id: 'idp/a',
    issuer: 'idp',
    subject: 'a',
    tenant: 'blue',
    roles: ['chat'],
    tokenScopes: undefined,
    tokenId: 'j1',
    expiresAt: now + 300_000,
    issuedAt: now,
    certificate: peer,
    bound: false,
  })
  t.ok(identity.keysReady)
  t.same([...identity.ages], [['idp', 0]])
  await identity.close()
})

t.test('no header, and a header that is no bearer token', async (t) => {
  const { identity } = start()
  await t.rejects(identity.authenticate(undefined, peer), { code: 'missing_token' })
  await t.rejects(identity.authenticate('Basic eDp5', peer), refusedAs('bad_authorization'))
})

t.test('a token is verified once and remembered, no longer than it lives', async (t) => {
  const { clock, send, calls } = start()
  const { iat, ...timeless } = goodClaims(now, { exp: now / 1000 + 40 })
  t.ok(iat)
  const token = signToken(k1, timeless)
  await send(token)
  await clock.advance(39_000)
  await send(token)
  t.equal(calls.calls, 1)
  await clock.advance(2000)
  await t.rejects(
    send(token),
    refusedAs('expired'),
    'fast-jwt accepted this from its cache (CVE-2026-107719)',
  )
})

t.test('a remembered token is still held to the dates when the wall clock jumps', async (t) => {
  const { clock, send, calls } = start()
  const token = good()
  await send(token)
  clock.setWall(now + 300_000)
  await t.rejects(send(token), refusedAs('expired'))
  t.equal(calls.calls, 1)
})

t.test('a remembered token is still held to its certificate', async (t) => {
  const { send, calls } = start()
  const token = good({ cnf: { 'x5t#S256': fingerprintA } })
  t.equal((await send(token)).bound, true)
  await t.rejects(send(token, peerWith(fingerprintB)), refusedAs('wrong_certificate'))
  t.equal(calls.calls, 1)
})

t.test('a remembered token is still held to the revocation list', async (t) => {
  let list: Revocations = noRevocations
  const { send, calls } = start({ revocations: () => list })
  const token = good()
  await send(token)
  const revoke = (entry: object) => {
    list = parseRevocations(Buffer.from(JSON.stringify({ revoked: [entry] })))
  }
  revoke({ jti: 'j1' })
  await t.rejects(send(token), { code: 'token_revoked', detail: 'revoked_token' })
  revoke({ issuer: 'idp', subject: 'a', issuedBefore: now / 1000 + 1 })
  await t.rejects(send(token), { code: 'token_revoked', detail: 'revoked_subject' })
  revoke({ certificate: fingerprintA })
  await t.rejects(send(token), { code: 'token_revoked', detail: 'revoked_certificate' })
  revoke({ jti: 'j2' })
  await send(token)
  t.equal(calls.calls, 1)
})

t.test('a remembered token dies with its key', async (t) => {
  let bytes = jwksOf(k1)
  const { identity, send } = start({
    issuers: [issuerOptions([], { keys: { kind: 'file', read: () => bytes } })],
  })
  const token = good()
  await send(token)
  bytes = jwksOf(makeKey('k2'))
  await identity.refresh()
  await t.rejects(send(token), refusedAs('unknown_key'))
})

t.test('remembering nothing asks both verifiers each time', async (t) => {
  const { send, calls } = start({ rememberedTokensMax: 0 })
  const token = good()
  await send(token)
  await send(token)
  t.equal(calls.calls, 2)
})

t.test('both verifiers must accept, and read the same', async (t) => {
  const throws: VerifyWithLibrary = () => {
    throw new Error('the token said secret-value')
  }
  const error = await start({ verifyWithLibrary: throws })
    .send(good())
    .catch((thrown: unknown) => thrown)
  t.match(error, refusedAs('library_refused'))
  t.equal((error as Error).cause, undefined, 'what the library said is dropped')
  for (const theirs of [
    undefined,
    null,
    [],
    'x',
    {},
    goodClaims(now, { sub: 'admin' }),
    goodClaims(now, { exp: 5 }),
  ]) {
    const { send } = start({ verifyWithLibrary: () => theirs })
    await t.rejects(send(good()), refusedAs('library_disagrees'), JSON.stringify(theirs))
  }
})

t.test('the second verifier is told exactly what to expect', async (t) => {
  const seen: unknown[] = []
  const verify: VerifyWithLibrary = (_token, { key, ...rest }) => {
    seen.push(rest, key.startsWith('-----BEGIN PUBLIC KEY-----'))
    return goodClaims(now)
  }
  await start({ verifyWithLibrary: verify }).send(good())
  const expected = { algorithm: 'ES256', issuer: issuerUrl, audience: 'gw', clockToleranceMs: 30_000, now }
  t.same(seen, [expected, true])
})

t.test('a bug in a verifier is a refusal, never a 500', async (t) => {
  const broken = () => {
    throw new TypeError('a bug')
  }
  const { send } = start({ revocations: broken })
  await t.rejects(send(good()), refusedAs('verifier_failed'))
})

t.test('each issuer has its own keys, audience and mapping', async (t) => {
  const k2 = makeKey('k1') // the same key id, another key
  const other = { name: 'other', issuer: 'https://other.test', audience: 'gw2' }
  const { send } = start({ issuers: [issuerOptions([k1]), issuerOptions([k2], other)] })
  const theirs = { iss: other.issuer, aud: other.audience }
  t.equal((await send(signToken(k2, goodClaims(now, theirs)))).id, 'other/a')
  t.equal((await send(good())).id, 'idp/a')
  await t.rejects(
    send(signToken(k1, goodClaims(now, theirs))),
    refusedAs('bad_signature'),
    'the key of the other issuer',
  )
  await t.rejects(send(signToken(k2, goodClaims(now))), refusedAs('bad_signature'))
  await t.rejects(send(signToken(k2, goodClaims(now, { iss: other.issuer }))), refusedAs('wrong_audience'))
  for (const iss of [`${issuerUrl}/`, [issuerUrl], null, 5, 'constructor']) {
    await t.rejects(send(good({ iss })), refusedAs('unknown_issuer'), JSON.stringify(iss))
  }
})

t.test('an issuer may demand binding', async (t) => {
  const { send } = start({ issuers: [issuerOptions([k1], { binding: 'mtls' })] })
  await t.rejects(send(good()), refusedAs('not_bound'))
  t.equal((await send(good({ cnf: { 'x5t#S256': fingerprintA } }))).bound, true)
  await t.rejects(send(good({ cnf: { jkt: fingerprintA } })), refusedAs('unsupported_confirmation'))
})

t.test('an algorithm that the key allows and the issuer does not is refused', async (t) => {
  const { send } = start({ issuers: [issuerOptions([k1], { algorithms: ['EdDSA', 'RS256'] })] })
  await t.rejects(send(good()), refusedAs('algorithm_not_allowed'))
  await t.rejects(send(signToken(k1, goodClaims(now), { ...headerOf(k1), typ: 'dpop+jwt' })), {
    code: 'invalid_token',
  })
})

t.test('keys that cannot be had are not the caller’s fault', async (t) => {
  const fetcher = new SimulatedFetcher('down')
  const told: unknown[][] = []
  const keys = { kind: 'url', url: 'https://idp.test/jwks', fetcher } as const
  const { identity, send } = start({
    issuers: [issuerOptions([], { keys })],
    onKeysRefresh: (...event) => told.push(event),
  })
  await identity.refresh()
  t.notOk(identity.keysReady)
  t.same([...identity.ages], [['idp', undefined]])
  await t.rejects(send(good()), { code: 'keys_unavailable' })
  fetcher.answer = jwksOf(k1)
  await identity.refresh()
  t.ok(identity.keysReady)
  t.equal((await send(good())).id, 'idp/a')
  t.same(told, [
    ['idp', 'failed', 'fetch_failed'],
    ['idp', 'changed', undefined],
  ])
  await identity.close()
})

t.test('options that make no sense stop the start', async (t) => {
  const url = (text: string) =>
    ({ keys: { kind: 'url', url: text, fetcher: new SimulatedFetcher('down') } }) as const
  const wrong = [
    { name: 'A' },
    { name: 'a/b' },
    { issuer: '' },
    { issuer: 'kubernetes/serviceaccount' },
    { audience: '' },
    { algorithms: [] },
    { algorithms: ['HS256' as never] },
    { algorithms: ['none' as never] },
    { types: [] },
    { clockSkewSeconds: 61 },
    { clockSkewSeconds: Number.NaN },
    { tokenLifetimeSecondsMax: 0 },
    { mapping: { tenant: { fixed: '' }, roles: ['r'] } },
    { mapping: { tenant: { path: [] }, roles: ['r'] } },
    { mapping: { tenant: { fixed: 'a' }, roles: [] } },
    url('http://idp.test/jwks'),
    url('https://user:pw@idp.test/jwks'),
    url('file:///etc/passwd'),
    url('jwks'),
  ]
  for (const more of wrong) {
    t.throws(() => start({ issuers: [issuerOptions([k1], more)] }), /^issuer: /, JSON.stringify(more))
  }
  const twice = [issuerOptions([k1]), issuerOptions([k1], { name: 'two' })]
  t.throws(() => start({ issuers: twice }), /unique/)
  t.throws(
    () => start({ issuers: [issuerOptions([], { keys: { kind: 'file', read: () => Buffer.from('') } })] }),
    {
      name: 'KeysRefused',
    },
  )
})
