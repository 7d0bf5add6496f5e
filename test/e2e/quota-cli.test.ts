/** The command line of operators against a gateway that serves: real TLS, tokens, limits and audit records. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runOps } from '../commands/run-ops.ts'
import { type Stack, startStack } from '../support/stack.ts'

const tokens = { counts: 'total_tokens', per: 'hour', amount: 100_000, by: ['tenant'] }
const stack: Stack = await startStack({ policies: { limits: { 'tenant-tokens': tokens } } })
t.teardown(() => stack.stop())

const folder = join(stack.folder, 'operator')
mkdirSync(folder)
const write = (file: string, text: string): string => {
  writeFileSync(join(folder, file), text, { mode: 0o600 })
  return join(folder, file)
}
for (const [file, text] of Object.entries({
  'ca.crt': stack.serverCa.cert,
  'me.crt': stack.client.cert,
  'me.key': stack.client.key,
  'ops.token': stack.token({ roles: ['ops'], subject: 'olga' }),
  'auditor.token': stack.token({ roles: ['auditor'] }),
  'app.token': stack.token(),
}))
  write(file, text)
const profile = write(
  'ops.json',
  JSON.stringify({ url: stack.ops, ca: 'ca.crt', cert: 'me.crt', key: 'me.key', tokenFile: 'ops.token' }),
)
const quota = (...args: string[]) => runOps({ profile }, ['quota', ...args])
const as = (file: string): string[] => ['--token-file', join(folder, file)]
const ask = (headers = {}) =>
  stack.post(
    '/v1/chat/completions',
    { model: 'demo', messages: [{ role: 'user', content: 'hi' }], max_tokens: 50 },
    headers,
  )

t.test('limits of the configuration and of roles, as they are', async (t) => {
  const { code, out, err } = await quota('list')
  t.same({ code, err }, { code: 0, err: '' })
  t.match(out, /^role\.app\.in_flight +500 +in_flight /m)
  t.match(out, /^tenant-tokens +100000 +total_tokens +hour +100000 +tenant +- +enforce +config +0$/m)
  t.match(await quota('get', 'tenant-tokens'), { code: 0, out: /set by +the configuration/ })
  t.match(await quota('get', 'bogus'), { code: 1, err: /There is no limit bogus/ })
})

t.test(
  'a quota refuses the next call; why says so; an override lets it pass; its end refuses again',
  async (t) => {
    t.equal((await ask()).status, 200)
    t.match(await quota('set', 'tenant-tokens', '--amount', '40'), { code: 0, out: /changed, version 1/ })
    t.match(await quota('set', 'tenant-tokens', '--amount', '41', '--if-match', '0'), { code: 1 })
    const refused = await ask()
    t.equal(refused.status, 400)
    const id = refused.headers.get('x-request-id') as string
    const why = await runOps({ profile }, ['why', id])
    t.match(why, { code: 0, err: '' })
    t.match(why.out, /refused at .+: request_above_limit, by limit tenant-tokens\./)
    t.match(
      why.out,
      /tenant-tokens: 40 total tokens an hour for tenant=acme; used \d+, asked \d+; .+ Set by: operator\./,
    )

    const override = ['override', 'tenant-tokens', '--match', 'tenant=acme', '--amount', '5000']
    const made = await quota(...override, '--for', '10m', '--reason', 'quota-cli test', '--json')
    t.equal(made.code, 0, made.err)
    t.equal((await ask()).status, 200)
    const { out } = await quota('overrides')
    t.match(out, /tenant=acme +5000 +- +.+ UTC +.+\/olga +quota-cli test$/m)
    t.match(await quota('overrides', '--end', JSON.parse(made.out).id), { code: 0, out: /ended/ })
    t.equal((await ask()).status, 400)
    t.match(await quota('delete', 'tenant-tokens', '--yes'), { code: 0, out: /100000 total tokens an hour/ })
    t.equal((await ask()).status, 200)
  },
)

t.test('usage, top and reset', async (t) => {
  t.equal((await ask()).status, 200)
  const usage = await quota('usage', '--limit', 'tenant-tokens')
  t.match(usage.out, /^tenant-tokens\|total_tokens\/hour\|tenant=acme +[1-9]\d* +100000 +\d+ /m)
  t.match(usage.out, /^tenant-tokens +acme +[1-9]/m, 'who was throttled')
  t.match(usage.out, /^store embedded, available/m)
  const top = await quota('top', '--once', '--sort', 'refused')
  t.match(top, { code: 0, out: /store embedded available/ })
  t.match(top.out, /tenant-tokens +tenant=acme/)
  const key = 'tenant-tokens|total_tokens/hour|tenant=acme'
  t.match(await quota('reset', key, '--yes', '--reason', 'quota-cli test'), { code: 0, out: /used 0/ })
  t.match(await quota('reset', 'bogus|requests/hour|', '--yes'), { code: 1, err: /404 not_found/ })
})

t.test('explain: a call that would pass, one that would not, and nothing is charged', async (t) => {
  const claims = ['--tenant', 'fresh', '--role', 'app', '--model', 'demo']
  const small = await quota(
    'explain',
    ...claims,
    '--sample',
    'write to jane@example.com',
    '--max-tokens',
    '50',
  )
  t.match(small, { code: 0, out: /^This call would pass\. Nothing was charged\.\n/ })
  t.match(small.out, /^EMAIL_ADDRESS +mask +1$/m)
  t.notMatch(small.out, /jane/)
  const large = await quota('explain', ...claims, '--input-tokens', '200000')
  t.match(large.out, /^This call would be refused at step limit tenant-tokens\./)
  t.match(large.out, /never +config +100000 +- +-$/m)
  const token = await quota('explain', '--for-token', join(folder, 'app.token'), '--model', 'secret')
  t.match(token.out, /refuse +model_not_found/)
  t.notMatch((await quota('usage', '--tenant', 'fresh')).out, /tenant=fresh/)
})

t.test('a file is applied once, and then there is no difference', async (t) => {
  const file = write(
    'quotas.yaml',
    `limits:
  tenant-tokens: {counts: total_tokens, per: hour, amount: 7000, by: [tenant]}
  everybody: {counts: requests, per: minute, amount: 600, by: [], mode: shadow}
`,
  )
  t.match(await quota('diff', file), { code: 1, out: /2 to create; 0 as the file says/ })
  t.match(await quota('apply', file, '--dry-run'), { code: 0, out: /Nothing was sent/ })
  t.equal((await quota('diff', file)).code, 1)
  t.match(await quota('apply', file), { code: 0, out: /everybody: created, version 1 \(2 of 2\)/ })
  t.match(await quota('diff', file, '--prune'), { code: 0, out: /^No difference; 2 as the file says/ })
  t.match(await quota('apply', write('none.yaml', 'limits: {}'), '--prune'), {
    code: 0,
    out: /Done: 2 changed/,
  })
  t.match((await quota('get', 'tenant-tokens')).out, /amount +100000/)
})

t.test('a role is needed, and to change something another one', async (t) => {
  t.equal((await quota('list', ...as('auditor.token'))).code, 0)
  const change = ['set', 'tenant-tokens', '--amount', '1']
  t.match(await quota(...change, ...as('auditor.token')), {
    code: 1,
    err: /may not change anything here \(403/,
  })
  t.match(await quota('list', ...as('app.token')), { code: 1, err: /An operator needs role ops/ })
  t.match(await quota('list', ...as('me.crt')), { code: 1, err: /not one line of plain characters/ })
  const stranger = await stack.serverCa.issue({ uris: ['spiffe://td.test/app'] })
  const certificate = ['--cert', write('x.crt', stranger.cert), '--key', write('x.key', stranger.key)]
  t.match(await quota('list', ...certificate), {
    code: 1,
    err: /look at --cert|refuses the client certificate/,
  })
})

t.test('every change stands in the audit log, with who and why', (t) => {
  const names = stack.audit().map(({ event, type }) => event ?? type)
  for (const event of [
    'quota.changed',
    'quota.deleted',
    'override.created',
    'override.deleted',
    'bucket.reset',
  ])
    t.ok(names.includes(event), event)
  t.match(JSON.stringify(stack.audit()), /quota-cli test/)
  t.end()
})
