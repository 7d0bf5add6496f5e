// What a noisy neighbor costs the others: their time to the first token at a pool that one tenant floods with ten times its
// share, beside the same requests at a pool that is as large as their share and theirs alone. The third column is the same
// flood first come, first served: all callers under the name of one tenant. Real gateway, real sockets, a simulated model.
//   npm run bench:fairness            --json for machines, --seconds N (40)
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Agent, request } from 'undici'
import { quantile } from '../driver/quantiles.ts'
import { seededRandom } from '../simulated/random.ts'
import { callerTls, reconfigure, startDev } from './dev-gateway.ts'
import { type Child, freePort, printedBy, startNode } from './processes.ts'

const root = join(import.meta.dirname, '../..')
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '40' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write('npm run bench:fairness -- [--seconds N] [--json]\n')
  process.exit(0)
}
const seconds = Math.max(2, Math.min(600, Number(values.seconds)))

const QUIET = ['quiet-1', 'quiet-2', 'quiet-3']
const TENANTS = QUIET.length + 1
const PLACES = 32
const SHARE = PLACES / TENANTS
/** Slow enough that the time of three processes on a small machine is not what is measured. */
const FIRST_TOKEN_MS = 400
const TOKEN_MS = 40
/** Words of a reply are drawn evenly from 1 to this. */
const TOKENS_MAX = 40
const TURN_MS = FIRST_TOKEN_MS + (TOKENS_MAX / 2) * TOKEN_MS
/** How much of its share a quiet tenant uses. */
const QUIET_LOAD = 0.7
const NOISY_LOAD = 10
/** The model is as fast in every phase. Where turns differ by more than this, the processor was what was waited for. */
const BUSY = 0.03
const WAIT_MS_MAX = 15_000

const WARM_UP_MS = 10_000

type Phase = 'alone' | 'fair' | 'unfair'

interface Planned {
  readonly tenant: string
  readonly atMs: number
  readonly body: string
}

interface Seen {
  readonly tenant: string
  readonly status: number
  readonly firstTokenMs: number
  /** From the end of the wait for a place to the end of the reply. */
  readonly turnMs: number
}

/** The connections of the noisy tenant are its own: nobody is behind it in a client either. */
type Agents = Readonly<Record<'quiet' | 'noisy', Agent>>

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
const children: Child[] = []
try {
  const url = await startAll()
  const agents = { quiet: callers(), noisy: callers() }
  const tokens = await tokensOf([...QUIET, 'noisy', 'everybody'])
  const seen = { alone: [] as Seen[], fair: [] as Seen[], unfair: [] as Seen[] }
  // Not measured: whatever comes first would pay for code that is not compiled yet.
  await run('fair', url, agents, tokens, WARM_UP_MS)
  for (const phase of ['alone', 'fair', 'unfair'] as const) {
    await connect(url, agents.quiet, 100, tokens)
    await connect(url, agents.noisy, 400, tokens)
    seen[phase] = await run(phase, url, agents, tokens)
    process.stderr.write(`${phase}: ${seen[phase].length} requests\n`)
  }
  await Promise.all(Object.values(agents).map((agent) => agent.destroy()))
  report(seen)
} finally {
  for (const child of children) await child.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function startAll(): Promise<string> {
  const modelPort = await freePort()
  const pace = ['--time-to-first-token', FIRST_TOKEN_MS, '--inter-token-latency', TOKEN_MS].map(String)
  const model = ['loadtest/model-server.ts', '--port', String(modelPort), '--model', 'demo', ...pace]
  children.push(await startNode(model, 'simulated model server', root))
  const gateway = await startDev(folder)
  children.push(gateway.child)
  await reconfigure(folder, gateway, modelsAt(`http://127.0.0.1:${modelPort}`))
  return `https://localhost:${gateway.port}`
}

/** A pool of the size of one share for each quiet tenant, and one for all. */
function modelsAt(upstream: string): object {
  const queue = { waitingMax: 512, waitingPerTenantMax: 256, waitMsMax: WAIT_MS_MAX }
  const pool = (connectionsMax: number) => ({ server: 'vllm', endpoints: [upstream], connectionsMax, queue })
  const model = (pool: string) => ({ pool, upstreamModel: 'demo', outputTokensMax: 4096 })
  return {
    pools: { ...Object.fromEntries(QUIET.map((name) => [name, pool(SHARE)])), shared: pool(PLACES) },
    models: { ...Object.fromEntries(QUIET.map((name) => [name, model(name)])), shared: model('shared') },
  }
}

async function tokensOf(tenants: readonly string[]): Promise<Map<string, string>> {
  const made = tenants.map(async (tenant): Promise<[string, string]> => {
    const token = await printedBy(['src/main.ts', 'token', '-d', folder, '-t', tenant], root)
    return [tenant, token.trim()]
  })
  return new Map(await Promise.all(made))
}

function callers(): Agent {
  return new Agent({ keepAliveTimeout: 600_000, connect: { ...callerTls(folder), timeout: 60_000 } })
}

/** Opens connections before anything is measured: hundreds of handshakes would be most of the processor's work. */
async function connect(url: string, agent: Agent, connections: number, tokens: ReadonlyMap<string, string>) {
  const authorization = `Bearer ${tokens.get('everybody')}`
  const one = async (): Promise<void> => {
    const answer = await request(`${url}/v1/models`, { dispatcher: agent, headers: { authorization } })
    await answer.body.dump()
  }
  // One that a busy machine did not open in time is opened when it is needed.
  await Promise.allSettled(Array.from({ length: connections }, one))
}

/** Arrivals at random and independent of the answers; the same in each phase, with the same lengths of replies. */
function plan(tenant: string, load: number, model: string, seed: number): Planned[] {
  const random = seededRandom(seed)
  const gap = (): number => (-Math.log(1 - random.next()) * TURN_MS) / (load * SHARE)
  const planned: Planned[] = []
  for (let atMs = gap(); ; atMs += gap()) {
    if (atMs > seconds * 1000) return planned
    const reply = {
      content: Array.from({ length: 1 + Math.floor(random.next() * TOKENS_MAX) }, () => 'word '),
    }
    const script = `x-simulate: ${JSON.stringify({ ...reply, firstTokenMs: FIRST_TOKEN_MS, gapMs: TOKEN_MS })}`
    const messages = [{ role: 'user', content: script }]
    planned.push({ tenant, atMs, body: JSON.stringify({ model, stream: true, messages, max_tokens: 64 }) })
  }
}

async function run(
  phase: Phase,
  url: string,
  agents: Agents,
  tokens: ReadonlyMap<string, string>,
  untilMs = seconds * 1000,
): Promise<Seen[]> {
  const quiet = QUIET.flatMap((name, n) => plan(name, QUIET_LOAD, phase === 'alone' ? name : 'shared', n + 1))
  const noisy = phase === 'alone' ? [] : plan('noisy', NOISY_LOAD, 'shared', 99)
  const start = performance.now()
  const ask = async ({ tenant, atMs, body }: Planned): Promise<Seen> => {
    await delay(Math.max(0, atMs - (performance.now() - start)))
    const token = tokens.get(phase === 'unfair' ? 'everybody' : tenant)
    // A connection that broke is an answer that did not come: counted as such, not the end of the run.
    const lost = { status: 0, firstTokenMs: Number.NaN, turnMs: Number.NaN }
    return {
      tenant,
      ...(await firstToken(
        url,
        agents[tenant === 'noisy' ? 'noisy' : 'quiet'],
        `Bearer ${token}`,
        body,
      ).catch(() => lost)),
    }
  }
  return await Promise.all([...quiet, ...noisy].filter(({ atMs }) => atMs < untilMs).map(ask))
}

async function firstToken(url: string, agent: Agent, authorization: string, body: string) {
  const startedAt = performance.now()
  const answer = await request(`${url}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json', authorization },
    body,
  })
  let firstTokenMs = Number.NaN
  for await (const chunk of answer.body) {
    if (Number.isNaN(firstTokenMs) && String(chunk).includes('"content":"w')) {
      firstTokenMs = performance.now() - startedAt
    }
  }
  const queueMs = Number(/queue;dur=([\d.]+)/.exec(String(answer.headers['server-timing']))?.[1])
  return { status: answer.statusCode, firstTokenMs, turnMs: performance.now() - startedAt - queueMs }
}

function mean(times: readonly number[]): number {
  return times.reduce((sum, ms) => sum + ms, 0) / times.length
}

function summary(seen: readonly Seen[]) {
  const ofQuiet = seen.filter(({ tenant }) => tenant !== 'noisy')
  const answered = ofQuiet.filter(({ status }) => status === 200)
  const times = answered.map(({ firstTokenMs }) => firstTokenMs)
  return {
    requests: ofQuiet.length,
    refused: ofQuiet.length - times.length,
    mean: mean(times),
    turn: mean(answered.map(({ turnMs }) => turnMs)),
    p50: quantile(times, 0.5),
    p95: quantile(times, 0.95),
    noisyServed: seen.filter(({ tenant, status }) => tenant === 'noisy' && status === 200).length,
    noisyRefused: seen.filter(({ tenant, status }) => tenant === 'noisy' && status !== 200).length,
  }
}

function report(seen: Readonly<Record<Phase, readonly Seen[]>>): void {
  const [alone, fair, unfair] = [summary(seen.alone), summary(seen.fair), summary(seen.unfair)]
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ seconds, alone, fair, unfair }, null, 2)}\n`)
    return
  }
  const cells = (name: string, ...texts: string[]): string =>
    `${name.padEnd(32)}${texts.map((text) => text.padStart(14)).join('')}\n`
  const times = (name: string, key: 'mean' | 'p50' | 'p95' | 'turn'): string =>
    cells(name, ...[alone, fair, unfair].map((side) => `${side[key].toFixed(0)} ms`)) +
    cells(
      '  beside the share alone',
      '',
      ...[fair, unfair].map((side) => (side[key] / alone[key]).toFixed(2)),
    )
  process.stdout.write(
    cells('time to first token, others', 'share alone', 'fair', 'first come') +
      times('mean', 'mean') +
      times('median', 'p50') +
      times('95th percentile', 'p95') +
      times('time that a place was held', 'turn') +
      cells(
        'not served of others',
        ...[alone, fair, unfair].map((side) => `${side.refused} of ${side.requests}`),
      ) +
      cells(
        'served of the noisy tenant',
        '',
        ...[fair, unfair].map((side) => `${side.noisyServed} of ${side.noisyServed + side.noisyRefused}`),
      ),
  )
  if (Math.abs(fair.turn / alone.turn - 1) > BUSY) {
    process.stdout.write(
      'Not valid: places were held for other times, so the machine was too busy in one phase.\n',
    )
  }
}
