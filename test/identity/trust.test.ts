import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { uriIsPermitted } from '../../src/identity/name-constraints.ts'
import { loadTlsMaterial } from '../../src/identity/tls-material.ts'
import { currentPeer, fallenBy, type TrustStore, verifyPeer } from '../../src/identity/trust.ts'
import { Refusal } from '../../src/refusal.ts'
import { type Authority, type Identity, issueServer, makeAuthority, x509 } from '../support/certificates.ts'

const now = Date.now()
const hourMs = 3_600_000
const root = await makeAuthority('root')
const server = await issueServer(root)
const uri = 'spiffe://td.test/a'

interface StoreOptions {
  readonly clientCa?: readonly Identity[]
  readonly trustDomains?: Readonly<Record<string, readonly Identity[]>>
  readonly crl?: readonly string[]
  readonly chainDepthMax?: number
}

const bundle = (authorities: readonly Identity[]): Buffer =>
  Buffer.from(authorities.map(({ cert }) => cert).join(''))

function storeOf({ clientCa, trustDomains, crl, chainDepthMax = 3 }: StoreOptions): TrustStore {
  const files = {
    certificate: Buffer.from(server.cert),
    key: Buffer.from(server.key),
    clientCa: clientCa && bundle(clientCa),
    crl: crl?.map((text) => Buffer.from(text)),
    trustDomains:
      trustDomains && new Map(Object.entries(trustDomains).map(([name, all]) => [name, bundle(all)])),
  }
  return loadTlsMaterial(files, { minVersion: 'TLSv1.3', sessionTickets: false, chainDepthMax, now }).trust
}

const x509Of = (identity: Identity): X509Certificate => new X509Certificate(identity.der)

function faultOf(store: TrustStore, leaf: Identity, presented: readonly Identity[] = [], at = now): string {
  try {
    verifyPeer(store, x509Of(leaf), presented.map(x509Of), at)
    return 'accepted'
  } catch (error) {
    return error instanceof Refusal ? error.detail : String(error)
  }
}

t.test('a chain to a configured authority, in any order, with strangers among it', async (t) => {
  const first = await root.intermediate('first')
  const second = await first.intermediate('second')
  const leaf = await second.issue({ uris: [uri] })
  const other = await makeAuthority('other')
  const store = storeOf({ clientCa: [root, other] })
  t.equal(faultOf(store, leaf, [second, first]), 'accepted')
  t.equal(faultOf(store, leaf, [first, second]), 'accepted')
  t.equal(faultOf(store, leaf, [other, first, root, second]), 'accepted')
  t.equal(faultOf(store, leaf, [second]), 'cert_chain_unverified')
  t.equal(faultOf(store, leaf), 'cert_chain_unverified')
  t.equal(faultOf(storeOf({ clientCa: [root, first, second] }), leaf), 'accepted', 'links from the bundle')
  t.equal(faultOf(storeOf({ clientCa: [other] }), leaf, [second, first]), 'cert_chain_unverified')
})

t.test('an authority of the same name with another key is another one', async (t) => {
  const double = await makeAuthority('root')
  const leaf = await double.issue()
  t.equal(faultOf(storeOf({ clientCa: [root] }), leaf, [double]), 'cert_chain_unverified')
})

t.test('chainDepthMax counts the leaf', async (t) => {
  const first = await root.intermediate('first')
  const direct = await root.issue()
  const below = await first.issue()
  t.equal(faultOf(storeOf({ clientCa: [root], chainDepthMax: 1 }), direct), 'accepted')
  t.equal(faultOf(storeOf({ clientCa: [root], chainDepthMax: 1 }), below, [first]), 'cert_chain_too_long')
  t.equal(faultOf(storeOf({ clientCa: [root], chainDepthMax: 2 }), below, [first]), 'accepted')
})

t.test('an authority above the leaf must be one', async (t) => {
  const store = storeOf({ clientCa: [root] })
  const options = [
    { ca: false },
    { keyUsage: x509.KeyUsageFlags.digitalSignature },
    { eku: ['1.3.6.1.5.5.7.3.1'] },
    { key: 'rsa-1024' as const },
    { notAfter: new Date(now - 60_000) },
    { extensions: [new x509.Extension('1.2.3.4', true, Buffer.from([5, 0]))] },
  ]
  for (const option of options) {
    const fake = await root.intermediate('fake', option)
    t.equal(faultOf(store, await fake.issue(), [fake]), 'cert_chain_unverified', Object.keys(option).join())
  }
  const short = await root.intermediate('short', { pathLength: 0 })
  const below = await short.intermediate('below')
  t.equal(faultOf(store, await short.issue(), [short]), 'accepted')
  t.equal(faultOf(store, await below.issue(), [below, short]), 'cert_chain_too_long')
})

t.test('the work is bounded: many authorities of one name', async (t) => {
  const presented: Authority[] = []
  for (let i = 0; i < 10; i += 1) presented.push(await root.intermediate('twin'))
  const leaf = await (await root.intermediate('twin')).issue()
  const store = storeOf({ clientCa: [root], chainDepthMax: 10 })
  t.equal(faultOf(store, leaf, presented), 'cert_chain_unverified')
  t.equal(
    faultOf(store, leaf, [...presented, root]),
    'cert_chain_too_long',
    'more than ten are not looked at',
  )
})

t.test('one trust domain cannot mint identities of another', async (t) => {
  const a = await makeAuthority('a root')
  const b = await makeAuthority('b root')
  const store = storeOf({ trustDomains: { 'a.test': [a], 'b.test': [b] } })
  const [idA, idB] = ['spiffe://a.test/x', 'spiffe://b.test/x']
  t.equal(faultOf(store, await a.issue({ uris: [idA] })), 'accepted')
  t.equal(faultOf(store, await b.issue({ uris: [idB] })), 'accepted')
  t.equal(faultOf(store, await b.issue({ uris: [idA] })), 'spiffe_issued_by_other_domain')
  const disguised = await b.intermediate('a root')
  t.equal(
    faultOf(store, await disguised.issue({ uris: [idA] }), [disguised]),
    'spiffe_issued_by_other_domain',
  )
  const peer = verifyPeer(store, x509Of(await a.issue({ uris: [idA] })), [], now)
  t.equal(peer.certificate.spiffeId, idA)
  t.equal(
    verifyPeer(storeOf({ clientCa: [a] }), x509Of(await a.issue({ uris: [idA] })), [], now).certificate
      .spiffeId,
    undefined,
  )
})

/** NameConstraints with URI subtrees, short enough for one-byte lengths. */
function uriConstraints(permitted: readonly string[], excluded: readonly string[] = []): x509.Extension {
  const wrap = (tag: number, value: Buffer): Buffer =>
    Buffer.concat([Buffer.from([tag, value.length]), value])
  const trees = (tag: number, hosts: readonly string[]): Buffer =>
    hosts.length === 0
      ? Buffer.alloc(0)
      : wrap(tag, Buffer.concat(hosts.map((host) => wrap(0x30, wrap(0x86, Buffer.from(host))))))
  return new x509.Extension(
    '2.5.29.30',
    true,
    wrap(0x30, Buffer.concat([trees(0xa0, permitted), trees(0xa1, excluded)])),
  )
}

t.test('URI name constraints of an authority are enforced', async (t) => {
  const narrow = await root.intermediate('narrow', {
    extensions: [uriConstraints(['td.test'], ['bad.test'])],
  })
  const store = storeOf({ clientCa: [root] })
  t.equal(faultOf(store, await narrow.issue({ uris: [uri] }), [narrow]), 'accepted')
  t.equal(faultOf(store, await narrow.issue(), [narrow]), 'accepted')
  for (const bad of ['spiffe://bad.test/a', 'spiffe://other.test/a', 'spiffe://x.td.test/a', 'urn:a:b']) {
    t.equal(faultOf(store, await narrow.issue({ uris: [bad] }), [narrow]), 'cert_name_not_permitted', bad)
  }
  const both = await narrow.issue({ uris: [uri, 'spiffe://other.test/a'] })
  t.equal(faultOf(store, both, [narrow]), 'cert_name_not_permitted')
})

t.test('hosts and domains of a URI constraint', async (t) => {
  const permits = (tree: string, text: string) =>
    uriIsPermitted(text, { permittedUris: [tree], excludedUris: [] })
  t.ok(permits('td.test', 'spiffe://TD.test/a'))
  t.ok(permits('.td.test', 'https://x.td.test:443/a'))
  t.notOk(permits('.td.test', 'https://td.test/'))
  t.notOk(permits('td.test', 'https://td.test@evil.test/'))
  t.notOk(permits('evil.test', 'https://evil.test\\@td.test/'))
  t.notOk(permits('td.test', 'https://td.test.evil.test/'))
  t.notOk(permits('1.2.3.4', 'https://1.2.3.4/'), 'an address is no host name')
  t.ok(uriIsPermitted('urn:a:b', { permittedUris: [], excludedUris: [] }))
})

t.test('revoked leaves and intermediates; the same serial number of another issuer is not', async (t) => {
  const other = await makeAuthority('other')
  const first = await root.intermediate('first')
  const direct = await root.issue()
  const below = await first.issue()
  const twin = await other.issue({ serial: direct.serial })
  const crl = [
    await root.crl({ revoked: [direct.serial, first.serial] }),
    await other.crl(),
    await first.crl(),
  ]
  const store = storeOf({ clientCa: [root, other, first], crl })
  t.equal(faultOf(store, direct), 'cert_revoked')
  t.equal(faultOf(store, below), 'cert_revoked')
  t.equal(faultOf(store, twin), 'accepted')
})

t.test('a peer falls when its authority goes, is moved, or its certificate is taken back', async (t) => {
  const first = await root.intermediate('first')
  const leaf = await first.issue({ uris: [uri] })
  const other = await makeAuthority('other')
  const peer = verifyPeer(storeOf({ clientCa: [root] }), x509Of(leaf), [x509Of(first)], now)
  t.equal(fallenBy(storeOf({ clientCa: [root, other] }), peer), undefined)
  t.equal(fallenBy(storeOf({ clientCa: [other] }), peer), 'cert_chain_unverified')
  t.equal(fallenBy(storeOf({ clientCa: [root], chainDepthMax: 1 }), peer), 'cert_chain_too_long')
  t.equal(fallenBy(storeOf({ trustDomains: { 'td.test': [root] } }), peer), 'cert_chain_unverified')
  const taken = {
    clientCa: [root, first],
    crl: [await root.crl({ revoked: [first.serial] }), await first.crl()],
  }
  t.equal(fallenBy(storeOf(taken), peer), 'cert_revoked')
  const svid = await root.issue({ uris: [uri] })
  const inDomain = verifyPeer(storeOf({ trustDomains: { 'td.test': [root] } }), x509Of(svid), [], now)
  t.equal(fallenBy(storeOf({ trustDomains: { 'td.test': [root, other] } }), inDomain), undefined)
  t.equal(
    fallenBy(storeOf({ trustDomains: { 'td.test': [other], 'b.test': [root] } }), inDomain),
    'cert_chain_unverified',
  )
})

t.test('property: what falls would be refused, what stands would be accepted', async (t) => {
  const other = await makeAuthority('other')
  const leaves = await Promise.all([root.issue(), root.issue(), other.issue()])
  const all = storeOf({ clientCa: [root, other] })
  const peers = leaves.map((leaf) => verifyPeer(all, x509Of(leaf), [], now))
  const [rootSerials, otherSerials] = [leaves.slice(0, 2), leaves.slice(2)].map((own) =>
    own.map(({ serial }) => serial),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.subarray(rootSerials ?? []),
      fc.subarray(otherSerials ?? []),
      fc.constantFrom([root, other], [root], [other]),
      async (fromRoot, fromOther, clientCa) => {
        const lists = [
          ...(clientCa.includes(root) ? [await root.crl({ revoked: fromRoot })] : []),
          ...(clientCa.includes(other) ? [await other.crl({ revoked: fromOther })] : []),
        ]
        const store = storeOf({ clientCa, crl: lists })
        return peers.every((peer, i) => {
          const leaf = leaves[i]
          return (
            leaf !== undefined &&
            (fallenBy(store, peer) === undefined) === (faultOf(store, leaf) === 'accepted')
          )
        })
      },
    ),
    { numRuns: 30 },
  )
  t.pass('held')
})

t.test('a peer is current until the first certificate of its path has run out', async (t) => {
  const first = await root.intermediate('first', { notAfter: new Date(now + hourMs) })
  const leaf = await first.issue({ notAfter: new Date(now + 2 * hourMs) })
  const peer = verifyPeer(storeOf({ clientCa: [root] }), x509Of(leaf), [x509Of(first)], now)
  t.equal(currentPeer(peer, now + hourMs - 1_000), peer.certificate)
  t.throws(() => currentPeer(peer, now + hourMs + 1_000), new Refusal('certificate_expired', 'cert_expired'))
})
