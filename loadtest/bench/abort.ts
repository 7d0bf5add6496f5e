// How soon a model server is told that its caller has left, in each phase of a call: milliseconds from the caller's close
// to the close that the model server sees on its own socket. Real gateway process, real TLS in front, real sockets behind;
// caller and model server are this process and share a clock.
//   npm run bench:abort            --json for machines, --calls N for each phase (200)
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { quantiles } from '../driver/quantiles.ts'
import { callerTls, reconfigure, startDev } from './dev-gateway.ts'
import { type Child, printedBy } from './processes.ts'

const root = join(import.meta.dirname, '../..')
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    calls: { type: 'string', default: '200' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write('npm run bench:abort -- [--calls N] [--json]\n')
  process.exit(0)
}
const calls = Math.max(1, Math.min(5_000, Number(values.calls)))
const BAR_MS = 100
const WAIT_MS_MAX = 5_000

const phases = {
  'before the head': { stream: true, pool: 'roomy' },
  'before the head, whole reply': { stream: false, pool: 'roomy' },
  'after the head, before an event': { stream: true, pool: 'roomy' },
  'in mid-stream': { stream: true, pool: 'roomy' },
  'in a whole reply': { stream: false, pool: 'roomy' },
  'while a hedge runs beside it': { stream: false, pool: 'hedged' },
} as const
type Phase = keyof typeof phases

interface Arrived {
  /** Resolves when the server's socket has closed, with the time. */
  readonly closed: Promise<number>
}

/** Calls that the model server holds, oldest first. */
const arrived: Arrived[] = []
let phase: Phase = 'before the head'

const model = createServer((request, response) => void hold(request, response))
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
const children: Child[] = []
try {
  model.listen(0, '127.0.0.1')
  await once(model, 'listening')
  const port = await startGateway(`http://127.0.0.1:${(model.address() as AddressInfo).port}`)
  const token = (await printedBy(['src/main.ts', 'token', '-d', folder], root)).trim()
  const results: Record<string, number[]> = {}
  for (const name of Object.keys(phases) as Phase[]) {
    phase = name
    // Not measured: whatever comes first would pay for code that is not compiled yet.
    for (let n = 0; n < 10; n++) await abortOne(port, token)
    const measured: number[] = []
    while (measured.length < calls) measured.push(...(await abortOne(port, token)))
    results[name] = measured
    process.stderr.write(`${name}: ${measured.length} closes\n`)
  }
  results['in line'] = await neverSent(port, token)
  report(results)
} finally {
  model.close()
  model.closeAllConnections()
  for (const child of children) await child.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function startGateway(upstream: string): Promise<number> {
  const gateway = await startDev(folder)
  children.push(gateway.child)
  const other = upstream.replace('127.0.0.1', 'localhost')
  const pool = (endpoints: readonly string[], fields: object = {}) => ({
    ...{ server: 'vllm', endpoints, health: { probe: false }, balance: { loadReports: false } },
    retries: { budgetPercent: 100 },
    ...fields,
  })
  const model = (pool: string, fields: object = {}) => ({
    pool,
    upstreamModel: 'm',
    outputTokensMax: 64,
    ...fields,
  })
  const models = {
    pools: {
      roomy: pool([upstream]),
      hedged: pool([upstream, other]),
      full: pool([upstream], { connectionsMax: 1 }),
    },
    models: {
      roomy: model('roomy'),
      hedged: model('hedged', { hedge: { afterMs: 20, outputTokensMax: 64 } }),
      full: model('full'),
    },
  }
  await reconfigure(folder, gateway, models)
  return gateway.port
}

/** The model server: goes as far as the phase says, and then says nothing more. */
async function hold(request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume()
  await once(request, 'end')
  const { promise, resolve } = Promise.withResolvers<number>()
  request.socket.once('close', () => resolve(performance.now()))
  if (!phase.startsWith('before') && !phase.startsWith('while')) {
    const isWhole = phase === 'in a whole reply'
    response.writeHead(200, { 'content-type': isWhole ? 'application/json' : 'text/event-stream' })
    response.flushHeaders()
    const event = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm' }
    const choices = [{ index: 0, delta: { content: 'word ' }, finish_reason: null }]
    if (phase === 'in mid-stream') response.write(`data: ${JSON.stringify({ ...event, choices })}\n\n`)
    if (isWhole) response.write('{"id":"x",')
  }
  arrived.push({ closed: promise })
}

/** One call that its caller leaves; the milliseconds until each socket of the model server closed. */
async function abortOne(port: number, token: string): Promise<number[]> {
  const { stream, pool } = phases[phase]
  const expected = pool === 'hedged' ? 2 : 1
  const caller = call(port, token, pool, stream)
  await until(() => arrived.length === expected)
  await delay(5 + Math.random() * 10)
  const leftAt = performance.now()
  caller.destroy()
  const closes = await Promise.all(arrived.splice(0).map(({ closed }) => within(closed)))
  return closes.map((closedAt) => closedAt - leftAt)
}

/** Callers who leave while they wait for a place: what the model server sees of them. It is to see nothing. */
async function neverSent(port: number, token: string): Promise<number[]> {
  phase = 'before the head'
  const holder = call(port, token, 'full', true)
  await until(() => arrived.length === 1)
  const waiting = Array.from({ length: 50 }, () => call(port, token, 'full', true))
  await delay(500)
  for (const caller of waiting) caller.destroy()
  await delay(500)
  holder.destroy()
  await delay(500)
  const seen = arrived.splice(0).length
  return [seen - 1]
}

function call(port: number, token: string, name: string, stream: boolean) {
  const request = httpsRequest({
    ...{ host: 'localhost', port, path: '/v1/chat/completions', method: 'POST', agent: false },
    ...callerTls(folder),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  })
  request.on('error', () => {})
  request.on('response', (response) => response.on('error', () => {}).resume())
  request.end(
    JSON.stringify({ model: name, stream, max_tokens: 8, messages: [{ role: 'user', content: 'hello' }] }),
  )
  return request
}

async function until(isSo: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += 2) {
    if (waitedMs > WAIT_MS_MAX) throw new Error(`waited too long: ${phase}`)
    await delay(2)
  }
}

async function within(closed: Promise<number>): Promise<number> {
  const late = delay(WAIT_MS_MAX, Number.POSITIVE_INFINITY, { ref: false })
  return await Promise.race([closed, late])
}

function report(results: Record<string, number[]>): void {
  const rows = Object.entries(results).map(([name, measured]) => {
    const { count, ...times } = quantiles(measured)
    return { phase: name, closes: count, ...times }
  })
  const sent = results['in line']?.[0] ?? 0
  const measured = rows.filter((row) => row.phase !== 'in line')
  const isMet = measured.every(({ p99 }) => p99 <= BAR_MS) && sent === 0
  if (values.json)
    process.stdout.write(
      `${JSON.stringify({ barMs: BAR_MS, isMet, sentFromLine: sent, phases: measured })}\n`,
    )
  else {
    process.stdout.write(`phase                              closes   p50 ms   p99 ms   max ms\n`)
    for (const { phase: name, closes, ...times } of measured) {
      const figures = [times.p50, times.p99, times.max].map((ms) => ms.toFixed(1).padStart(8)).join(' ')
      process.stdout.write(`${name.padEnd(34)} ${String(closes).padStart(6)} ${figures}\n`)
    }
    process.stdout.write(`in line: 50 callers left, ${sent} of their calls were sent\n`)
    process.stdout.write(isMet ? `met: p99 <= ${BAR_MS} ms in each phase\n` : `MISSED: p99 <= ${BAR_MS} ms\n`)
  }
  if (!isMet) process.exitCode = 1
}
