// What Sallyport costs with everything on (mutual TLS, JWT, limits, redaction both ways, audit, metrics), beside a bare
// relay that does none of it, on the same machine, in the same run, over the same load. CPU time is the operating
// system's accounting of each gateway process; rounds alternate, and the median of the pairwise ratios is what counts.
//   npm run bench:overhead            --json for machines, --rounds N (5)
import { parseArgs } from 'node:util'
import { request } from 'undici'
import { type Ending, withEnding } from '../driver/ending.ts'
import { type Gateways, type Side, startGateways } from '../driver/gateways.ts'
import { root } from '../driver/measured-process.ts'
import { median } from '../driver/quantiles.ts'
import { freePort, startNode } from './processes.ts'

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

interface Round {
  readonly perRequestMs: number
  readonly perEventUs: number
}

await withEnding(async (ending, folder) => {
  const gateways = await startGateways(folder, await startModel(ending), ending)
  const sides = [gateways.sallyport, gateways.bare]
  for (const side of sides) await measure(side)
  const taken: Record<Side['name'], Round[]> = { sallyport: [], bare: [] }
  for (let round = 0; round < rounds; round += 1) {
    for (const side of sides) taken[side.name].push(await measure(side))
    process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  }
  report(taken, gateways)
})

/** Its URL. */
async function startModel(ending: Ending): Promise<string> {
  const port = await freePort()
  const reply = Array.from({ length: EVENTS }, (_, i) => ['--reply', `${prose.split(' ')[i % 17]} `]).flat()
  const start = ['loadtest/model-server.ts', '--port', String(port), '--model', 'demo', ...reply]
  const model = await startNode(start, 'simulated model server', root)
  await ending.add(() => model.stop())
  return `http://127.0.0.1:${port}`
}

async function measure(side: Side): Promise<Round> {
  const { child } = side.measured
  const start = child.cpuMs()
  await load(side, wholeBody, REQUESTS)
  const between = child.cpuMs()
  await load(side, streamBody, STREAMS)
  const end = child.cpuMs()
  return {
    perRequestMs: (between - start) / REQUESTS,
    perEventUs: ((end - between) * 1000) / (STREAMS * EVENTS),
  }
}

async function load({ name, url, agent, headers }: Side, body: object, count: number): Promise<void> {
  let left = count
  const text = JSON.stringify(body)
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const answer = await request(`${url}/v1/chat/completions`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json', ...headers },
        body: text,
      })
      const reply = await answer.body.text()
      if (answer.statusCode !== 200 || reply.length < 100) {
        throw new Error(`${name} answered ${answer.statusCode}: ${reply.slice(0, 200)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}

function report(taken: Record<Side['name'], Round[]>, { sallyport, bare }: Gateways): void {
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
      [sallyport, bare].map(({ name, measured }) => [name, Math.round(measured.child.rssBytes() / 2 ** 20)]),
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
