/** `workers: 2`: one gateway of several processes, with limits that are exact over all of them. */
import { join } from 'node:path'
import t from 'tap'
import { runChild } from '../support/child.ts'
import { type Caller, linesOf, main, makeScene, until, workersOf } from '../support/workers.ts'

const scene = await makeScene(2)
t.teardown(() => scene.close())
scene.configure(
  'policies.yaml',
  (text) => `${text}limits:
  few: {counts: requests, per: day, amount: 25, by: [tenant], where: {tenants: [crowd, crowd-2]}}
  spend: {counts: total_tokens, per: day, amount: 400, by: [tenant], where: {tenants: [spender]}}
  slots: {counts: in_flight, amount: 8, by: [tenant], where: {tenants: [holder]}}
`,
)
const callers = Array.from({ length: 8 }, () => scene.caller())

/** How often each status came, of so many calls at once over all callers. */
async function crowd(
  tenant: string,
  calls: number,
  fields: object = {},
): Promise<ReadonlyMap<number, number>> {
  const seen = new Map<number, number>()
  const one = async (index: number): Promise<void> => {
    const reply = await (callers[index % callers.length] as Caller).chat(tenant, { fields })
    await reply.rest()
    seen.set(reply.status, (seen.get(reply.status) ?? 0) + 1)
  }
  await Promise.all(Array.from({ length: calls }, (_, index) => one(index)))
  return seen
}

const verify = (...folder: string[]) =>
  runChild(process.execPath, [main, 'audit', 'verify', join(scene.folder, 'audit', ...folder), '--json'])

const sum = (text: string, pattern: RegExp): number =>
  [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0)

const gateway = await scene.served()

t.test('both serve; probes and metrics are of both; each has its own audit chain', async (t) => {
  t.equal(workersOf(gateway).length, 2)
  // Connections that come one by one are dealt in turn, however busy the machine is.
  for (const caller of callers) {
    const reply = await caller.chat('tenant-a')
    t.equal(reply.status, 200)
    await reply.rest()
  }
  t.same(await crowd('tenant-a', 32), new Map([[200, 32]]))
  const ready = await scene.probe('/readyz')
  t.equal(ready.status, 200)
  t.match(JSON.parse(ready.text), {
    status: 'ok',
    checks: { workers: { detail: '2 of 2 are ready' }, audit: { ready: true } },
  })
  t.equal((await scene.probe('/livez')).status, 200)
  const { text } = await scene.probe('/metrics')
  t.equal(sum(text, /^sallyport_requests_total\{.*\} (\d+)$/gm), 40)
  t.equal(sum(text, /^sallyport_request_duration_seconds_count\{.*\} (\d+)$/gm), 40)
  t.same(text.match(/^sallyport_config_info\{.*$/gm)?.length, 1)
  t.match(text, /^sallyport_config_info\{.*\} 1$/m)
  t.match(text, /^sallyport_audit_healthy 1$/m)
  t.match(text, /^sallyport_workers\{state="serving"\} 2$/m)
  const ended = () => linesOf(gateway).filter(({ event }) => event === 'exchange.ended')
  // Lines leave together, a moment after what they are about.
  await until(() => ended().length === 40, 20_000)
  const served = ended()
  for (const worker of [1, 2])
    t.ok(served.filter((line) => line['worker'] === worker).length >= 10, `worker ${worker} has its part`)
})

t.test('limits are exact over both, and an operator who changes one at one changes it at both', async (t) => {
  const seen = await crowd('crowd', 60)
  t.same([seen.get(200), seen.get(429)], [25, 35])
  const spending = await crowd('spender', 60, { max_tokens: 64 })
  t.ok((spending.get(429) ?? 0) > 0, 'some met the limit')
  const endings = () =>
    linesOf(gateway).filter(({ event, tenant }) => event === 'exchange.ended' && tenant === 'spender')
  await until(() => endings().length === 60, 20_000)
  const spent = endings().reduce(
    (total, line) => total + Number(line['input_tokens'] ?? 0) + Number(line['output_tokens'] ?? 0),
    0,
  )
  const usage = await Promise.all(callers.map((caller) => caller.admin('GET', '/usage?limit=spend')))
  t.same(
    usage.map(({ text }) => JSON.parse(text).buckets[0]?.used),
    callers.map(() => spent),
    'every worker knows it',
  )
  t.ok(spent > 0 && spent <= 400, `${spent}`)
  const rule = { counts: 'requests', per: 'day', amount: 2, by: ['tenant'], where: { tenants: ['rare'] } }
  const made = await callers[0]?.admin('PUT', '/quotas/rarely', rule, { 'if-none-match': '*' })
  t.equal(made?.status, 201)
  const listed = async (): Promise<boolean> => {
    const lists = await Promise.all(callers.map((caller) => caller.admin('GET', '/quotas')))
    return lists.every(({ text }) => text.includes('"rarely"'))
  }
  await until(listed, 20_000)
  const rare = await crowd('rare', 10)
  t.same([rare.get(200), rare.get(429)], [2, 8])
  const refused = linesOf(gateway).find(({ status, tenant }) => status === 429 && tenant === 'rare')
  const why = await Promise.all(
    callers.map((caller) => caller.admin('GET', `/decisions/${refused?.['request_id']}`)),
  )
  t.ok(
    why.every(({ status }) => status === 200),
    'every worker can say why',
  )
})

t.test(
  'a worker is killed: the other serves on, another takes its place, and its slots come free',
  async (t) => {
    const before = workersOf(gateway)
    const held = await Promise.all(callers.map((caller) => caller.chat('holder', { words: 100, gapMs: 50 })))
    t.ok(
      held.every(({ status }) => status === 200),
      'all eight slots',
    )
    t.equal((await scene.caller().chat('holder')).status, 429)
    const counted = sum((await scene.probe('/metrics')).text, /^sallyport_requests_total\{.*\} (\d+)$/gm)
    const [victim] = before as [number]
    process.kill(victim, 'SIGKILL')
    const ends = await Promise.allSettled(held.map(({ rest }) => rest()))
    const cut = ends.filter(({ status }) => status === 'rejected').length
    t.ok(cut >= 1 && cut <= 7, `${cut} of eight streams were on it`)
    await gateway.until(/"event":"worker\.ended"/)
    await until(() => workersOf(gateway).length === 2 && !workersOf(gateway).includes(victim), 20_000)
    await until(async () => (await scene.probe('/readyz')).text.includes('2 of 2'), 20_000)
    const again = await Promise.all(
      callers.map(() => scene.caller().chat('holder', { words: 40, gapMs: 50 })),
    )
    t.ok(
      again.every(({ status }) => status === 200),
      'eight slots again',
    )
    t.equal((await scene.caller().chat('holder')).status, 429, 'and no more')
    await Promise.all(again.map(({ rest }) => rest()))
    const { text } = await scene.probe('/metrics')
    t.ok(sum(text, /^sallyport_requests_total\{.*\} (\d+)$/gm) >= counted, 'counters never run backwards')
    t.match(text, /^sallyport_worker_ends_total\{how="signal"\} 1$/m)
    const report = await verify()
    t.equal(report.code, 0, 'while it serves')
    t.match(JSON.parse(report.out), { intact: true, chains: [{ intact: true }, { intact: true }] })
  },
)

t.test('SIGTERM: all is written, and every exchange is in one of the two chains', async (t) => {
  gateway.process.kill('SIGTERM')
  const { code, signal } = await gateway.ended
  t.same({ code, signal }, { code: 0, signal: null })
  t.equal(JSON.parse((await verify()).out).intact, true)
  const recorded = new Set(scene.audit().map(({ request_id }) => request_id))
  const answered = linesOf(gateway).filter(({ event }) => event === 'exchange.ended')
  t.ok(answered.length > 150)
  t.same(
    answered.filter(({ request_id }) => !recorded.has(request_id)),
    [],
    'no gap',
  )
})
