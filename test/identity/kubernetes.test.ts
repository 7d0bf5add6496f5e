import t from 'tap'
import { createIdentity } from '../../src/identity/identity.ts'
import type { IssuerOptions } from '../../src/identity/issuer.ts'
import { kubernetesIsConsistent } from '../../src/identity/kubernetes.ts'
import { noRevocations } from '../../src/identity/revocation.ts'
import { FakeClock } from './fake-clock.ts'
import { fingerprintA, jwksOf, makeKey, peerWith, refusedAs, signToken } from './token-maker.ts'

const now = 1_800_000_000_000
const seconds = now / 1000
const key = makeKey('cluster-key')
const issuer = 'https://kubernetes.default.svc.cluster.local'
const header = { alg: 'ES256', kid: key.kid } // the API server writes no typ

/** The shape of a projected ServiceAccount token. */
const projected = {
  aud: ['sallyport'],
  exp: seconds + 3607,
  iat: seconds,
  iss: issuer,
  jti: '1a6b7c3e-7a0c-4a3f-9a55-6d8a7f8f3d11',
  'kubernetes.io': {
    namespace: 'team-a',
    node: { name: 'node-1', uid: 'e0f8a3a2-0b51-4f0a-b7d0-5a2a9c1d0001' },
    pod: { name: 'app-6f5d', uid: 'e0f8a3a2-0b51-4f0a-b7d0-5a2a9c1d0002' },
    serviceaccount: { name: 'app', uid: 'e0f8a3a2-0b51-4f0a-b7d0-5a2a9c1d0003' },
    warnafter: seconds + 3607,
  },
  nbf: seconds,
  sub: 'system:serviceaccount:team-a:app',
}

function send(claims: object, more: { tenant?: string } = {}) {
  // What src/gateway/issuers.ts makes of an issuer of kind: kubernetes, as docs/operations/tokens.md configures it.
  const options: IssuerOptions = {
    name: 'cluster',
    issuer,
    audience: 'sallyport',
    audienceMayBeList: true,
    algorithms: ['RS256', 'ES256'],
    keys: { kind: 'file', read: () => jwksOf(key) },
    typeMayBeAbsent: true,
    tokenLifetimeSecondsMax: 86_400,
    mapping: {
      tenant: more.tenant === undefined ? { path: ['kubernetes.io', 'namespace'] } : { fixed: more.tenant },
      roles: ['sub'],
      roleMap: { 'system:serviceaccount:team-a:app': 'chat' },
    },
    isConsistent: kubernetesIsConsistent,
  }
  const identity = createIdentity({
    issuers: [options],
    verifyWithLibrary: () => claims,
    revocations: () => noRevocations,
    clock: new FakeClock(now),
  })
  return identity.authenticate(`Bearer ${signToken(key, claims, header)}`, peerWith(fingerprintA))
}

t.test('a projected token is its ServiceAccount', async (t) => {
  const principal = await send(projected)
  t.equal(principal.id, 'cluster/system:serviceaccount:team-a:app')
  t.equal(principal.tenant, 'team-a')
  t.same(principal.roles, ['chat'])
  t.equal((await send(projected, { tenant: 'everyone' })).tenant, 'everyone')
})

t.test('an account that no role names has none', async (t) => {
  const other = {
    ...projected,
    sub: 'system:serviceaccount:team-a:other',
    'kubernetes.io': { namespace: 'team-a', serviceaccount: { name: 'other' } },
  }
  t.same((await send(other)).roles, [])
})

t.test('claims that do not agree with sub are refused', async (t) => {
  const refused = refusedAs('bad_claim')
  await t.rejects(send({ ...projected, sub: 'system:serviceaccount:kube-system:app' }), refused)
  await t.rejects(send({ ...projected, sub: 'system:node:node-1' }), refused)
  await t.rejects(send({ ...projected, 'kubernetes.io': undefined }), refused)
  const colon = { namespace: 'team-a:app', serviceaccount: { name: 'x' } }
  const sub = 'system:serviceaccount:team-a:app:x'
  await t.rejects(send({ ...projected, sub, 'kubernetes.io': colon }), refused)
})

t.test('legacy tokens and those for the API server are refused', async (t) => {
  const { exp, ...endless } = projected
  t.ok(exp)
  await t.rejects(send(endless), refusedAs('missing_claim'))
  await t.rejects(send({ ...endless, iss: 'kubernetes/serviceaccount' }), refusedAs('unknown_issuer'))
  await t.rejects(send({ ...projected, aud: [issuer] }), refusedAs('wrong_audience'))
  const year = { ...projected, exp: seconds + 31_536_000 }
  await t.rejects(send(year), refusedAs('lifetime_too_long'), 'an hour stretched to a year for old clients')
})
