import t from 'tap'
import { refusals } from '../../src/refusal.ts'
import { type SimulatedOps, startSimulatedOps } from '../support/simulated-ops.ts'
import { runOps } from './run-ops.ts'

const ops: SimulatedOps = await startSimulatedOps()
t.teardown(() => ops.stop())

const limit = {
  name: 'tenant-tokens',
  key: 'tenant-tokens|total_tokens/minute|tenant=acme',
  used: 99_800,
  amount: 100_000,
  asked: 4200,
  wait_ms: 2400,
  source: 'config',
}
const decision = {
  request_id: 'r1',
  time: '2026-08-01T12:03:04.567Z',
  tenant: 'acme',
  principal: 'https://issuer.test/alice',
  roles: ['app', 'research'],
  endpoint: 'chat.completions',
  model: 'demo',
  code: 'rate_limit_exceeded',
  detail: 'limit ...',
  limits: [limit, { ...limit, name: 'other', wait_ms: 0 }],
  policy: '3f6c0d',
}
const whyOf = async (changes: object) => {
  ops.answers.set('GET /admin/v1/decisions/r1', { status: 200, body: { ...decision, ...changes } })
  return await runOps(ops, ['why', 'r1'])
}

t.test('a limit: who, what, how much, when it would have passed, who set it, and what to do', async (t) => {
  const { code, out } = await whyOf({})
  t.equal(code, 0)
  const [first, second, third] = out.split('\n')
  t.equal(
    first,
    'Request r1 was refused at 2026-08-01 12:03:04 UTC: rate_limit_exceeded, by limit tenant-tokens.',
  )
  t.equal(
    second,
    'https://issuer.test/alice of tenant acme, as app, research asked for chat.completions with model demo.',
  )
  t.equal(
    third,
    'tenant-tokens: 100000 total tokens a minute for tenant=acme; used 99800, asked 4200; it would have passed after 2.4 s. Set by: config.',
  )
  t.match(out, 'Also asked: other, 100000 total tokens a minute for tenant=acme; used 99800, asked 4200.\n')
  t.match(out, `The caller was told: ${refusals.rate_limit_exceeded.message}\n`)
  t.match(
    out,
    'sallyport quota override tenant-tokens --match tenant=acme --amount N --for 1h --reason "..."\n',
  )
  t.match(out, 'docs/reference/errors.md#rate_limit_exceeded\n')
  t.equal(JSON.parse((await runOps(ops, ['why', 'r1', '--json'])).out).request_id, 'r1')
})

t.test('a call that would never pass, and one bucket for everybody', async (t) => {
  const key = 'all|in_flight|'
  const { out } = await whyOf({
    code: 'request_above_limit',
    limits: [{ ...limit, name: 'all', key, amount: 8, wait_ms: null }],
  })
  t.match(
    out,
    'all: 8 exchanges in flight for everybody; used 99800, asked 4200; it is larger than the limit',
  )
  t.notMatch(out, /quota override/)
})

t.test('limits that were asked before something else refused did not decide', async (t) => {
  const { out } = await whyOf({ code: 'model_not_found', limits: [{ ...limit, asked: null, wait_ms: 0 }] })
  t.match(out, /refused at .+: model_not_found\.\n/)
  t.match(out, /Also asked: tenant-tokens, .+; used 99800, what it asked was not known yet\.\n/)
  t.notMatch(out, /quota (set|override)/)
})

t.test('what a caller chose cannot steer a shell into which the advice is copied', async (t) => {
  const key = `tenant-tokens|total_tokens/minute|tenant=${encodeURIComponent("a'$(rm -rf /)`;\u001b[2J")}`
  const { out } = await whyOf({ limits: [{ ...limit, key }], principal: '\u001b[2J', roles: ['\u202e'] })
  t.match(out, "--match 'tenant=a'\\''$(rm -rf /)`;\\u001b[2J' --amount N")
  t.notMatch(out, /[^\n\P{Cc}]|\p{Cf}/u)
})

t.test('every way to say no has something to do about it', async (t) => {
  for (const code of Object.keys(refusals)) {
    const { out } = await whyOf({ code, limits: [], detail: 'because of this' })
    t.match(out, 'Reason: because of this.\n')
    t.match(out, `The caller was told: ${refusals[code as keyof typeof refusals].message}\n`)
    t.match(out, `More: docs/reference/errors.md#${code}\n`)
  }
  const nobody = await whyOf({
    code: 'novel_code',
    principal: '',
    tenant: '',
    roles: [],
    model: '',
    limits: [],
  })
  t.match(nobody, { code: 0, out: /Nobody who is known asked for chat\.completions\.\n/ })
})

t.test('nothing recorded, and what is no request id', async (t) => {
  const none = await runOps(ops, ['why', 'bogus'])
  t.match(none, {
    code: 1,
    out: '',
    err: /No refusal of request bogus is recorded: .+ The audit log has every/,
  })
  const before = ops.asked.length
  for (const id of ['', '.', '..', 'a/b', 'a b', '?x', '\u001b', 'x'.repeat(201)])
    t.match(await runOps(ops, ['why', id]), { code: 2, err: /A request id is as/ })
  t.equal(ops.asked.length, before)
  t.match(await whyOf({ code: undefined }), { code: 1, err: /The answer has no code/ })
})
