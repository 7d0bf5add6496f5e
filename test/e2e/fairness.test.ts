// A full pool over the wire: whose turn it is next, by the order in which the model server is asked; who is refused and
// told when to come back; and that a caller who hangs up while it waits leaves nothing behind.
import t from 'tap'
import { callerOf, codeOf, HeldModel, type RunningStream } from '../support/flow.ts'
import { samplesOf } from '../support/scene.ts'
import { startStack, until } from '../support/stack.ts'

const held = new HeldModel()
const role = (fields: object = {}): object => ({
  scopes: ['inference'],
  parameters: { outputTokensMax: 64 },
  limits: { requestsPerMinute: 60_000, burst: 10_000, inFlight: 500 },
  redaction: 'mask',
  binding: 'none',
  ...fields,
})
const stack = await startStack({
  model: { script: held.script },
  models: {
    pools: {
      gpu: { connectionsMax: 1, queue: { waitingMax: 12, waitingPerTenantMax: 10, waitMsMax: 30_000 } },
    },
  },
  policies: {
    roles: { app: role(), nightly: role({ priority: 'batch' }) },
    fairness: { weights: { important: 2 } },
  },
})
t.teardown(() => stack.stop())
const caller = callerOf(stack)
t.teardown(() => caller.close())

const as = (tenant: string, role = 'app') => stack.token({ roles: [role], tenant })
const sample = async (name: string): Promise<number | undefined> => samplesOf(await stack.metrics()).get(name)
const waiting = () => sample('sallyport_upstream_waiting{pool="gpu"}')
const turns = () => sample('sallyport_upstream_turns{pool="gpu"}')
const refusals = async (reason: string): Promise<number> =>
  (await sample(`sallyport_upstream_wait_refusals_total{pool="gpu",reason="${reason}"}`)) ?? 0

/** A stream that holds the only place until `held.release`. */
async function occupy(): Promise<RunningStream> {
  const stream = await caller.stream({}, as('holder'))
  await until(async () => (await turns()) === 1)
  return stream
}

/** Starts a call that names itself to the model server; resolves when it waits. */
async function queued(name: string, token: string, by = caller) {
  const before = (await waiting()) ?? 0
  const reply = by.chat({ messages: [{ role: 'user', content: `this is ${name}` }] }, token)
  await until(async () => (await waiting()) === before + 1)
  return { reply }
}

/** Names of those who were served since, in the order in which the model server saw them. */
const served = (since: number): string[] =>
  stack.model.requests.slice(since).map(({ body }) => /this is (\w+)/.exec(body)?.[1] ?? '?')

/** Lets the holder end and everybody who waits have a turn. */
async function drainLine(holder: RunningStream, calls: readonly { readonly reply: Promise<Reply> }[]) {
  held.release()
  const statuses = await Promise.all(calls.map(async ({ reply }) => (await reply).status))
  await holder.end
  await until(async () => (await turns()) === 0)
  return statuses
}
type Reply = Awaited<ReturnType<typeof caller.chat>>

t.test('whoever floods the pool waits in its own line; others come after at most one of it', async (t) => {
  const holder = await occupy()
  const since = stack.model.requests.length
  const calls = []
  for (let n = 0; n < 8; n++) calls.push(await queued('noisy', as('noisy')))
  calls.push(await queued('quiet', as('quiet')), await queued('other', as('other')))
  const statuses = await drainLine(holder, calls)
  t.ok(statuses.every((status) => status === 200))
  const order = served(since)
  t.equal(order.length, 10)
  t.ok(order.indexOf('quiet') <= 2 && order.indexOf('other') <= 2, order.join())
  t.equal(await waiting(), 0)
})

t.test('batch goes last', async (t) => {
  const holder = await occupy()
  const since = stack.model.requests.length
  const calls = [await queued('batch', as('acme', 'nightly'))]
  for (let n = 0; n < 3; n++) calls.push(await queued('person', as('acme')))
  await drainLine(holder, calls)
  t.same(served(since), ['person', 'person', 'person', 'batch'])
})

t.test('twice the weight, twice the turns', async (t) => {
  const holder = await occupy()
  const since = stack.model.requests.length
  const calls = []
  for (let n = 0; n < 4; n++) calls.push(await queued('usual', as('usual')))
  for (let n = 0; n < 8; n++) calls.push(await queued('important', as('important')))
  await drainLine(holder, calls)
  const early = served(since).slice(0, 6)
  t.equal(early.filter((name) => name === 'important').length, 4, early.join())
})

t.test('a tenant whose line is full is refused and told when to come back; others still wait', async (t) => {
  const holder = await occupy()
  const [since, before] = [stack.model.requests.length, await refusals('tenant_queue_full')]
  const calls = []
  for (let n = 0; n < 10; n++) calls.push(await queued('noisy', as('noisy')))
  const refused = await caller.chat({}, as('noisy'))
  t.equal(refused.status, 503)
  t.match(refused.headers.get('retry-after'), /^[1-9]\d?$/)
  t.equal(await codeOf(refused), 'upstream_overloaded')
  t.equal((await refusals('tenant_queue_full')) - before, 1)
  calls.push(await queued('quiet', as('quiet')))
  const statuses = await drainLine(holder, calls)
  t.ok(statuses.every((status) => status === 200))
  t.equal(served(since).length, 11)
})

t.test('a caller who hangs up while it waits leaves the line at once, and no model is asked', async (t) => {
  const holder = await occupy()
  const since = stack.model.requests.length
  const leaving = callerOf(stack)
  const { reply } = await queued('leaver', as('quiet'), leaving)
  const gone = t.rejects(reply)
  await leaving.close()
  await until(async () => (await waiting()) === 0)
  t.equal(await turns(), 1, 'while the place is still taken')
  await gone
  const stayer = await queued('stayer', as('quiet'))
  t.same(await drainLine(holder, [stayer]), [200])
  t.same(served(since), ['stayer'])
  const waits = await sample('sallyport_upstream_wait_seconds_count{pool="gpu",priority="interactive"}')
  t.ok((waits ?? 0) > 0)
})

t.test('a drain ends waits, too', async (t) => {
  const holder = await occupy()
  const { reply } = await queued('late', as('quiet'))
  await stack.gateway.close({ deadlineMs: 1 })
  t.equal(await reply.then(codeOf, () => 'closed'), 'draining')
  t.equal(await holder.end, 'ended')
  t.match(holder.text(), /draining/)
})
