// What Sallyport costs with everything on (mutual TLS, JWT, limits, redaction both ways, audit, metrics), beside a bare
// relay that does none of it, on the same machine, in the same run, over the same load. CPU time is the operating
// system's accounting of each gateway process; rounds alternate, and the median of the pairwise ratios is what counts.
//   npm run bench:overhead            --json for machines, --rounds N (5)
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Agent, request } from 'undici'
import { reconfigure, startDev } from './dev-gateway.ts'
import { type Child, freePort, startNode } from './processes.ts'

const root = join(import.meta.dirname, '../..')
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write('npm run bench:overhead -- [--rounds N] [--json]\n')
  process.exit(0)
}
const rounds = Math.max(1, Math.min(50, Number(values.rounds)))

const REQUESTS = 2_000
const STREAMS = 200
const EVENTS = 500
const CONCURRENCY = 8
const prose =
  'The quick brown fox jumps over the lazy dog and then it writes a report about it for everyone. '
const wholeBody = { model: 'demo', messages: [{ role: 'user', content: prose.repeat(10) }], max_tokens: 16 }
const streamBody = {
  model: 'demo',
  stream: true,
  messages: [{ role: 'user', content: 'tell me' }],
  max_tokens: EVENTS,
}

interface Side {
  readonly name: 'sallyport' | 'bare'
  readonly child: Child
  readonly url: string
  readonly headers: Record<string, string>
}

interface Round {
  readonly perRequestMs: number
  readonly perEventUs: number
}

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
const children: Child[] = []
try {
  const sides = await startAll()
  const agent = new Agent({
    connections: CONCURRENCY,
    connect: { ca: made('ca.crt'), cert: made('client.crt'), key: made('client.key') },
  })
  for (const side of sides) await measure(side, agent)
  const taken: Record<Side['name'], Round[]> = { sallyport: [], bare: [] }
  for (let round = 0; round < rounds; round += 1) {
    for (const side of sides) taken[side.name].push(await measure(side, agent))
    process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  }
  await agent.destroy()
  report(taken, sides)
} finally {
  for (const child of children) await child.stop()
  rmSync(folder, { recursive: true, force: true })
}

function made(file: string): Buffer {
  return readFileSync(join(folder, file))
}

async function startAll(): Promise<Side[]> {
  const [modelPort, barePort] = await Promise.all([freePort(), freePort()])
  const reply = Array.from({ length: EVENTS }, (_, i) => ['--reply', `${prose.split(' ')[i % 17]} `]).flat()
  const model = ['loadtest/model-server.ts', '--port', String(modelPort), '--model', 'demo', ...reply]
  children.push(await startNode(model, 'simulated model server', root))
  const gateway = await startDev(folder)
  const { child: sallyport, port } = gateway
  children.push(sallyport)
  await reconfigure(folder, gateway, {
    pools: { upstream: { server: 'vllm', endpoints: [`http://127.0.0.1:${modelPort}`] } },
    models: { demo: { pool: 'upstream', outputTokensMax: 4096 } },
  })
  const tls = ['config/tls/server.crt', 'config/tls/server.key', 'config/tls/client-ca.crt'].map((file) =>
    join(folder, file),
  )
  const bare = await startNode(
    ['loadtest/bench/bare-relay.ts', String(barePort), `http://127.0.0.1:${modelPort}`, ...tls],
    'ready',
    root,
  )
  children.push(bare)
  const authorization = `Bearer ${readFileSync(join(folder, 'token'), 'utf8')}`
  return [
    { name: 'sallyport', child: sallyport, url: `https://localhost:${port}`, headers: { authorization } },
    { name: 'bare', child: bare, url: `https://localhost:${barePort}`, headers: {} },
  ]
}

async function measure(side: Side, agent: Agent): Promise<Round> {
  const start = side.child.cpuMs()
  await load(side, agent, wholeBody, REQUESTS)
  const between = side.child.cpuMs()
  await load(side, agent, streamBody, STREAMS)
  const end = side.child.cpuMs()
  return {
    perRequestMs: (between - start) / REQUESTS,
    perEventUs: ((end - between) * 1000) / (STREAMS * EVENTS),
  }
}

async function load(side: Side, agent: Agent, body: object, count: number): Promise<void> {
  let left = count
  const text = JSON.stringify(body)
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const answer = await request(`${side.url}/v1/chat/completions`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json', ...side.headers },
        body: text,
      })
      const reply = await answer.body.text()
      if (answer.statusCode !== 200 || reply.length < 100) {
        throw new Error(`${side.name} answered ${answer.statusCode}: ${reply.slice(0, 200)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] as number
}

function report(taken: Record<Side['name'], Round[]>, sides: readonly Side[]): void {
  const row = (measure: keyof Round) => {
    const own = taken.sallyport.map((round) => round[measure])
    const bare = taken.bare.map((round) => round[measure])
    return {
      sallyport: median(own),
      bare: median(bare),
      ratio: median(own.map((value, i) => value / (bare[i] as number))),
    }
  }
  const result = {
    node: process.versions.node,
    rounds,
    perRequestMs: row('perRequestMs'),
    perEventUs: row('perEventUs'),
    rssMiB: Object.fromEntries(
      sides.map(({ name, child }) => [name, Math.round(child.rssBytes() / 2 ** 20)]),
    ),
  }
  if (values.json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
    return
  }
  const line = (name: string, { sallyport, bare, ratio }: ReturnType<typeof row>, unit: string): string =>
    `${name.padEnd(34)} ${sallyport.toFixed(3).padStart(9)} ${bare.toFixed(3).padStart(9)} ${ratio.toFixed(2).padStart(7)}  ${unit}\n`
  process.stdout.write(
    `${'gateway CPU, medians'.padEnd(34)} ${'sallyport'.padStart(9)} ${'bare'.padStart(9)} ${'ratio'.padStart(7)}\n` +
      line('one 1 KB chat request', result.perRequestMs, 'ms') +
      line(`one streamed event of ${EVENTS}`, result.perEventUs, 'us') +
      `resident memory after the run: sallyport ${result.rssMiB.sallyport} MiB, bare ${result.rssMiB.bare} MiB\n`,
  )
}
