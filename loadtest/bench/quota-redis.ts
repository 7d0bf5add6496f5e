// What limits cost on Redis: round trips of an admission and its settlement, counted by the server, and how long an
// admission takes beside a PING on a connection of the same client, in the same process and the same minute. Starts a
// redis-server of its own on loopback. Percentiles are of one call after the other; the medians of rounds.
//   npm run bench:quota-redis      --json for machines, --rounds N (5), --calls N (2000)
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median } from '../driver/quantiles.ts'
import { freePort, printedBy } from './processes.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    calls: { type: 'string', default: '2000' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write('npm run bench:quota-redis -- [--rounds N] [--calls N] [--json]\n')
  process.exit(0)
}
const rounds = Math.max(1, Math.min(50, Number(values.rounds)))
const calls = Math.max(100, Math.min(100_000, Number(values.calls)))
const root = join(import.meta.dirname, '../..')
const worker = join(root, 'scripts/quota-redis-worker.ts')

interface Percentiles {
  readonly p50: number
  readonly p99: number
}

/** What one run of the worker prints; times in microseconds. */
interface Round {
  readonly limits: number
  readonly ping: Percentiles
  readonly admit: Percentiles
  readonly settle: Percentiles
  readonly perAdmission: number
  readonly perSettlement: number
}

const port = await freePort()
const redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
  stdio: 'ignore',
})
await Promise.race([
  once(redis, 'spawn'),
  once(redis, 'error').then(([error]) => Promise.reject(error as Error)),
])
try {
  const measured: Round[] = []
  for (let round = 0; round < rounds; round += 1)
    measured.push(JSON.parse(await printedBy([worker, String(port), String(calls)], root)) as Round)
  report(measured)
} finally {
  redis.kill('SIGKILL')
}

function report(measured: readonly Round[]): void {
  const middle = (pick: (round: Round) => number): number => median(measured.map(pick))
  const rows = (['ping', 'admit', 'settle'] as const).map((what) => ({
    what,
    p50_us: middle((round) => round[what].p50),
    p99_us: middle((round) => round[what].p99),
    ratio_p50: middle((round) => round[what].p50 / round.ping.p50),
    ratio_p99: middle((round) => round[what].p99 / round.ping.p99),
  }))
  const trips = {
    per_admission: middle(({ perAdmission }) => perAdmission),
    per_settlement: middle(({ perSettlement }) => perSettlement),
  }
  const limits = measured[0]?.limits ?? 0
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ rounds, calls, limits, trips, rows })}\n`)
    return
  }
  process.stdout.write(
    `round trips, ${limits} limits: ${trips.per_admission} per admission, ${trips.per_settlement} per settlement\n` +
      '| call | p50 | p99 | p50 / PING | p99 / PING |\n| --- | --- | --- | --- | --- |\n',
  )
  for (const { what, p50_us, p99_us, ratio_p50, ratio_p99 } of rows)
    process.stdout.write(
      `| ${what} | ${p50_us.toFixed(0)} us | ${p99_us.toFixed(0)} us | ${ratio_p50.toFixed(2)} | ${ratio_p99.toFixed(2)} |\n`,
    )
}
