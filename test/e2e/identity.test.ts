// Who a caller is, over real sockets: bound tokens, several issuers, roles that merge, scopes that narrow, and
// certificates that TLS accepts and the gateway does not.
import t from 'tap'
import { type CertificateOptions, makeAuthority } from '../support/certificates.ts'
import { callerOf, codeOf, put, recordsOf } from '../support/flow.ts'
import { jwksOf, makeIssuer } from '../support/issuer.ts'
import { startStack, until } from '../support/stack.ts'

const company = makeIssuer('c1')
const partner = makeIssuer('p1', { iss: 'https://partner.test', aud: 'sallyport' })
const issuer = {
  name: 'company',
  issuer: 'https://issuer.test',
  audience: 'sallyport',
  algorithms: ['ES256'],
  keys: { file: 'company.json' },
  claims: { tenant: ['tenant'], roles: ['roles'], scopes: ['scope'] },
  binding: 'none',
}
const limits = { requestsPerMinute: 1_000, burst: 1_000, inFlight: 50 }
const stack = await startStack({
  files: { 'config/company.json': jwksOf(company), 'config/partner.json': jwksOf(partner) },
  gateway: {
    identity: {
      issuers: [
        issuer,
        {
          ...issuer,
          name: 'partner',
          issuer: 'https://partner.test',
          keys: { file: 'partner.json' },
          claims: {
            tenant: { value: 'partner' },
            roles: ['groups', 'llm'],
            roleMap: { 'LLM Users': 'app', 'LLM Admins': 'bound' },
          },
          binding: 'mtls',
        },
      ],
    },
  },
  policies: {
    scopes: { lists: { endpoints: ['models'], models: ['*'] } },
    roles: {
      bound: {
        scopes: ['inference'],
        parameters: { outputTokensMax: 9 },
        limits,
        redaction: 'mask',
        binding: 'required',
      },
      lister: {
        scopes: ['lists'],
        parameters: { outputTokensMax: 1 },
        limits,
        redaction: 'mask',
        binding: 'none',
      },
    },
  },
})
t.teardown(() => stack.stop())
const caller = callerOf(stack)
t.teardown(() => caller.close())
const otherIdentity = await stack.clientCa.issue({ subject: 'CN=other' })
const other = callerOf(stack, otherIdentity)
t.teardown(() => other.close())

const thumbprint = (fingerprint: string): string =>
  Buffer.from(fingerprint.replaceAll(':', ''), 'hex').toString('base64url')
const cnf = { 'x5t#S256': thumbprint(stack.client.fingerprint256) }
const scope = 'inference everything lists'

/** What a call came to: its status, and the code of the refusal. */
async function verdict(reply: Awaited<ReturnType<typeof caller.chat>>): Promise<string> {
  if (reply.status !== 200) return `${reply.status} ${await codeOf(reply)}`
  await reply.text()
  return '200'
}
const lastReason = (): unknown => recordsOf(stack, 'exchange.ended').at(-1)?.['reason']

t.test('a token that is bound to a certificate works on that one alone (RFC 8705)', async (t) => {
  const bound = company.token({ claims: { cnf, scope } })
  t.equal(await verdict(await caller.chat({}, bound)), '200')
  t.equal(await verdict(await other.chat({}, bound)), '401 invalid_token')
  t.equal(await verdict(await caller.chat({}, bound)), '200', 'remembering the token does not unbind it')
  await until(() => recordsOf(stack, 'exchange.ended').some(({ reason }) => reason === 'wrong_certificate'))
  const admitted = recordsOf(stack, 'exchange.admitted').at(-1)
  t.match(admitted, { token_bound: true, certificate: cnf['x5t#S256'] })
})

t.test('a role that demands binding takes no token without', async (t) => {
  const claims = { scope }
  t.equal(
    await verdict(await caller.chat({}, company.token({ roles: ['bound'], claims }))),
    '401 invalid_token',
  )
  const roles = ['app', 'bound']
  t.equal(await verdict(await caller.chat({}, company.token({ roles, claims }))), '401 invalid_token')
  t.equal(await verdict(await caller.chat({}, company.token({ roles, claims: { cnf, scope } }))), '200')
  t.equal(
    await verdict(await other.chat({}, company.token({ roles, claims: { cnf, scope } }))),
    '401 invalid_token',
  )
})

t.test('an issuer whose tokens must be bound, and confirmations that nobody checks', async (t) => {
  const groups = { llm: ['LLM Users'] }
  t.equal(await verdict(await caller.chat({}, partner.token({ claims: { groups } }))), '401 invalid_token')
  t.equal(await verdict(await caller.chat({}, partner.token({ claims: { groups, cnf } }))), '200')
  for (const odd of [{ jkt: 'a'.repeat(43) }, { ...cnf, jkt: 'x' }, {}, 'x', null, { 'x5t#S256': 5 }]) {
    const token = company.token({ claims: { scope, cnf: odd } })
    t.equal(await verdict(await caller.chat({}, token)), '401 invalid_token', JSON.stringify(odd))
  }
})

t.test('each issuer speaks for itself', async (t) => {
  const groups = { llm: ['LLM Users'] }
  t.equal(await verdict(await caller.chat({}, partner.token({ claims: { groups, cnf } }))), '200')
  await until(() => recordsOf(stack, 'exchange.admitted').at(-1)?.['tenant'] === 'partner')
  t.match(recordsOf(stack, 'exchange.admitted').at(-1), { principal: 'partner/alice', roles: ['app'] })
  // The key of one issuer under the name of the other, and a role that only the map may give.
  const forged = partner.token({ claims: { iss: 'https://issuer.test', scope, cnf } })
  t.equal(await verdict(await caller.chat({}, forged)), '401 invalid_token')
  const unmapped = partner.token({ claims: { groups: { llm: ['app', 'admin'] }, cnf } })
  t.equal(await verdict(await caller.chat({}, unmapped)), '403 insufficient_scope')
  const nobody = company.token({ claims: { iss: 'https://nobody.test', scope } })
  t.equal(await verdict(await caller.chat({}, nobody)), '401 invalid_token')
})

t.test('roles merge: each call has the widest of what the roles that allow it allow', async (t) => {
  const as = (...roles: string[]) => company.token({ roles, claims: { scope } })
  const ask = (model: string, max_tokens: number, token: string) => caller.chat({ model, max_tokens }, token)
  t.equal(await verdict(await ask('secret', 8, as('app'))), '404 model_not_found')
  t.equal(await verdict(await ask('secret', 8, as('app', 'admin'))), '200')
  t.equal(await verdict(await ask('demo', 300, as('app'))), '400 parameter_above_cap')
  t.equal(await verdict(await ask('demo', 300, as('app', 'admin'))), '200')
  t.equal(await verdict(await ask('demo', 8, as('app', 'role-of-another-service'))), '200')
})

t.test('a role that is not known, and none, are not enough', async (t) => {
  for (const roles of [['nobody'], [], ['App'], ['lister']]) {
    const token = company.token({ roles, claims: { scope } })
    t.equal(await verdict(await caller.chat({}, token)), '403 insufficient_scope', roles.join())
  }
  const list = await caller.fetch('/v1/models', {
    token: company.token({ roles: ['lister'], claims: { scope } }),
  })
  t.equal(list.status, 200)
})

t.test('scopes of a token narrow what its roles grant and never add to it', async (t) => {
  const as = (scopes: string | undefined, ...roles: string[]) =>
    company.token({ roles, claims: { scope: scopes } })
  const ask = (model: string, token: string) => caller.chat({ model }, token)
  t.equal(await verdict(await ask('secret', as('everything', 'admin'))), '200')
  t.equal(await verdict(await ask('demo', as('inference', 'admin'))), '403 insufficient_scope')
  t.equal(await verdict(await ask('secret', as('everything', 'app'))), '403 insufficient_scope')
  t.equal(await verdict(await ask('demo', as(undefined, 'app'))), '403 insufficient_scope')
  t.equal(await verdict(await ask('demo', as('inference other.read', 'app'))), '200')
})

t.test('certificates that TLS accepts and the gateway does not', async (t) => {
  const cases: Record<string, CertificateOptions> = {
    cert_is_ca: { ca: true, keyUsage: 4 | 1 },
    cert_no_client_auth: { eku: [] },
    cert_any_purpose: { eku: ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'] },
    cert_serial_too_long: { serial: `01${'ab'.repeat(20)}` },
  }
  for (const [reason, options] of Object.entries(cases)) {
    const odd = callerOf(stack, await stack.clientCa.issue(options))
    t.teardown(() => odd.close())
    t.equal(
      await verdict(await odd.chat({}, company.token({ claims: { scope } }))),
      '403 invalid_certificate',
      reason,
    )
    await until(() => lastReason() === reason)
  }
})

t.test('a listener that takes SPIFFE identities only, each domain from its own authorities', async (t) => {
  const otherCa = await makeAuthority('other domain')
  const uris = ['spiffe://td.test/ns/app/sa/a']
  const [svid, foreign, minted, sly, two, rootless, named] = await Promise.all([
    stack.clientCa.issue({ uris }),
    otherCa.issue({ uris: ['spiffe://other.test/ns/app/sa/b'] }),
    otherCa.issue({ uris }),
    stack.clientCa.issue({ uris, dnsNames: ['x, URI:spiffe://td.test/ns/app/sa/admin'] }),
    stack.clientCa.issue({ uris: [...uris, 'spiffe://td.test/admin'] }),
    stack.clientCa.issue({ uris: ['spiffe://td.test'] }),
    stack.clientCa.issue({ dnsNames: ['app.td.test'] }),
  ])
  put(stack, 'tls/td.crt', stack.clientCa.cert)
  put(stack, 'tls/other.crt', otherCa.cert)
  const idle = callerOf(stack, svid)
  t.teardown(() => idle.close())
  t.equal(await verdict(await idle.chat({}, company.token({ claims: { scope } }))), '200')
  stack.configure('gateway', {
    traffic: {
      tls: {
        crl: undefined,
        spiffe: { trustDomains: { 'td.test': 'tls/td.crt', 'other.test': 'tls/other.crt' } },
      },
    },
  })
  const token = company.token({ claims: { scope } })
  const ask = async (identity: typeof svid): Promise<string> => {
    const asking = callerOf(stack, identity)
    t.teardown(() => asking.close())
    return verdict(await asking.chat({}, token))
  }
  await until(async () => (await ask(foreign).catch(() => 'handshake')) === '200')
  t.equal(await ask(svid), '200')
  await until(() => recordsOf(stack, 'exchange.admitted').at(-1)?.['spiffe_id'] === uris[0])
  t.equal(await ask(minted), '403 invalid_certificate', 'one domain cannot mint names of the other')
  await until(() => lastReason() === 'spiffe_issued_by_other_domain')
  const admitted = recordsOf(stack, 'exchange.admitted').length
  t.equal(await ask(sly), '200')
  await until(() => recordsOf(stack, 'exchange.admitted').length > admitted)
  t.equal(
    recordsOf(stack, 'exchange.admitted').at(-1)?.['spiffe_id'],
    uris[0],
    'a name within a name is not it',
  )
  t.equal(await ask(two), '403 invalid_certificate')
  t.equal(await ask(rootless), '403 invalid_certificate')
  t.equal(await ask(named), '403 invalid_certificate')
})
