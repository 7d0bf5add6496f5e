import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { createOpsClient } from '../../src/commands/ops-client.ts'
import { findConnection } from '../../src/commands/quota/connection.ts'
import { connectFailure } from '../../src/commands/quota/failure.ts'
import { operatorToken, refusal, type SimulatedOps, startSimulatedOps } from '../support/simulated-ops.ts'
import { runOps } from './run-ops.ts'

const ops: SimulatedOps = await startSimulatedOps()
t.teardown(() => ops.stop())
const file = (name: string): string => join(ops.folder, name)
const list = (...args: string[]) => runOps(ops, ['quota', 'list', ...args])
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const nowhere = { out: () => {}, err: () => {}, exit: () => {}, upstream: undefined }

t.test(
  'where the connection comes from: options, then the profile, its paths from its own folder',
  async (t) => {
    t.equal((await list()).code, 0)
    t.equal((await list('--profile', ops.profile)).code, 0)
    const parts = ['--url', ops.url, '--ca', file('ca.crt'), '--cert', file('client.crt')]
    const whole = [...parts, '--key', file('client.key'), '--token-file', file('token')]
    t.equal((await list(...whole)).code, 0)
    const other = ops.write('other-token', 'wrong\n')
    t.match(await list('--token-file', other), { code: 1, err: /401/ })
    t.equal((await runOps(ops, ['quota', 'list', '--directory', ops.folder], { ops: {} })).code, 0)
  },
)

t.test('a profile of the folder or the environment does not follow --url to another gateway', async (t) => {
  const before = ops.asked.length
  const { code, err } = await runOps(ops, ['quota', 'list', '--directory', ops.folder, '--url', ops.url])
  t.equal(code, 2)
  t.match(err, /Missing: --ca, --cert, --key, --token-file\. Beside `npm start`/)
  t.equal(ops.asked.length, before)
})

t.test('the token of the environment stands behind --token-file, before the profile', async (t) => {
  const profile = ops.profile
  t.match(await runOps(ops, ['quota', 'list'], { ops: { profile, token: 'wrong' } }), { code: 1 })
  const named = await runOps(ops, ['quota', 'list', '--token-file', file('token')], {
    ops: { profile, token: 'wrong' },
  })
  t.equal(named.code, 0)
  const tokenless = ops.write(
    'tokenless.json',
    JSON.stringify({ url: ops.url, ca: 'ca.crt', cert: 'client.crt', key: 'client.key' }),
  )
  t.equal(
    (await runOps(ops, ['quota', 'list'], { ops: { profile: tokenless, token: operatorToken } })).code,
    0,
  )
  t.match(await runOps(ops, ['quota', 'list'], { ops: { profile: tokenless } }), {
    code: 2,
    err: /Missing: --token-file\./,
  })
})

t.test('a token file is read for each request: one that was rotated is taken up', async (t) => {
  const path = ops.write('rotated', 'old')
  const connection = findConnection(
    { directory: '.', profile: ops.profile, tokenFile: path },
    { ...nowhere, ops: {} },
  )
  const client = createOpsClient(connection)
  t.teardown(() => client.close())
  await t.rejects(client.ask('GET', '/admin/v1/quotas'), { message: /401/ })
  ops.write('rotated', operatorToken)
  t.equal((await client.ask('GET', '/admin/v1/quotas')).status, 200)
})

t.test('files and options that are wrong: which, and with which exit code', async (t) => {
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['--profile', file('none.json')], 1, /There is no file .+none\.json/],
    [['--profile', ops.write('list.json', '[]')], 1, /is no profile: it is a JSON object/],
    [['--profile', ops.write('bad.json', '{')], 1, /is no profile/],
    [['--profile', ops.write('more.json', '{"urls":"x"}')], 1, /"urls" is not one of url, ca/],
    [['--profile', ops.write('type.json', '{"url":1}')], 1, /"url" is not one of/],
    [['--profile', ops.folder], 1, /cannot be read: EISDIR/],
    [['--ca', file('token')], 1, /holds no certificate in PEM/],
    [['--key', file('client.crt')], 1, /holds no key in PEM/],
    [['--key', file('other.key')], 1, /are not a certificate and its key/],
    [['--token-file', ops.write('empty', ' \n')], 1, /is empty, too long or not one line/],
    [['--token-file', ops.write('two', 'a\nb')], 1, /not one line of plain characters/],
    [['--token-file', ops.write('long', 'a'.repeat(20_000))], 1, /too long/],
    [['--token-file', ops.write('huge', 'a'.repeat(2_000_000))], 1, /is longer than 1048576 bytes/],
  ]
  for (const [args, code, err] of cases) t.match(await list(...args), { code, out: '', err }, args.join(' '))
  const whole = ['--profile', ops.profile, '--url']
  for (const url of [
    'http://localhost:9443',
    'localhost',
    'https://u:p@localhost',
    'https://localhost/admin',
  ])
    t.match(await list(...whole, url), { code: 2, err: /--url is/ }, url)
})

t.test('no connection, or another authority: what to look at next', async (t) => {
  const profile = ['--profile', ops.profile]
  const closed = await closedPort()
  const { port } = new URL(ops.url)
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ['--url', `https://localhost:${closed}`],
      /Cannot connect to .+ \(ECONNREFUSED\)\. Does the gateway run/,
    ],
    [['--url', 'https://no-such-host.invalid'], /Cannot connect to .+ \((ENOTFOUND|EAI_AGAIN)\)/],
    [['--ca', file('other-ca.crt')], /is not signed by the authority in --ca \(UNABLE_TO_\w+\)\. Name the/],
    [
      ['--cert', file('other.crt'), '--key', file('other.key')],
      /look at --cert|refuses the client certificate/,
    ],
    [['--url', `https://ip6-localhost.invalid:${port}`], /Cannot connect/],
  ]
  for (const [args, err] of cases)
    t.match(await list(...profile, ...args), { code: 1, out: '', err }, args.join(' '))
})

t.test('failures of TLS, by their code', (t) => {
  const sent = { origin: 'https://x', method: 'GET', path: '/' }
  const texts: Readonly<Record<string, RegExp>> = {
    ERR_TLS_CERT_ALTNAME_INVALID: /is for another name \(ERR/,
    CERT_HAS_EXPIRED: /is out of date/,
    SELF_SIGNED_CERT_IN_CHAIN: /not signed by the authority in --ca/,
    ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: /refuses the client certificate/,
    ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: /refuses the client certificate/,
    ECONNRESET: /closed the connection without a word/,
    ERR_SSL_WRONG_VERSION_NUMBER: /does not speak this TLS .+ops\.port/,
    ETIMEDOUT: /Cannot connect/,
  }
  for (const [code, text] of Object.entries(texts))
    t.match(connectFailure(Object.assign(new Error('x'), { code }), sent).message, text)
  t.end()
})

t.test('what the gateway refuses: what it means, and what to do', async (t) => {
  t.teardown(() => ops.answers.clear())
  const cases: readonly (readonly [number, string, RegExp])[] = [
    [401, 'invalid_token', /The token is refused \(401 invalid_token\)\. It must be current/],
    [403, 'insufficient_scope', /may not read here \(403 insufficient_scope\)\. An operator needs role ops/],
    [403, 'invalid_certificate', /The client certificate is refused \(403 invalid_certificate: No\. Field/],
    [404, 'unknown_url', /Not found \(404 unknown_url: No\. Field/],
    [412, 'version_changed', /changed meanwhile, by somebody else \(412\)/],
    [428, 'precondition_required', /wants to know which version is changed \(428\)/],
    [400, 'invalid_value', /answers 400 invalid_value: No\. Field: rule\.amount\./],
    [503, 'audit_unavailable', /cannot do it right now \(503 audit_unavailable: No\. Field/],
    [302, 'x', /redirects \(302\), which is not followed/],
    [500, 'internal_error', /answers 500 internal_error/],
  ]
  for (const [status, code, err] of cases) {
    ops.answers.set('GET /admin/v1/quotas', refusal(status, code, 'No.', 'rule.amount'))
    const run = await list()
    t.match(run, { code: 1, out: '', err }, `${status}`)
    t.match(run.err, /Request id: req-1\.\n$/)
  }
})

t.test(
  'who asks too fast waits as the gateway says, and asks again; not for ever, and not for long',
  async (t) => {
    t.teardown(() => ops.answers.clear())
    const place = 'GET /admin/v1/quotas'
    const told = { ...refusal(429, 'rate_limit_exceeded'), headers: { 'retry-after-ms': '1' } }
    let left = 3
    ops.answers.set(place, () => {
      left -= 1
      return left >= 0 ? told : { status: 200, body: { quotas: [] } }
    })
    t.match(await list(), { code: 0 })
    t.equal(left, -1)
    for (const [headers, asked] of [
      [{ 'retry-after-ms': '1' }, 10],
      [{ 'retry-after-ms': '60000' }, 1],
      [{ 'retry-after-ms': 'soon' }, 1],
      [{}, 1],
    ] as const) {
      ops.answers.set(place, { ...told, headers })
      const before = ops.asked.length
      t.match(await list(), { code: 1, err: /takes no more requests of operators right now \(429/ })
      t.equal(ops.asked.length - before, asked)
    }
  },
)

t.test('a token that has run out is said to have, without believing it', async (t) => {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const old = ops.write('old', `x.${encode({ exp: 1_700_000_000 })}.x`)
  t.match((await list('--token-file', old)).err, /It expired at 2023-11-14T22:13:20\.000Z: get a new one/)
  for (const exp of ['soon', 1e300, -5, null]) {
    const odd = ops.write('odd', `x.${encode({ exp })}.x`)
    t.match((await list('--token-file', odd)).err, /It must be current/)
  }
})

t.test('a gateway that does not answer in time, and one that answers without end', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const options = { directory: '.', profile: ops.profile }
  const known = findConnection(options, { ...nowhere, ops: {} })
  const origin = `https://localhost:${(silent.address() as AddressInfo).port}`
  const slow = createOpsClient({ ...known, origin, timeoutMs: 100 })
  t.teardown(() => {
    slow.close()
    silent.close()
  })
  await t.rejects(slow.ask('GET', '/x'), { message: `${origin} does not answer within 0.1 s.` })
  await t.rejects(slow.ask('PUT', '/admin/v1/quotas/a', { body: {} }), {
    message: /Whether the change was made is not known: `sallyport quota get` shows it/,
  })
  ops.answers.set('GET /admin/v1/quotas', { status: 200, body: { quotas: 'x'.repeat(9_000_000) } })
  t.teardown(() => ops.answers.clear())
  t.match(await list(), { code: 1, err: /answers with more than 8388608 bytes/ })
})

t.test('a server that speaks no HTTP', async (t) => {
  const plain = createServer((socket) => socket.on('error', () => {}).end('hello')).listen(0, '127.0.0.1')
  await once(plain, 'listening')
  t.teardown(() => plain.close())
  const url = `https://localhost:${(plain.address() as AddressInfo).port}`
  t.match(await list('--profile', ops.profile, '--url', url), { code: 1, err: /does not speak this TLS/ })
})
