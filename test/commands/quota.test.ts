import t, { type Test } from 'tap'
import { refusal, type SimulatedOps, startSimulatedOps } from '../support/simulated-ops.ts'
import { runOps } from './run-ops.ts'
import { simulatedTerminal } from './simulated-terminal.ts'

const tokens = {
  counts: 'total_tokens',
  per: 'minute',
  amount: 100_000,
  by: ['tenant'],
  mode: 'enforce',
  onStoreFailure: 'lease',
  timeZone: 'UTC',
}
const inFlight = {
  ...tokens,
  counts: 'in_flight',
  per: undefined,
  amount: 8,
  where: { roles: ['app'] },
}

async function opsWithLimits(t: Test): Promise<SimulatedOps> {
  const ops = await startSimulatedOps()
  t.teardown(() => ops.stop())
  ops.quotas.set('tokens', { rule: tokens, source: 'config', version: 0, configured: tokens })
  ops.quotas.set('role.app.in_flight', { rule: inFlight, source: 'role', version: 0, configured: inFlight })
  return ops
}

const changing = ({ asked }: SimulatedOps): string[] =>
  asked.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`)

t.test('list: a line for each limit, and JSON as it came', async (t) => {
  const ops = await opsWithLimits(t)
  const { code, out, err } = await runOps(ops, ['quota', 'list'])
  t.same({ code, err }, { code: 0, err: '' })
  t.match(out, /^NAME +AMOUNT +COUNTS +PER +BURST +BY +WHERE +MODE +SET BY +VERSION$/m)
  t.match(out, /^role\.app\.in_flight +8 +in_flight +- +- +tenant +roles app +enforce +role +0$/m)
  t.match(out, /^tokens +100000 +total_tokens +minute +100000 +tenant +- +enforce +config +0$/m)
  const json = await runOps(ops, ['quota', 'list', '--json'])
  t.equal(JSON.parse(json.out).quotas.length, 2)
  ops.quotas.clear()
  t.equal((await runOps(ops, ['quota', 'list'])).out, 'There are no limits.\n')
})

t.test('get: in full, with what the configuration says instead', async (t) => {
  const ops = await opsWithLimits(t)
  const quota = { rule: { ...tokens, amount: 5000 }, source: 'operator', version: 7 } as const
  ops.quotas.set('tokens', { ...quota, configured: tokens })
  const { code, out } = await runOps(ops, ['quota', 'get', 'tokens'])
  t.equal(code, 0)
  t.match(out, /^ {2}set by +an operator, by alice at 2026-08-01 12:00:00 UTC\n {2}version +7$/m)
  t.match(out, /The configuration differs; .+:\n {2}amount +100000\n {2}burst +100000\n/)
  t.equal(JSON.parse((await runOps(ops, ['quota', 'get', 'tokens', '--json'])).out).version, '7')
  const none = await runOps(ops, ['quota', 'get', 'bogus'])
  t.same(none, { code: 1, out: '', err: 'There is no limit bogus. Which there are: sallyport quota list\n' })
  for (const name of ['..', 'A', 'a/b', '-', 'a'.repeat(200)])
    t.equal((await runOps(ops, ['quota', 'get', '--', name])).code, 2, name)
})

t.test('set: only what is said changes, in the version that was read', async (t) => {
  const ops = await opsWithLimits(t)
  const { code, out } = await runOps(ops, ['quota', 'set', 'tokens', '--amount', '200000'])
  t.equal(code, 0)
  t.equal(out, 'tokens: changed, version 1.\n  amount: 100000 -> 200000\n  burst: 100000 -> 200000\n')
  t.same(ops.quotas.get('tokens')?.rule, { ...tokens, amount: 200_000 })
  t.equal(ops.asked.at(-1)?.headers['if-match'], '"0"')
  const again = await runOps(ops, ['quota', 'set', 'tokens', '--amount', '200000'])
  t.equal(again.out, 'tokens: nothing to change, version 1.\n')
  t.same(changing(ops), ['PUT /admin/v1/quotas/tokens'])
})

t.test('set: a new limit says what it needs, and is created only while nobody else does', async (t) => {
  const ops = await opsWithLimits(t)
  const poor = await runOps(ops, ['quota', 'set', 'fresh', '--amount', '5'])
  t.match(poor, { code: 2, err: 'There is no limit of that name yet. A new one needs --counts.' })
  const args = ['quota', 'set', 'fresh', '--counts', 'requests', '--per', 'hour', '--amount', '600']
  const more = ['--by', 'tenant,model', '--tenant', 'acme', 'b*', '--mode', 'shadow', '--burst', '7']
  t.equal((await runOps(ops, [...args, ...more])).code, 0)
  t.same(ops.quotas.get('fresh')?.rule, {
    counts: 'requests',
    per: 'hour',
    amount: 600,
    burst: 7,
    by: ['tenant', 'model'],
    where: { tenants: ['acme', 'b*'] },
    mode: 'shadow',
  })
  t.equal(ops.asked.at(-1)?.headers['if-none-match'], '*')
  await runOps(ops, ['quota', 'set', 'fresh', '--anybody', '--by', 'none', '--burst', 'default'])
  t.same(ops.quotas.get('fresh')?.rule, {
    counts: 'requests',
    per: 'hour',
    amount: 600,
    by: [],
    mode: 'shadow',
  })
  await runOps(ops, ['quota', 'set', 'fresh', '--counts', 'in_flight'])
  t.match(ops.quotas.get('fresh')?.rule, { counts: 'in_flight', per: undefined })
})

t.test('set: a burst that somebody chose stays, one of another unit does not', async (t) => {
  const ops = await opsWithLimits(t)
  const chosen = { ...tokens, burst: 123 }
  ops.quotas.set('tokens', { rule: chosen, source: 'operator', version: 1, configured: null })
  await runOps(ops, ['quota', 'set', 'tokens', '--amount', '200000'])
  t.equal(ops.quotas.get('tokens')?.rule['burst'], 123)
  await runOps(ops, ['quota', 'set', 'tokens', '--per', 'hour'])
  t.equal(ops.quotas.get('tokens')?.rule['burst'], undefined)
  // The gateway fills it in where nobody chose one.
  ops.quotas.set('tokens', {
    rule: { ...tokens, burst: 100_000 },
    source: 'operator',
    version: 1,
    configured: null,
  })
  await runOps(ops, ['quota', 'set', 'tokens', '--amount', '7'])
  t.equal(ops.quotas.get('tokens')?.rule['burst'], undefined)
})

t.test('set: a field of a later version of the gateway is sent back as it came', async (t) => {
  const ops = await opsWithLimits(t)
  const rule = { ...tokens, novel: { deep: [1] } }
  ops.quotas.set('tokens', { rule, source: 'operator', version: 1, configured: null })
  await runOps(ops, ['quota', 'set', 'tokens', '--amount', '7'])
  t.same(ops.quotas.get('tokens')?.rule['novel'], { deep: [1] })
})

t.test('set: dry runs and stale versions change nothing', async (t) => {
  const ops = await opsWithLimits(t)
  const dry = await runOps(ops, ['quota', 'set', 'tokens', '--amount', '1', '--dry-run'])
  t.match(dry, { code: 0, out: /would be changed\. Nothing was sent\.\n {2}amount: 100000 -> 1\n/ })
  const json = await runOps(ops, ['quota', 'set', 'tokens', '--amount', '1', '--dry-run', '--json'])
  t.match(JSON.parse(json.out), { changed: false, dry_run: true, version: '0', rule: { amount: 1 } })
  const stale = await runOps(ops, ['quota', 'set', 'tokens', '--amount', '1', '--if-match', '3'])
  t.match(stale, { code: 1, err: /tokens is at version 0, not 3: it was changed meanwhile/ })
  t.same(changing(ops), [])
  t.equal(ops.quotas.get('tokens')?.rule['amount'], 100_000)
})

t.test('set: somebody else was faster', async (t) => {
  const ops = await opsWithLimits(t)
  ops.meanwhile = ({ method }) => {
    if (method === 'PUT')
      ops.quotas.set('tokens', { rule: tokens, source: 'operator', version: 9, configured: tokens })
  }
  const { code, out, err } = await runOps(ops, ['quota', 'set', 'tokens', '--amount', '1'])
  t.same({ code, out }, { code: 1, out: '' })
  t.match(err, /It was changed meanwhile, by somebody else \(412\)\. Nothing was changed now/)
  t.equal(ops.quotas.get('tokens')?.version, 9)
})

t.test('set: what makes no limit is said before anything is sent', async (t) => {
  const ops = await opsWithLimits(t)
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['--amount', '0'], /An amount is a number above 0/],
    [['--amount', '1e9'], /An amount is/],
    [['--amount', '1.5'], /--amount is a whole number/],
    [['--amount', '9999999999'], /--amount is at most 1000000000/],
    [['--counts', 'cost'], /--per of a cost limit is day or month/],
    [['--time-zone', 'Mars/Base'], /--time-zone is not a time zone/],
    [['--by', 'tenant,color'], /told apart by some of/],
    [['--burst', '-1'], /A burst is/],
    [['--mode', 'off'], /Allowed choices are enforce, shadow/],
  ]
  for (const [args, line] of wrong)
    t.match(await runOps(ops, ['quota', 'set', 'tokens', ...args]), { code: 2, out: '', err: line })
  t.same(changing(ops), [])
})

t.test('delete: asks, says what applies afterwards, and never touches what is configured', async (t) => {
  const ops = await opsWithLimits(t)
  const configured = await runOps(ops, ['quota', 'delete', 'tokens', '--yes'])
  t.match(configured, { code: 1, err: /tokens is set in the configuration, not by an operator/ })
  ops.quotas.set('tokens', { rule: tokens, source: 'operator', version: 4, configured: tokens })
  const silent = await runOps(ops, ['quota', 'delete', 'tokens'])
  t.match(silent, { code: 2, err: /Nobody can be asked here, so nothing was changed\. Add --yes/ })
  const no = simulatedTerminal({ answer: 'n' })
  t.match(await runOps(ops, ['quota', 'delete', 'tokens'], { terminal: no }), { code: 1, err: /Nothing was/ })
  t.match(no.asked, [
    /Delete the operator's quota tokens\? What is configured applies: 100000 total tokens a/,
  ])
  t.same(changing(ops), [])
  const yes = simulatedTerminal({ answer: 'yes' })
  t.match(await runOps(ops, ['quota', 'delete', 'tokens'], { terminal: yes }), { code: 0, out: /deleted/ })
  t.equal(ops.asked.at(-1)?.headers['if-match'], '"4"')
  ops.quotas.set('lone', { rule: tokens, source: 'operator', version: 1, configured: null })
  t.match((await runOps(ops, ['quota', 'delete', 'lone', '-y'])).out, /nothing takes its place/)
  t.match(await runOps(ops, ['quota', 'delete', 'lone', '-y']), { code: 1, err: /There is no limit lone/ })
})

t.test('reset: one bucket, by its key, after a question', async (t) => {
  const ops = await opsWithLimits(t)
  const key = 'tokens|total_tokens/minute|tenant=acme%20inc'
  ops.answers.set('POST /admin/v1/usage/reset', {
    status: 200,
    body: { bucket: { key, used: 0, remaining: 100_000 } },
  })
  t.equal((await runOps(ops, ['quota', 'reset', 'tokens', '-y'])).code, 2)
  t.equal((await runOps(ops, ['quota', 'reset', key])).code, 2)
  t.same(changing(ops), [])
  const terminal = simulatedTerminal({ answer: 'y' })
  const { code, out } = await runOps(ops, ['quota', 'reset', key], { terminal })
  t.same({ code, out }, { code: 0, out: `${key}: emptied; used 0, remaining 100000.\n` })
  t.match(terminal.asked, [/^Empty the bucket of limit tokens for tenant=acme inc\?/])
  t.same(ops.asked.at(-1)?.body, { key })
})

t.test('override: expiry and reason are mandatory and bounded', async (t) => {
  const ops = await opsWithLimits(t)
  const sent = { id: 'o-1', limit: 'tokens', expires_at: '2026-08-01T14:00:00Z' }
  ops.answers.set('POST /admin/v1/overrides', { status: 201, body: sent })
  const base = ['quota', 'override', 'tokens', '--match', 'tenant=acme,model=m', '--amount', '5']
  const whole = [...base, '--for', '1d12h', '--reason', ' launch day ']
  const missing: readonly (readonly [readonly string[], RegExp])[] = [
    [[...base, '--reason', 'launch'], /required option '--for <time>'/],
    [[...base, '--for', '2h'], /required option '--reason <text>'/],
    [[...base, '--for', '32d', '--reason', 'launch'], /A time is such as/],
    [[...base, '--for', '9s', '--reason', 'launch'], /A time is such as/],
    [[...base, '--for', '2', '--reason', 'launch'], /A time is such as/],
    [[...base, '--for', '2h', '--reason', ' a '], /A reason has 3 to 500/],
    [[...base, '--for', '2h', '--reason', 'two\nlines'], /A reason has/],
    [[...whole, '--match', 'tenant=b'], /each once/],
    [[...whole, '--match', 'color=red'], /Which buckets/],
    [[...whole, '--match', 'role='], /Which buckets/],
  ]
  for (const [args, line] of missing) t.match(await runOps(ops, args), { code: 2, out: '', err: line })
  t.match(await runOps(ops, [...whole, '--dry-run']), { code: 0, out: /5 for 1 d 12 h\. Nothing was sent/ })
  t.same(ops.asked, [])
  const { code, out } = await runOps(ops, whole)
  t.equal(code, 0)
  t.match(out, 'tokens of tenant=acme, model=m: 5 until 2026-08-01 14:00:00 UTC. Id: o-1\n')
  t.same(ops.asked.at(-1)?.body, {
    limit: 'tokens',
    match: { tenant: 'acme', model: 'm' },
    amount: 5,
    expiresInSeconds: 129_600,
    reason: 'launch day',
  })
})

t.test('overrides: which there are, and one that ends', async (t) => {
  const ops = await opsWithLimits(t)
  const override = {
    id: 'o-1',
    limit: 'tokens',
    match: { tenant: 'acme' },
    amount: 5,
    expires_at: '2026-08-01T14:00:00Z',
    reason: 'launch day',
    created_by: 'alice',
  }
  ops.answers.set('GET /admin/v1/overrides', { status: 200, body: { overrides: [override] } })
  ops.answers.set('DELETE /admin/v1/overrides/o-1', { status: 204 })
  const { out } = await runOps(ops, ['quota', 'overrides'])
  t.match(out, /^o-1 +tokens +tenant=acme +5 +- +2026-08-01 14:00:00 UTC +alice +launch day$/m)
  t.match(await runOps(ops, ['quota', 'overrides', '--end', 'o-1']), { code: 0, out: /o-1: ended/ })
  t.equal((await runOps(ops, ['quota', 'overrides', '--end', '../quotas/x'])).code, 2)
  t.match(await runOps(ops, ['quota', 'overrides', '--end', 'o-2']), { code: 1, err: /404/ })
})

t.test('usage: exact figures, page by page, to the bound', async (t) => {
  const ops = await opsWithLimits(t)
  const bucket = (index: number) => ({
    key: `tokens|total_tokens/minute|tenant=t${index}`,
    limit: 'tokens',
    dimensions: { tenant: `t${index}` },
    used: 99_801,
    burst: 100_000,
    remaining: 199,
    share: 0.99801,
    reset_ms: 59_881,
    source: 'config',
    mode: 'enforce',
  })
  ops.answers.set('GET /admin/v1/usage', ({ path }) => {
    const query = new URL(path, 'https://x').searchParams
    const from = Number(query.get('cursor') ?? 0)
    const count = Number(query.get('count'))
    const buckets = Array.from({ length: count }, (_, index) => bucket(from + index))
    const store = {
      kind: 'redis',
      available: false,
      replicas: 2,
      backlog: 3,
      away_since: '2026-08-01T14:00:00Z',
    }
    return { status: 200, body: { buckets, cursor: String(from + count), throttled: [], store } }
  })
  const { code, out } = await runOps(ops, ['quota', 'usage', '--tenant', 'a&b=c', '--count', '150'])
  t.equal(code, 0)
  t.match(out, /^tokens\|total_tokens\/minute\|tenant=t149 +99801 +100000 +199 +99\.8 % +1 min +config/m)
  t.notMatch(out, /tenant=t150/)
  t.match(out, 'There are more: narrow it down, or raise --count.')
  t.match(out, 'store redis, AWAY since 2026-08-01 14:00:00 UTC, replicas 2, 3 settlements wait for it\n')
  t.same(
    ops.asked.map(({ path }) => path),
    ['/admin/v1/usage?tenant=a%26b%3Dc&count=100', '/admin/v1/usage?tenant=a%26b%3Dc&cursor=100&count=50'],
  )
  const json = JSON.parse((await runOps(ops, ['quota', 'usage', '--json', '--count', '1'])).out)
  t.match(json, { buckets: [{ reset_ms: 59_881, used: 99_801 }], more: true, store: { available: false } })
})

t.test('usage: a cursor that leads nowhere is not followed for ever', async (t) => {
  const ops = await opsWithLimits(t)
  ops.answers.set('GET /admin/v1/usage', { status: 200, body: { buckets: [], cursor: 'x', store: {} } })
  t.match(await runOps(ops, ['quota', 'usage']), { code: 0, out: /^Nothing is used\.\nThere are more/ })
  t.equal(ops.asked.length, 2)
})

t.test('explain: the trace in order, limits with who set them, and no value of the sample', async (t) => {
  const ops = await opsWithLimits(t)
  const limit = {
    name: 'tokens',
    key: 'tokens|total_tokens/minute|tenant=acme',
    source: 'override',
    overlay: {
      config: { amount: 100_000, burst: null, until: null },
      operator: null,
      override: { amount: 5, burst: null, until: '2026-08-01T14:00:00Z' },
    },
    asked: 1700,
    used: 99_800,
    remaining: 200,
    reset_ms: 59_880,
    verdict: 'refuse',
    wait_ms: null,
  }
  const findings = [{ entity: 'EMAIL_ADDRESS', action: 'mask', count: 1 }]
  const redaction = { profile: 'mask', blocked: false, findings }
  const trace = [
    { step: 'authorize', outcome: 'pass', detail: 'role app' },
    { step: 'reserve', outcome: 'refuse', detail: 'limit tokens', code: 'request_above_limit' },
  ]
  const body = { allowed: false, trace, limits: [limit], redaction }
  ops.answers.set('POST /admin/v1/explain', { status: 200, body })
  const call = ['--tenant', 'acme', '--role', 'app', 'research', '--model', 'demo', '--max-tokens', '500']
  const { code, out } = await runOps(ops, ['quota', 'explain', ...call, '--sample', 'jane@example.com'])
  t.equal(code, 0)
  t.match(out, /^This call would be refused at step reserve\. Nothing was charged\.\n/)
  t.match(out, /^1 +authorize +pass +role app\n2 +reserve +refuse +request_above_limit: limit tokens$/m)
  t.match(
    out,
    /1700 +99800 +200 +1 min +refuse +never +override +100000 +- +5 until 2026-08-01 14:00:00 UTC$/m,
  )
  t.match(out, /profile mask: counts, never values\nENTITY .+\nEMAIL_ADDRESS +mask +1$/m)
  t.same(ops.asked.at(-1)?.body, {
    claims: { tenant: 'acme', roles: ['app', 'research'] },
    endpoint: 'chat.completions',
    model: 'demo',
    max_tokens: 500,
    sample: 'jane@example.com',
  })
  const file = ops.write('caller.token', 'caller-token\n')
  await runOps(ops, ['quota', 'explain', '--for-token', file, '--model', 'demo'])
  t.match(ops.asked.at(-1)?.body, { token: 'caller-token' })
  for (const args of [
    ['--model', 'm'],
    ['--model', 'm', '--tenant', 'a'],
    ['--model', 'm', '--tenant', 'a', '--role', 'b', '--for-token', file],
    ['--tenant', 'a', '--role', 'b'],
    ['--model', 'm', '--tenant', 'a', '--role', 'b', '--sample', 'x'.repeat(49_153)],
  ])
    t.match(await runOps(ops, ['quota', 'explain', ...args]), { code: 2, out: '' })
})

t.test('what the gateway writes cannot steer the terminal, in tables, JSON and errors', async (t) => {
  const ops = await opsWithLimits(t)
  const evil = '\u001b]0;owned\u0007\u001b[2J\u009b31m\r\n\u202eevil\u2028\u{e0041}'
  const rule = { ...tokens, mode: evil, where: { tenants: [evil] }, [evil]: evil }
  ops.quotas.set('tokens', { rule, source: 'operator', version: 1, configured: null })
  ops.answers.set('GET /admin/v1/overrides', refusal(400, evil, evil, evil))
  const control = /[^\n\P{Cc}]|[\p{Cf}\u2028]/u
  for (const args of [
    ['list'],
    ['list', '--json'],
    ['get', 'tokens'],
    ['get', 'tokens', '--json'],
    ['set', 'tokens', '--amount', '3', '--dry-run', '--json'],
    ['overrides'],
  ]) {
    const { out, err } = await runOps(ops, ['quota', ...args])
    t.match(out + err, /owned/, args.join(' '))
    t.notMatch(out + err, control, args.join(' '))
  }
  const json = await runOps(ops, ['quota', 'get', 'tokens', '--json'])
  t.equal(JSON.parse(json.out).rule.mode, evil, 'JSON reads back the same')
})

t.test('an answer of something else than the operators listener', async (t) => {
  const ops = await opsWithLimits(t)
  for (const body of [undefined, null, [], {}, { quotas: 1 }, 'text']) {
    ops.answers.set('GET /admin/v1/quotas', { status: 200, body })
    const { code, out, err } = await runOps(ops, ['quota', 'list'])
    t.same({ code, out }, { code: 1, out: '' })
    t.match(err, /^The answer has no list of quotas\. Is that the operators' listener/)
  }
})
