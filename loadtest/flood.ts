// Ten times as many calls as the model servers can do, whether the gateway bears it or not: an open model, so callers come
// however long the others wait. First the peak (calls completed per second, closed loop, at rising concurrency), then the
// flood in two classes of priority, then quiet again. Real gateway, real TLS, simulated model servers with few places, so
// that they and not this machine's processors are what is short.
//   npm run bench:flood            --json for machines, --seconds N (20), --factor N (10), --connections N (8)
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Agent, request } from 'undici'
import { callerTls, reconfigure, startDev } from './bench/dev-gateway.ts'
import { type Child, freePort, printedBy, startNode } from './bench/processes.ts'
import { seededRandom } from './simulated/random.ts'

const root = join(import.meta.dirname, '..')
const text = (value: string) => ({ type: 'string', default: value }) as const
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: text('20'),
    factor: text('10'),
    connections: text('8'),
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write('npm run bench:flood -- [--seconds N] [--factor N] [--connections N] [--json]\n')
  process.exit(0)
}
const within = (value: string, min: number, max: number): number =>
  Math.max(min, Math.min(max, Number(value)))
const seconds = within(values.seconds, 4, 600)
const factor = within(values.factor, 1, 100)
/** Calls at a time that the gateway may have at one server; more than `SLOTS`: the server queues, too. */
const connectionsMax = within(values.connections, 1, 256)

const SERVERS = 2
const SLOTS = 8
/** Slow, so that ten times what the servers can do is little for the processors. */
const FIRST_TOKEN_MS = 400
const TOKEN_MS = 80
/** Replies have 1 to twice as many, less one: turns of one length would come and go in waves. */
const TOKENS = 10
const PLACES = SERVERS * connectionsMax
const WAIT_MS_MAX = 2_000
const WAITING_MAX = 64
/** Connections of all callers together, open before anything is measured. */
const CONNECTIONS = 256
const STEP_S = 10
/** Until pace and queues have settled. */
const RISE_S = 1
const CONCURRENCIES = [0.5, 1, 1.5, 2].map((share) => share * SERVERS * SLOTS)
/** The model is as fast in a flood. Where places are held longer than this, the processor was what was waited for. */
const BUSY_MAX = 1.1
const GOODPUT_MIN = 0.9
/** Of the time without congestion, what may be added to the wait for a place. */
const LATENCY_FACTOR_MAX = 1.5
const RSS_BYTES_MAX = 1024 ** 3
/** Arrivals that are later than this are no open model any more. */
const LATE_MS_MAX = 250

const classes = { interactive: ['web-1', 'web-2', 'web-3', 'web-4'], batch: ['night-1', 'night-2'] } as const
type Priority = keyof typeof classes
const roleOf = { interactive: 'app', batch: 'batch' } as const

interface Caller {
  readonly priority: Priority
  readonly authorization: string
}

interface Seen {
  readonly priority: Priority
  readonly status: number
  readonly code: string
  /** Arrival, from the begin of the phase. */
  readonly atMs: number
  readonly endMs: number
  readonly firstTokenMs: number
  readonly totalMs: number
  /** By the gateway's own account: until it had a place, and of that until the audit record was on the disk. */
  readonly beforeMs: number
  readonly recordMs: number
  readonly lateMs: number
}

interface Gateway {
  readonly url: string
  readonly probesPort: number
  readonly child: Child
  readonly agent: Agent
  readonly callers: readonly Caller[]
}

const bodies = Array.from({ length: 2 * TOKENS - 1 }, (_, index) => {
  const content = Array.from({ length: index + 1 }, () => 'word ')
  const script = JSON.stringify({ content, firstTokenMs: FIRST_TOKEN_MS, gapMs: TOKEN_MS })
  const messages = [{ role: 'user', content: `x-simulate: ${script}` }]
  return JSON.stringify({ model: 'demo', stream: true, messages, max_tokens: 64 })
})
const lengths = seededRandom(3)
const anyBody = (): string => bodies[Math.floor(lengths.next() * bodies.length)] as string

const gauges = ['sallyport_requests_in_flight', 'sallyport_upstream_turns', 'sallyport_upstream_waiting']

const folder = mkdtempSync(join(tmpdir(), 'sallyport-flood-'))
const children: Child[] = []
try {
  const gateway = await startAll()
  await connect(gateway, CONNECTIONS)
  await closedLoop(gateway, SERVERS * SLOTS, STEP_S)
  const sweep = []
  for (const concurrency of CONCURRENCIES) {
    const seen = await closedLoop(gateway, concurrency, STEP_S)
    sweep.push({ concurrency, ...summary(seen, STEP_S) })
    process.stderr.write(`${concurrency} at a time: ${sweep.at(-1)?.goodput.toFixed(1)} calls/s\n`)
  }
  const peak = Math.max(...sweep.map(({ goodput }) => goodput))
  // Those that nobody used for so long are closed by now.
  await connect(gateway, CONNECTIONS)
  const flood = await watched(gateway.child, () => openModel(gateway, peak * factor))
  const quietMs = await untilQuiet(gateway.probesPort)
  const after = summary(await closedLoop(gateway, CONCURRENCIES[0] as number, STEP_S), STEP_S)
  await gateway.agent.destroy()
  report({ sweep, peak, flood, quietMs, after })
} finally {
  for (const child of children) await child.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function startAll(): Promise<Gateway> {
  const modelPorts = await Promise.all(Array.from({ length: SERVERS }, freePort))
  for (const modelPort of modelPorts) {
    const flags = ['--model', 'demo', '--max-num-seqs', String(SLOTS)]
    const args = ['loadtest/model-server.ts', '--port', String(modelPort), ...flags]
    children.push(await startNode(args, 'simulated model server', root))
  }
  const { child, port, probesPort } = await startDev(folder)
  children.push(child)
  const endpoints = modelPorts.map((modelPort) => `http://127.0.0.1:${modelPort}`)
  await reconfigure(folder, { probesPort }, modelsAt(endpoints), withBatch)
  const url = `https://localhost:${port}`
  return { url, probesPort, child, agent: newAgent(), callers: await allCallers() }
}

/** A role for batch beside that of all others. */
function withBatch(policies: string): string {
  const app = /\n {2}app:\n((?: {4}.*\n)+)/.exec(policies)?.[1] ?? ''
  return policies.replace(/\s*$/, `\n  batch:\n${app}    priority: batch\n`)
}

/** A pool of all servers. */
function modelsAt(endpoints: readonly string[]): object {
  const queue = { waitingMax: WAITING_MAX, waitingPerTenantMax: WAITING_MAX / 2, waitMsMax: WAIT_MS_MAX }
  const pools = { shared: { server: 'vllm', endpoints, connectionsMax, queue } }
  const models = { demo: { pool: 'shared', upstreamModel: 'demo', outputTokensMax: 4096 } }
  return { pools, models }
}

async function allCallers(): Promise<Caller[]> {
  const callers: Caller[] = []
  for (const priority of ['interactive', 'batch'] as const) {
    for (const tenant of classes[priority]) {
      const flags = ['-d', folder, '-t', tenant, '-r', roleOf[priority]]
      const token = await printedBy(['src/main.ts', 'token', ...flags], root)
      callers.push({ priority, authorization: `Bearer ${token.trim()}` })
    }
  }
  return callers
}

function newAgent(): Agent {
  return new Agent({
    connections: CONNECTIONS,
    keepAliveTimeout: 600_000,
    connect: { ...callerTls(folder), timeout: 60_000 },
  })
}

/** Opens connections before anything is measured: handshakes would be most of the processor's work. */
async function connect({ url, agent, callers }: Gateway, connections: number): Promise<void> {
  const authorization = callers[0]?.authorization ?? ''
  const one = async (): Promise<void> => {
    const answer = await request(`${url}/v1/models`, { dispatcher: agent, headers: { authorization } })
    await answer.body.dump()
  }
  await Promise.allSettled(Array.from({ length: connections }, one))
}

async function call({ url, agent }: Gateway, caller: Caller, start: number, dueMs: number): Promise<Seen> {
  const sentAt = performance.now()
  const seen = { priority: caller.priority, atMs: sentAt - start, lateMs: sentAt - start - dueMs }
  const told = await answered(url, agent, caller.authorization, sentAt).catch((error: { code?: string }) => ({
    ...{ status: 0, code: `no answer (${error.code})`, firstTokenMs: Number.NaN, beforeMs: 0, recordMs: 0 },
  }))
  const endMs = performance.now() - start
  return { ...seen, ...told, endMs, totalMs: endMs - seen.atMs }
}

async function answered(url: string, agent: Agent, authorization: string, sentAt: number) {
  const answer = await request(`${url}/v1/chat/completions`, {
    ...{ method: 'POST', dispatcher: agent, body: anyBody() },
    headers: { 'content-type': 'application/json', authorization },
  })
  const status = answer.statusCode
  const stages = stagesOf(String(answer.headers['server-timing']))
  if (status !== 200) {
    const { error } = (await answer.body.json()) as { error?: { code?: string } }
    return { status, code: String(error?.code), firstTokenMs: Number.NaN, ...stages }
  }
  let [firstTokenMs, reply] = [Number.NaN, '']
  for await (const chunk of answer.body) {
    reply += String(chunk)
    if (Number.isNaN(firstTokenMs) && reply.includes('"content":"w'))
      firstTokenMs = performance.now() - sentAt
  }
  const code = reply.endsWith('data: [DONE]\n\n') ? 'completed' : 'broken stream'
  return { status, code, firstTokenMs, ...stages }
}

function stagesOf(serverTiming: string): Pick<Seen, 'beforeMs' | 'recordMs'> {
  const stages = [...serverTiming.matchAll(/(\w+);dur=([\d.]+)/g)].map(([, name, ms]) => ({
    name,
    ms: Number(ms),
  }))
  const before = stages.filter(({ name }) => name !== 'upstream')
  const recordMs = stages.find(({ name }) => name === 'record')?.ms ?? 0
  return { beforeMs: before.reduce((sum, { ms }) => sum + ms, 0), recordMs }
}

/** So many callers, each of whom asks again as soon as it is answered. */
async function closedLoop(gateway: Gateway, concurrency: number, forS: number): Promise<Seen[]> {
  const start = performance.now()
  const seen: Seen[] = []
  const interactive = gateway.callers.filter(({ priority }) => priority === 'interactive')
  const worker = async (_: unknown, index: number): Promise<void> => {
    const caller = interactive[index % interactive.length] as Caller
    while (performance.now() - start < forS * 1000) {
      seen.push(await call(gateway, caller, start, performance.now() - start))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return seen
}

/** Arrivals at random and independent of the answers; a third of them batch. */
async function openModel(gateway: Gateway, callsPerS: number): Promise<Seen[]> {
  const random = seededRandom(7)
  const start = performance.now()
  const calls: Promise<Seen>[] = []
  let dueMs = 0
  while (dueMs < seconds * 1000) {
    dueMs += (-Math.log(1 - random.next()) * 1000) / callsPerS
    const aheadMs = dueMs - (performance.now() - start)
    if (aheadMs > 1) await delay(aheadMs)
    const priority: Priority = random.next() < 1 / 3 ? 'batch' : 'interactive'
    const able = gateway.callers.filter((caller) => caller.priority === priority)
    calls.push(call(gateway, able[Math.floor(random.next() * able.length)] as Caller, start, dueMs))
  }
  return await Promise.all(calls)
}

async function watched(child: Child, run: () => Promise<Seen[]>) {
  const before = { rss: child.rssBytes(), cpu: child.cpuMs(), at: performance.now() }
  let rssMax = before.rss
  const watch = setInterval(() => {
    rssMax = Math.max(rssMax, child.rssBytes())
  }, 100)
  try {
    const seen = await run()
    const cpuShare = (child.cpuMs() - before.cpu) / (performance.now() - before.at)
    return { seen, rssBefore: before.rss, rssMax, cpuShare }
  } finally {
    clearInterval(watch)
  }
}

/** Milliseconds until nothing is in flight, at the pool or waiting any more; NaN when that does not come. */
async function untilQuiet(probesPort: number): Promise<number> {
  const start = performance.now()
  while (performance.now() - start < 15_000) {
    const metrics = await (await request(`http://127.0.0.1:${probesPort}/metrics`)).body.text()
    const sums = gauges.map((name) => sumOf(metrics, name))
    if (sums.every((sum) => sum === 0)) return performance.now() - start
    await delay(100)
  }
  return Number.NaN
}

/** NaN when there is no such metric. */
function sumOf(metrics: string, name: string): number {
  const lines = metrics.split('\n').filter((line) => new RegExp(`^${name}[ {]`).test(line))
  return lines.length === 0
    ? Number.NaN
    : lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** What was completed from `RISE_S` to `forS`, per second, and how long it took. */
function summary(seen: readonly Seen[], forS: number) {
  const done = seen.filter(({ code }) => code === 'completed')
  const counted = done.filter(({ endMs }) => endMs >= RISE_S * 1000 && endMs < forS * 1000)
  const first = done.map(({ firstTokenMs }) => firstTokenMs)
  const total = done.map(({ totalMs }) => totalMs)
  const held = done.map(({ totalMs, beforeMs }) => totalMs - beforeMs)
  return {
    goodput: counted.length / (forS - RISE_S),
    /** How long a call had its place, in the mean. */
    heldMs: held.reduce((sum, ms) => sum + ms, 0) / held.length,
    ...{ firstP50: quantile(first, 0.5), firstP99: quantile(first, 0.99) },
    ...{ totalP50: quantile(total, 0.5), totalP99: quantile(total, 0.99) },
  }
}

interface Measured {
  readonly sweep: readonly (ReturnType<typeof summary> & { readonly concurrency: number })[]
  readonly peak: number
  readonly flood: Awaited<ReturnType<typeof watched>>
  readonly quietMs: number
  readonly after: ReturnType<typeof summary>
}

function byClass(seen: readonly Seen[], priority: Priority) {
  const own = seen.filter((each) => each.priority === priority)
  const codes = Object.groupBy(own, ({ code }) => code)
  const counts = Object.fromEntries(Object.entries(codes).map(([code, list]) => [code, list?.length ?? 0]))
  return { asked: own.length, ...summary(own, seconds), counts }
}

function report({ sweep, peak, flood, quietMs, after }: Measured): void {
  const calm = sweep[0] as Measured['sweep'][number]
  const whole = summary(flood.seen, seconds)
  const perClass = {
    interactive: byClass(flood.seen, 'interactive'),
    batch: byClass(flood.seen, 'batch'),
  }
  const refusedP99 = quantile(
    flood.seen.filter(({ status }) => status >= 400).map(({ totalMs }) => totalMs),
    0.99,
  )
  const recordP99 = quantile(
    flood.seen.map(({ recordMs }) => recordMs),
    0.99,
  )
  const lateP99 = quantile(
    flood.seen.map(({ lateMs }) => lateMs),
    0.99,
  )
  const latencyMax = (calmMs: number): number => calmMs * LATENCY_FACTOR_MAX + WAIT_MS_MAX
  const bars = {
    'goodput / peak': whole.goodput / peak >= GOODPUT_MIN,
    'p99 of admitted bounded':
      whole.firstP99 <= latencyMax(calm.firstP99) && whole.totalP99 <= latencyMax(calm.totalP99),
    'every call answered': flood.seen.every(
      ({ status, code }) => status > 0 && code !== 'broken stream' && status < 504,
    ),
    'memory bounded': flood.rssMax <= RSS_BYTES_MAX,
    'nothing left behind': quietMs >= 0,
    // Not the total: the lengths of the replies are drawn, and few are seen here.
    'latency back': after.firstP50 <= calm.firstP50 * 1.2,
    'places held as long as before (else the machine was busy, and the run says nothing)':
      whole.heldMs <= calm.heldMs * BUSY_MAX,
    'arrivals in time (else the run says nothing)': lateP99 <= LATE_MS_MAX,
  }
  const { seen, ...process_ } = flood
  const offered = seen.length / seconds
  const figures = {
    seconds,
    factor,
    connectionsMax,
    sweep,
    peak,
    offered,
    whole,
    perClass,
    refusedP99,
    recordP99,
  }
  const all = { ...figures, ...process_, lateP99, quietMs, after, bars }
  process.stdout.write(values.json ? `${JSON.stringify(all, null, 2)}\n` : table(all))
  if (Object.values(bars).includes(false)) process.exitCode = 1
}

type Figures = ReturnType<typeof summary>

function table(all: {
  readonly sweep: Measured['sweep']
  readonly peak: number
  readonly offered: number
  readonly whole: Figures
  readonly perClass: Readonly<Record<Priority, ReturnType<typeof byClass>>>
  readonly refusedP99: number
  readonly recordP99: number
  readonly rssBefore: number
  readonly rssMax: number
  readonly cpuShare: number
  readonly lateP99: number
  readonly quietMs: number
  readonly after: Figures
  readonly bars: Readonly<Record<string, boolean>>
}): string {
  const row = (name: string, ...cells: string[]): string =>
    `${name.padEnd(30)}${cells.map((cell) => cell.padStart(13)).join('')}\n`
  const ms = (value: number): string => `${value.toFixed(0)} ms`
  const line = (name: string, { goodput, heldMs, firstP50, firstP99, totalP50, totalP99 }: Figures): string =>
    row(name, goodput.toFixed(1), ms(heldMs), ms(firstP50), ms(firstP99), ms(totalP50), ms(totalP99))
  const mib = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(0)} MiB`
  const counts = (priority: Priority): string =>
    row(
      `  ${priority}: of ${all.perClass[priority].asked}`,
      Object.entries(all.perClass[priority].counts)
        .map(([code, count]) => `${count} ${code}`)
        .join(', '),
    )
  return [
    row('', 'calls/s', 'place held', 'first p50', 'first p99', 'total p50', 'total p99'),
    ...all.sweep.map((step) => line(`closed loop, ${step.concurrency} at a time`, step)),
    line(`flood, ${all.offered.toFixed(0)} calls/s offered`, all.whole),
    line('  interactive', all.perClass.interactive),
    line('  batch', all.perClass.batch),
    line(`after, ${CONCURRENCIES[0]} at a time`, all.after),
    row('goodput / peak', (all.whole.goodput / all.peak).toFixed(3)),
    row('places in use', `${((all.whole.goodput * all.whole.heldMs) / 10 / PLACES).toFixed(0)} %`),
    counts('interactive'),
    counts('batch'),
    row('refused within (p99)', ms(all.refusedP99)),
    row('audit record on disk (p99)', ms(all.recordP99)),
    row('memory of the gateway', mib(all.rssBefore), mib(all.rssMax)),
    row('processor of the gateway', `${(all.cpuShare * 100).toFixed(0)} %`),
    row('arrivals late by (p99)', ms(all.lateP99)),
    row('all gauges 0 after', ms(all.quietMs)),
    ...Object.entries(all.bars).map(([bar, isMet]) => row(`${isMet ? 'met' : 'MISSED'}: ${bar}`)),
  ].join('')
}
