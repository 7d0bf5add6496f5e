// Keys of issuers, from a file and over https: what is replaced stops, what is new works, an issuer that is down or
// asked for keys that it does not have holds up nobody.
import t from 'tap'
import { makeAuthority } from '../support/certificates.ts'
import { callerOf, codeOf, HeldModel, linesOf, put, recordsOf } from '../support/flow.ts'
import { jwksOf, makeIssuer, startKeyServer } from '../support/issuer.ts'
import { endOf, samplesOf } from '../support/scene.ts'
import { startStack, until } from '../support/stack.ts'

const held = new HeldModel()
const [first, second] = [makeIssuer('a1'), makeIssuer('a2')]
const stack = await startStack({
  model: { script: held.script },
  files: { 'config/issuer.jwks.json': jwksOf(first) },
})
t.teardown(() => stack.stop())
const caller = callerOf(stack)
t.teardown(() => caller.close())

const local = {
  name: 'test',
  issuer: 'https://issuer.test',
  audience: 'sallyport',
  algorithms: ['ES256'],
  keys: { file: 'issuer.jwks.json' },
  claims: { tenant: ['tenant'], roles: ['roles'] },
}

const statusOf = async (token: string): Promise<number> => (await caller.chat({}, token)).status
const applied = (): number => recordsOf(stack, 'config.reloaded').length

t.test('a key file that is replaced: the old key stops, the new one works, streams go on', async (t) => {
  const old = first.token()
  const stream = await caller.stream({}, old)
  t.equal(await statusOf(old), 200)
  t.equal(await statusOf(second.token()), 401)
  put(stack, 'issuer.jwks.json', jwksOf(first, second))
  await until(async () => (await statusOf(second.token())) === 200)
  t.equal(await statusOf(old), 200, 'both are good while the file holds both')
  put(stack, 'issuer.jwks.json', jwksOf(second))
  await until(async () => (await statusOf(old)) === 401)
  t.equal(await statusOf(first.token()), 401)
  t.equal(await statusOf(second.token()), 200)
  t.ok(linesOf(stack, 'keys.reloaded').length >= 2)
  held.release()
  t.equal(await stream.end, 'ended')
  t.equal(endOf(stream.text()), '[DONE]')
})

for (const [why, text] of [
  ['not JSON', '{"keys":'],
  ['no keys', '{"keys":[]}'],
  ['a private key', JSON.stringify({ keys: [{ ...first.jwk, d: 'AAAA' }] })],
  ['two keys of one id', JSON.stringify({ keys: [first.jwk, { ...second.jwk, kid: 'a1' }] })],
] as const) {
  t.test(`a key file with ${why} is refused by name, the old keys stay`, async (t) => {
    const rejected = linesOf(stack, 'config.rejected').length
    put(stack, 'issuer.jwks.json', text)
    await until(() => linesOf(stack, 'config.rejected').length > rejected)
    t.match(
      String(linesOf(stack, 'config.rejected').at(-1)?.['problems']),
      /issuer\.jwks\.json: keys refused/,
    )
    t.notMatch(JSON.stringify(linesOf(stack, 'config.rejected')), /AAAA/)
    t.equal(await statusOf(second.token()), 200)
    t.equal(await statusOf(first.token()), 401)
    const before = applied()
    put(stack, 'issuer.jwks.json', jwksOf(second))
    await until(() => applied() > before)
  })
}

t.test('keys over https, with an authority of their own', async (t) => {
  const [keyCa, otherCa] = await Promise.all([makeAuthority('keys'), makeAuthority('keys')])
  const idp = makeIssuer('r1', { iss: 'https://idp.test', aud: 'gw' })
  const server = await startKeyServer(keyCa, jwksOf(idp))
  t.teardown(() => server.close())
  const remote = {
    ...local,
    name: 'remote',
    issuer: 'https://idp.test',
    audience: 'gw',
    keys: { url: server.url, ca: 'tls/keys-ca.crt' },
  }
  put(stack, 'tls/keys-ca.crt', otherCa.cert)
  stack.configure('gateway', { identity: { issuers: [local, remote] } })
  await until(async () => (await codeOf(await caller.chat({}, idp.token()))) === 'keys_unavailable')
  t.equal(await statusOf(second.token()), 200, 'the other issuer serves')
  const ready = await fetch(`${stack.probes}/readyz`)
  t.equal(ready.status, 200)
  t.match(await ready.text(), /without keys: remote/)

  await t.test('a new authority for the key server takes effect without a restart', async (t) => {
    put(stack, 'tls/keys-ca.crt', keyCa.cert)
    await until(async () => (await statusOf(idp.token())) === 200)
    t.equal((await (await fetch(`${stack.probes}/readyz`)).text()).includes('without keys'), false)
    const age = samplesOf(await stack.metrics()).get('sallyport_jwks_age_seconds{issuer="remote"}')
    t.ok(Number.isFinite(age))
  })

  await t.test('a storm of unknown key ids costs the issuer two fetches at most', async (t) => {
    const before = server.fetches()
    const tokens = Array.from({ length: 200 }, (_, i) => idp.token({ header: { kid: `unknown-${i}` } }))
    const statuses = await Promise.all(tokens.map(statusOf))
    t.same([...new Set(statuses)], [401])
    t.ok(server.fetches() - before <= 2, `${server.fetches() - before} fetches`)
    t.equal(await statusOf(idp.token()), 200)
  })

  await t.test(
    'an outage: the keys that are at hand serve on, and a reload does not wait for it',
    async (t) => {
      server.hang()
      const before = applied()
      const startedAt = performance.now()
      put(stack, 'revocations.json', '{"revoked":[{"jti":"gone"}]}')
      await until(() => applied() > before)
      t.ok(performance.now() - startedAt < 4_000, 'the key server would have been waited for 5 s')
      t.equal(await statusOf(idp.token()), 200)
      t.equal(await statusOf(idp.token({ claims: { jti: 'gone' } })), 401)
      await server.close()
      await stack.gateway.reload()
      t.equal(await statusOf(idp.token()), 200)
      await until(() => linesOf(stack, 'keys.unavailable').some(({ issuer }) => issuer === 'remote'))
    },
  )

  await t.test('an issuer that is taken out is believed no more', async (t) => {
    stack.configure('gateway', { identity: { issuers: [local] } })
    await until(async () => (await statusOf(idp.token())) === 401)
    t.equal(await statusOf(second.token()), 200)
  })
})
