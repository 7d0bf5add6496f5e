// Pods call with their projected ServiceAccount tokens: no secret is shared, the account decides the role, and a token
// that was meant for the API server or another service is worth nothing here.
import t from 'tap'
import { callerOf, codeOf, put, recordsOf, type Section } from '../support/flow.ts'
import { jwksOf, makeIssuer } from '../support/issuer.ts'
import { startStack, until } from '../support/stack.ts'

const cluster = makeIssuer('k8s-1', { iss: 'https://kubernetes.default.svc.cluster.local' })
const account = 'system:serviceaccount:shop:assistant'
const issuer = {
  name: 'cluster',
  kind: 'kubernetes',
  issuer: 'https://kubernetes.default.svc.cluster.local',
  audience: 'sallyport',
  audienceMayBeList: true,
  typeMayBeAbsent: true,
  algorithms: ['ES256'],
  tokenLifetimeSecondsMax: 86_400,
  keys: { file: 'cluster.jwks' },
  claims: { tenant: ['kubernetes.io', 'namespace'], roles: ['sub'], roleMap: { [account]: 'app' } },
}
const stack = await startStack({
  files: { 'config/cluster.jwks': jwksOf(cluster) },
  gateway: { identity: { issuers: [issuer] } },
})
t.teardown(() => stack.stop())
const caller = callerOf(stack)
t.teardown(() => caller.close())

/** The claims of a pod's token, as the API server writes them (TokenRequest, bound to a pod). */
const boundTo = (namespace: string, name: string): Section => ({
  namespace,
  node: { name: 'node-1', uid: '5a0d2a3c' },
  pod: { name: `${name}-7d9f`, uid: '0c7c2d52' },
  serviceaccount: { name, uid: '14ee3fa4' },
  warnafter: 1_767_229_207,
})
function podToken(claims: Section = {}, header: Section = {}): string {
  return cluster.token({
    subject: account,
    lifetimeSeconds: 3_607,
    header: { typ: undefined, ...header },
    claims: {
      aud: ['sallyport'],
      jti: '7b1c',
      nbf: Math.floor(Date.now() / 1000),
      tenant: undefined,
      roles: undefined,
      'kubernetes.io': boundTo('shop', 'assistant'),
      ...claims,
    },
  })
}
const verdict = async (token: string): Promise<string> => {
  const reply = await caller.chat({}, token)
  return reply.status === 200 ? '200' : `${reply.status} ${await codeOf(reply)}`
}

t.test('a mapped account is served, as the tenant of its namespace', async (t) => {
  t.equal(await verdict(podToken()), '200')
  await until(() => recordsOf(stack, 'exchange.admitted').length === 1)
  t.match(recordsOf(stack, 'exchange.admitted')[0], {
    principal: `cluster/${account}`,
    tenant: 'shop',
    roles: ['app'],
    token_id: '7b1c',
  })
})

t.test('an account that is in no map has no role', async (t) => {
  const sub = 'system:serviceaccount:shop:other'
  t.equal(
    await verdict(podToken({ sub, 'kubernetes.io': boundTo('shop', 'other') })),
    '403 insufficient_scope',
  )
  const elsewhere = 'system:serviceaccount:shop2:assistant'
  const claims = { sub: elsewhere, 'kubernetes.io': boundTo('shop2', 'assistant') }
  t.equal(await verdict(podToken(claims)), '403 insufficient_scope')
})

const hour = 3_600
const now = Math.floor(Date.now() / 1000)
const refused: Record<string, string> = {
  'the audience of the API server': podToken({ aud: ['https://kubernetes.default.svc.cluster.local'] }),
  'the audience of another service': podToken({ aud: ['vault'] }),
  'no audience': podToken({ aud: [] }),
  'bound claims of another account': podToken({ 'kubernetes.io': boundTo('shop', 'other') }),
  'bound claims of another namespace': podToken({ 'kubernetes.io': boundTo('attic', 'assistant') }),
  'no bound claims': podToken({ 'kubernetes.io': undefined }),
  'a token from before projected volumes: no end': podToken({ exp: undefined }),
  'its old issuer': podToken({ iss: 'kubernetes/serviceaccount' }),
  'the year that the API server grants to old clients': podToken({ exp: now + 365 * 24 * hour }),
  'past its end': podToken({ iat: now - 2 * hour, nbf: now - 2 * hour, exp: now - hour }),
  'before its beginning': podToken({ nbf: now + hour }),
  'another kind of token': podToken({}, { typ: 'logout+jwt' }),
}
for (const [why, token] of Object.entries(refused)) {
  t.test(`refused: ${why}`, async (t) => {
    t.equal(await verdict(token), '401 invalid_token')
    const reason = recordsOf(stack, 'exchange.ended').at(-1)?.['reason']
    t.type(reason, 'string')
    t.notMatch(reason, /serviceaccount:/)
  })
}

t.test('the cluster turns its key over', async (t) => {
  const next = makeIssuer('k8s-2', { iss: 'https://kubernetes.default.svc.cluster.local' })
  put(stack, 'cluster.jwks', jwksOf(next))
  await until(async () => (await verdict(podToken())) === '401 invalid_token')
  const claims = { aud: ['sallyport'], 'kubernetes.io': boundTo('shop', 'assistant') }
  t.equal(await verdict(next.token({ subject: account, header: { typ: undefined }, claims })), '200')
})
