import t from 'tap'
import type { Config } from '../../src/config/load.ts'
import { Identities } from '../../src/gateway/identities.ts'
import type { Revocable } from '../../src/identity/revocation.ts'
import { makeAuthority } from '../support/certificates.ts'
import { jwksOf, makeIssuer, startKeyServer } from '../support/issuer.ts'
import { until } from '../support/stack.ts'
import { configFolder } from './config-folder.ts'

const folder = await configFolder(t)
const config = await folder.load()
const [authority, issuer] = [await makeAuthority('keys'), makeIssuer('k1')]

function make() {
  const changed: string[] = []
  const failed: [string, unknown][] = []
  const events = {
    keysReloaded: (name: string) => void changed.push(name),
    keysUnavailable: (name: string, fault: unknown) => void failed.push([name, fault]),
  }
  const library = () => () => ({})
  const identities = new Identities(library, { events, metrics: { keysRefreshed() {} } } as never)
  t.teardown(() => identities.close())
  return { identities, changed, failed }
}

type Issuer = Config['gateway']['identity']['issuers'][number]
const withIdentity = (changes: Partial<Config['gateway']['identity']>): Config => ({
  ...config,
  gateway: { ...config.gateway, identity: { ...config.gateway.identity, ...changes } },
})
const first = config.gateway.identity.issuers[0] as Issuer

t.test('the same issuers keep their identity, with their keys asked again', async (t) => {
  const { identities, changed } = make()
  const prepared = await identities.prepare(config)
  t.equal(identities.current, undefined, 'not in service before it takes over')
  await prepared.takeOver()()
  t.equal(identities.current, prepared.identity)
  folder.put('issuer.jwks.json', jwksOf(issuer))
  const again = await identities.prepare(config)
  t.equal(again.identity, prepared.identity)
  t.same(changed, ['test'])
  await again.discard()
  t.equal(identities.current, prepared.identity, 'discarding it does not end what serves')
  await again.takeOver()()
  t.equal(identities.current, prepared.identity)
})

t.test('other issuers are another identity, which serves only once it takes over', async (t) => {
  const { identities } = make()
  const before = await identities.prepare(config)
  before.takeOver()
  const next = await identities.prepare(withIdentity({ issuers: [{ ...first, audience: 'other' }] }))
  t.not(next.identity, before.identity)
  t.equal(identities.current, before.identity)
  await next.discard()
  t.equal(identities.current, before.identity)
  const third = await identities.prepare(withIdentity({ issuers: [{ ...first, audience: 'third' }] }))
  await third.takeOver()()
  t.equal(identities.current, third.identity)
})

t.test('a key file that is no good is named, and nothing changes', async (t) => {
  const { identities, changed } = make()
  const before = await identities.prepare(config)
  before.takeOver()
  folder.put('issuer.jwks.json', '{"keys":[{"kty":"oct","k":"bmV2ZXItc2hvd24"}]}')
  await t.rejects(identities.prepare(config), {
    name: 'FileRefused',
    message: /issuer\.jwks\.json: keys refused/,
  })
  t.equal(identities.current, before.identity)
  t.same(changed, [])
  folder.put('issuer.jwks.json', jwksOf(issuer))
})

t.test(
  'keys over https: another authority makes a new fetcher, a slow server holds up no reload',
  async (t) => {
    const server = await startKeyServer(authority, jwksOf(issuer))
    t.teardown(() => server.close())
    folder.put('tls/keys.crt', (await makeAuthority('other')).cert)
    const keys = { url: server.url, ca: folder.source.resolve('tls/keys.crt') }
    const remote = withIdentity({ issuers: [{ ...first, keys }] })
    const { identities, failed } = make()
    const blind = await identities.prepare(remote)
    blind.takeOver()
    t.match(failed[0], ['test', 'fetch_failed'])
    folder.put('tls/keys.crt', authority.cert)
    const seeing = await identities.prepare(remote)
    t.not(seeing.identity, blind.identity)
    t.equal(seeing.identity.keysReady, true)
    await seeing.takeOver()()
    server.hang()
    const fetched = server.fetches()
    t.equal((await identities.prepare(remote)).identity, seeing.identity)
    await until(() => server.fetches() > fetched)
    t.equal(seeing.identity.keysReady, true)
    await identities.close()
  },
)

t.test(
  'keys that were fetched outlive a change of anything else, also while their server is away',
  async (t) => {
    const server = await startKeyServer(authority, jwksOf(issuer))
    t.teardown(() => server.close())
    folder.put('tls/keys.crt', authority.cert)
    const keys = { url: server.url, ca: folder.source.resolve('tls/keys.crt') }
    const remote: Issuer = { ...first, name: 'remote', issuer: 'https://remote.test', keys }
    const { identities } = make()
    const before = await identities.prepare(withIdentity({ issuers: [first, remote] }))
    before.takeOver()
    server.hang()
    const refused = await identities.prepare(withIdentity({ issuers: [{ ...first, audience: 'a' }, remote] }))
    await refused.discard()
    t.equal(before.identity.keysReady, true, 'what was discarded has closed nothing that serves')
    const fetched = server.fetches()
    const next = await identities.prepare(
      withIdentity({ issuers: [first, { ...remote, tokenLifetimeSecondsMax: 60 }] }),
    )
    t.not(next.identity, before.identity)
    t.equal(next.identity.keysReady, true)
    await next.takeOver()()
    await until(() => server.fetches() > fetched)
    t.equal(identities.current?.keysReady, true, 'and they are kept fresh after the old identity is closed')
    const gone = await identities.prepare(withIdentity({ issuers: [first] }))
    const asked = server.fetches()
    await gone.takeOver()()
    await next.identity.refresh()
    t.equal(server.fetches(), asked, 'an issuer that is left out is asked no more')
    await identities.close()
  },
)

const certificate = { fingerprint: 'f' } as Revocable['certificate']
const caller = (tokenId: string): Revocable => ({
  issuer: 'test',
  subject: 'alice',
  tokenId,
  issuedAt: undefined,
  certificate,
})

t.test('while a reload is under way whoever either list shuts out is shut out', async (t) => {
  const { identities } = make()
  const put = (...ids: string[]) =>
    folder.put('revocations.json', JSON.stringify({ revoked: ids.map((jti) => ({ jti })) }))
  const out = () => ['a', 'b'].filter((id) => identities.revocations.covers(caller(id)) !== undefined)
  t.same(out(), [])
  put('a')
  identities.addRevocations(config)
  t.same(out(), ['a'])
  identities.settleRevocations()
  put('b')
  identities.addRevocations(config)
  t.same(out(), ['a', 'b'])
  identities.settleRevocations()
  t.same(out(), ['b'])
  folder.put('revocations.json', '{"revoked":[{}]}')
  t.throws(() => identities.addRevocations(config), {
    name: 'FileRefused',
    message: /revocations\.json: entry 0/,
  })
  t.same(out(), ['b'])
  const { revocations: _, ...without } = config.gateway.identity
  identities.addRevocations({ ...config, gateway: { ...config.gateway, identity: without } })
  t.same(out(), ['b'], 'a configuration without a list lets nobody in before it runs')
  identities.settleRevocations()
  t.same(out(), [])
  t.equal(identities.revocations.size, 0)
})
