import t, { type Test } from 'tap'
import { type SimulatedOps, startSimulatedOps } from '../support/simulated-ops.ts'
import { runOps } from './run-ops.ts'

const rule = (amount: number) => ({ counts: 'total_tokens', per: 'minute', amount, by: ['tenant'] })
const stored = (amount: number) => ({
  ...rule(amount),
  mode: 'enforce',
  onStoreFailure: 'lease',
  timeZone: 'UTC',
})

/** a: as in the file, b: other than in the file, c: configured alone, d: in no file; e is new. */
async function opsWithQuotas(t: Test): Promise<{ ops: SimulatedOps; file: string }> {
  const ops = await startSimulatedOps()
  t.teardown(() => ops.stop())
  ops.quotas.set('a', { rule: stored(10), source: 'operator', version: 3, configured: null })
  ops.quotas.set('b', { rule: stored(10), source: 'operator', version: 4, configured: stored(1) })
  ops.quotas.set('c', { rule: stored(10), source: 'config', version: 0, configured: stored(10) })
  ops.quotas.set('d', { rule: stored(10), source: 'operator', version: 5, configured: null })
  const limits = { a: rule(10), b: rule(20), c: rule(10), e: rule(30) }
  return { ops, file: ops.write('quotas.json', JSON.stringify({ limits })) }
}

const changing = ({ asked }: SimulatedOps): string[] =>
  asked
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path, headers }) => {
      const condition = headers['if-match'] ?? headers['if-none-match']
      return `${method} ${path.split('/').at(-1)} ${condition}`
    })

t.test('diff: what apply would do, 1 for differences, and nothing is sent', async (t) => {
  const { ops, file } = await opsWithQuotas(t)
  const { code, out, err } = await runOps(ops, ['quota', 'diff', file])
  t.same({ code, err }, { code: 1, err: '' })
  t.match(out, '~ b (version 4)\n    amount: 10 -> 20\n    burst: 10 -> 20\n')
  t.match(out, '+ c (over what is configured)\n')
  t.match(out, '+ e\n    counts: total_tokens\n    amount: 30\n')
  t.match(out, '2 to create, 1 to update; 1 as the file says.\n')
  t.match(out, "Operators' quotas that the file does not name stay (--prune deletes them): d\n")
  const pruned = await runOps(ops, ['quota', 'diff', file, '--prune', '--json'])
  t.match(JSON.parse(pruned.out), {
    different: true,
    steps: [
      { action: 'update', name: 'b', version: '4' },
      { action: 'create', name: 'c' },
      { action: 'create', name: 'e' },
      { action: 'delete', name: 'd', rule: null },
    ],
    same: ['a'],
    unmanaged: [],
  })
  t.same(changing(ops), [])
})

t.test('apply: makes it so, in the versions that were seen; then there is no difference', async (t) => {
  const { ops, file } = await opsWithQuotas(t)
  const dry = await runOps(ops, ['quota', 'apply', file, '--dry-run'])
  t.match(dry, { code: 0, out: /~ b .+Nothing was sent\.\n$/s })
  t.same(changing(ops), [])
  const { code, out, err } = await runOps(ops, ['quota', 'apply', file])
  t.same({ code, err }, { code: 0, err: '' })
  t.match(
    out,
    /^b: updated, version 5 \(1 of 3\)\nc: created, version 1 .+\ne: created, version 1 .+\nDone: 3 /,
  )
  t.same(changing(ops), ['PUT b "4"', 'PUT c "0"', 'PUT e *'])
  t.match(await runOps(ops, ['quota', 'diff', file]), { code: 0, out: /^No difference; 4 as the file says/ })
  t.match(await runOps(ops, ['quota', 'apply', file]), { code: 0, out: /^No difference/ })
  t.equal(changing(ops).length, 3, 'a second run sends nothing')
  const pruned = await runOps(ops, ['quota', 'apply', file, '--prune', '--json'])
  t.match(JSON.parse(pruned.out), { applied: [{ name: 'd', action: 'delete' }], failed: null, left: [] })
  t.match(pruned.err, 'd: deleted (1 of 1)\n')
  t.notOk(ops.quotas.has('d'))
  t.equal((await runOps(ops, ['quota', 'diff', file, '--prune'])).code, 0)
})

t.test('apply: stops at the first conflict, and says what is done and what is left', async (t) => {
  const { ops, file } = await opsWithQuotas(t)
  const intrude = (): void => {
    ops.meanwhile = ({ method, path }) => {
      if (method === 'PUT' && path.endsWith('/c'))
        ops.quotas.set('c', { rule: stored(7), source: 'operator', version: 1, configured: stored(10) })
    }
  }
  intrude()
  const { code, out, err } = await runOps(ops, ['quota', 'apply', file, '--prune'])
  t.equal(code, 1)
  t.match(out, /^b: updated, version 5 \(1 of 4\)\n$/)
  t.match(err, /^Stopped at c: It was changed meanwhile, by somebody else \(412\)/)
  t.match(err, '\nDone before it: b. Not tried: e, d.\n')
  t.equal(ops.quotas.get('c')?.rule['amount'], 7)
  t.ok(ops.quotas.has('d'))

  ops.meanwhile = () => {}
  const again = await runOps(ops, ['quota', 'apply', file, '--json'])
  t.match(JSON.parse(again.out), { applied: [{ name: 'c' }, { name: 'e' }], same: ['a', 'b'] })
})

t.test('apply: the report of a stop is JSON too', async (t) => {
  const { ops, file } = await opsWithQuotas(t)
  ops.meanwhile = ({ method }) => {
    if (method === 'PUT')
      ops.quotas.set('b', { rule: stored(7), source: 'operator', version: 9, configured: null })
  }
  const { code, out, err } = await runOps(ops, ['quota', 'apply', file, '--json'])
  t.equal(code, 1)
  const failed = { name: 'b', status: 412, code: 'version_changed' }
  t.match(JSON.parse(out), { applied: [], failed, left: [{ name: 'c' }, { name: 'e' }] })
  t.match(err, /Stopped at b/)
})

t.test('rules that mean the same are the same, however they are written', async (t) => {
  const ops = await startSimulatedOps()
  t.teardown(() => ops.stop())
  const filled = {
    ...stored(60),
    counts: 'requests',
    burst: 10,
    by: ['tenant', 'model'],
    where: { tenants: ['a', 'b'] },
  }
  ops.quotas.set('same', { rule: filled, source: 'operator', version: 1, configured: null })
  const file = ops.write(
    'quotas.yaml',
    `limits:
  same: # no burst: ten seconds' worth is what it comes to
    timeZone: UTC
    where: {tenants: [b, a]}
    by: [model, tenant]
    amount: 60
    per: minute
    counts: requests
`,
  )
  t.match(await runOps(ops, ['quota', 'diff', file]), { code: 0 })
  for (const [from, to] of [
    ['amount: 60', 'amount: 61'],
    ['[b, a]', '[b, a, c]'],
    ['[model, tenant]', '[model]'],
    ['per: minute', 'per: hour'],
    ['timeZone: UTC', 'mode: shadow'],
    ['where: {tenants: [b, a]}', 'onStoreFailure: closed'],
  ] as const) {
    const text = `limits: {same: {counts: requests, amount: 60, per: minute, by: [model, tenant], where: {tenants: [b, a]}, timeZone: UTC}}`
    const other = ops.write('other.yaml', text.replace(from, to))
    t.equal((await runOps(ops, ['quota', 'diff', other])).code, 1, to)
  }
})

t.test('a file that is wrong: every mistake with its place, 3, and nothing is asked', async (t) => {
  const ops = await startSimulatedOps()
  t.teardown(() => ops.stop())
  const text = `limits:
  a: {counts: tokens, per: minute, amount: 5, by: []}
  B: {counts: requests, per: minute, amount: 5, by: []}
  c: {counts: requests, per: minute, amount: 5, by: [], mod: shadow}
`
  const file = ops.write('wrong.yaml', text)
  for (const command of ['diff', 'apply']) {
    const { code, out, err } = await runOps(ops, ['quota', command, file])
    t.same({ code, out }, { code: 3, out: '' })
    t.match(err, /wrong\.yaml:2:7 limits\.a\.counts must be one of: requests, input_tokens/)
    t.match(err, /wrong\.yaml:3:3 limits\.B "B" cannot stand here/)
    t.match(err, /wrong\.yaml:4:\d+ limits\.c\.mod is not a key that is known here/)
  }
  const odd: readonly (readonly [string, RegExp])[] = [
    [
      'limits: {a: {counts: requests, amount: 5, by: []}}',
      /limits\.a per is missing|limits\.a\.per is missing/,
    ],
    ['limits: {a: {counts: requests, per: day, amount: 1.5, by: []}}', /limits\.a\.amount is a whole number/],
    ['limits: {a: 1, a: 2}', /Map keys must be unique/],
    ['limits: !!js/function "x"', /Unresolved tag/],
    ['', /is empty/],
    ['[]', /must be a mapping/],
    ['limits: "\u001b[2J\\e[2J"', /limits must be a mapping|control|Unexpected/i],
  ]
  for (const [bad, line] of odd) {
    const run = await runOps(ops, ['quota', 'diff', ops.write('odd.yaml', bad)])
    t.match(run, { code: 3, out: '', err: line }, JSON.stringify(bad))
    t.notOk(run.err.includes('\u001b'))
  }
  t.same(ops.asked, [])
})

t.test('diff: a gateway that does not answer is no difference, and no agreement', async (t) => {
  const ops = await startSimulatedOps()
  t.teardown(() => ops.stop())
  const file = ops.write('quotas.yaml', 'limits: {}')
  t.equal((await runOps(ops, ['quota', 'diff', file])).code, 0)
  ops.write('token', 'wrong')
  t.match(await runOps(ops, ['quota', 'diff', file]), { code: 2, out: '', err: /token is refused/ })
  t.match(await runOps(ops, ['quota', 'diff', `${file}.none`]), { code: 2, err: /There is no file/ })
})
