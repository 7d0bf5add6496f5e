// One of four model servers is killed under load and comes back: how many callers hear of it, how many calls the dead server
// still gets, and how soon it is left out and taken back. Real gateway process, real sockets, simulated model servers as
// processes of their own that end by SIGKILL. Two policies side by side: a call whose connection closed before a byte of the
// answer is told to its caller (`afterSend: never`, the default), or sent to another server (`closed`).
//   npm run bench:endpoint-death            --json for machines, --rate N calls a second (40)
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Agent, request } from 'undici'
import { seededRandom } from '../simulated/random.ts'
import { callerTls, type DevGateway, reconfigure, startDev } from './dev-gateway.ts'
import { type Child, freePort, printedBy, startNode } from './processes.ts'

const root = join(import.meta.dirname, '../..')
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rate: { type: 'string', default: '40' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write('npm run bench:endpoint-death -- [--rate CALLS_PER_SECOND] [--json]\n')
  process.exit(0)
}
const rate = Math.max(1, Math.min(500, Number(values.rate)))

const SERVERS = 4
const PROBE_INTERVAL_MS = 1_000
/** Before the death, while it is dead, after it is back. */
const [BEFORE_MS, DEAD_MS, AFTER_MS] = [5_000, 8_000, 8_000]

interface Ended {
  readonly sentAt: number
  /**
   * `ok`, `told`: a status before any byte, `cut`: an error event or a broken stream, `shed`: the machine was too busy for
   * the gateway itself, which says nothing about the pool.
   */
  readonly how: 'ok' | 'told' | 'cut' | 'shed'
}

interface Row {
  readonly policy: string
  readonly calls: number
  readonly toldBeforeAByte: number
  readonly ofThoseSentAfterTheDeath: number
  readonly streamsCut: number
  readonly shed: number
  readonly ejectedAfterMs: number
  readonly backAfterMs: number
}

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
const children: Child[] = []
try {
  const ports = await Promise.all(Array.from({ length: SERVERS }, freePort))
  const servers = await Promise.all(ports.map((port) => startModel(port)))
  const gateway = await startGateway(ports)
  const token = (await printedBy(['src/main.ts', 'token', '-d', folder], root)).trim()
  const rows: Row[] = []
  for (const policy of ['never', 'closed']) rows.push(await run(policy, gateway, token, { ports, servers }))
  report(rows)
} finally {
  for (const child of children) await child.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function startModel(port: number): Promise<Child> {
  const pace = ['--time-to-first-token', '150', '--inter-token-latency', '15']
  const child = await startNode(
    ['loadtest/model-server.ts', '--port', String(port), '--model', 'demo', ...pace],
    'simulated model server',
    root,
  )
  children.push(child)
  return child
}

async function startGateway(modelPorts: readonly number[]): Promise<DevGateway> {
  const gateway = await startDev(folder)
  children.push(gateway.child)
  const pool = (afterSend: string) => ({
    server: 'vllm',
    endpoints: modelPorts.map((each) => `http://127.0.0.1:${each}`),
    health: { probeIntervalMs: PROBE_INTERVAL_MS, slowStartMs: 2_000 },
    retries: { afterSend },
  })
  const model = (name: string) => ({ pool: name, upstreamModel: 'demo', outputTokensMax: 64 })
  const models = {
    pools: { never: pool('never'), closed: pool('closed') },
    models: { never: model('never'), closed: model('closed') },
  }
  await reconfigure(folder, gateway, models)
  return gateway
}

interface Fleet {
  readonly ports: readonly number[]
  readonly servers: Child[]
}

async function run(policy: string, gateway: DevGateway, token: string, fleet: Fleet): Promise<Row> {
  const agent = new Agent({ keepAliveTimeout: 600_000, connect: { ...callerTls(folder), timeout: 60_000 } })
  const startedAt = performance.now()
  const ended: Promise<Ended>[] = []
  const until = BEFORE_MS + DEAD_MS + AFTER_MS
  const loading = load(until, (n) =>
    ended.push(call(`https://localhost:${gateway.port}`, agent, token, policy, n)),
  )
  await delay(BEFORE_MS - (performance.now() - startedAt))
  const diedAt = performance.now()
  fleet.servers[1]?.signal('SIGKILL')
  const ejectedAfterMs = (await healthyIs(SERVERS - 1, policy, gateway)) - diedAt
  await delay(Math.max(0, DEAD_MS - (performance.now() - diedAt)))
  fleet.servers[1] = await startModel(fleet.ports[1] ?? 0)
  const backAt = performance.now()
  const backAfterMs = (await healthyIs(SERVERS, policy, gateway)) - backAt
  await loading
  const all = await Promise.all(ended)
  await agent.destroy()
  const told = all.filter(({ how }) => how === 'told')
  return {
    policy,
    calls: all.length,
    toldBeforeAByte: told.length,
    ofThoseSentAfterTheDeath: told.filter(({ sentAt }) => sentAt > diedAt).length,
    streamsCut: all.filter(({ how }) => how === 'cut').length,
    shed: all.filter(({ how }) => how === 'shed').length,
    ejectedAfterMs: Math.round(ejectedAfterMs),
    backAfterMs: Math.round(backAfterMs),
  }
}

/** Calls at random times, whatever became of those before. */
async function load(forMs: number, send: (n: number) => void): Promise<void> {
  const random = seededRandom(7)
  const startedAt = performance.now()
  for (let n = 0, atMs = 0; ; n++) {
    atMs += (-Math.log(1 - random.next()) * 1_000) / rate
    if (atMs > forMs) return
    await delay(Math.max(0, atMs - (performance.now() - startedAt)))
    send(n)
  }
}

async function healthyIs(count: number, pool: string, { probesPort }: DevGateway): Promise<number> {
  const wanted = `sallyport_upstream_endpoints{pool="${pool}",state="healthy"} ${count}`
  for (let look = 0; look < 2_000; look++) {
    const { body } = await request(`http://127.0.0.1:${probesPort}/metrics`)
    if ((await body.text()).split('\n').includes(wanted)) return performance.now()
    await delay(20)
  }
  return Number.POSITIVE_INFINITY
}

async function call(
  origin: string,
  dispatcher: Agent,
  token: string,
  model: string,
  n: number,
): Promise<Ended> {
  const sentAt = performance.now()
  try {
    const { statusCode, body } = await request(`${origin}/v1/chat/completions`, {
      ...{ method: 'POST', dispatcher },
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ model, stream: n % 2 === 0, max_tokens: 24 },
        messages: [{ role: 'user', content: `call ${n}` }],
      }),
    })
    const text = await body.text()
    if (text.includes('gateway_overloaded')) return { sentAt, how: 'shed' }
    if (statusCode !== 200) return { sentAt, how: 'told' }
    const isWhole = n % 2 === 1 || text.endsWith('data: [DONE]\n\n')
    return { sentAt, how: isWhole ? 'ok' : 'cut' }
  } catch {
    return { sentAt, how: 'cut' }
  }
}

function report(rows: readonly Row[]): void {
  // What was at the server when it died may have been worked on: with `never` its callers are told.
  const isMet = rows.every(
    ({ policy, toldBeforeAByte, ofThoseSentAfterTheDeath, backAfterMs }) =>
      (policy === 'closed' ? toldBeforeAByte : ofThoseSentAfterTheDeath) <= 1 &&
      // A probe each interval, a call that may try, and the look at the metrics.
      backAfterMs <= 2 * PROBE_INTERVAL_MS,
  )
  if (values.json) process.stdout.write(`${JSON.stringify({ rate, isMet, rows })}\n`)
  else {
    const heads = [
      'afterSend',
      'calls',
      'told, no byte',
      'sent after death',
      'streams cut',
      'ejected ms',
      'back ms',
    ]
    const line = (cells: readonly (string | number)[]): string =>
      `${cells.map((cell) => String(cell).padStart(16)).join(' ')}\n`
    process.stdout.write(line(heads))
    for (const row of rows) process.stdout.write(line(Object.values(row)))
    process.stdout.write(isMet ? 'met\n' : 'MISSED\n')
  }
  if (!isMet) process.exitCode = 1
}
