// What limits cost: processor time of one admission and its settlement, by the number of limits that must agree, on the
// embedded store with budgets on disk; beside the least that any limiter does, in the same process. Medians of rounds.
//   npm run bench:quota            --json for machines, --rounds N (5)
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median } from '../driver/quantiles.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write('npm run bench:quota -- [--rounds N] [--json]\n')
  process.exit(0)
}
const rounds = Math.max(1, Math.min(50, Number(values.rounds)))
const worker = join(import.meta.dirname, '../../scripts/quota-worker.ts')

interface Round {
  readonly us: number
  readonly floorUs: number
}

function measure(limits: number): Round {
  const { status, stdout, stderr } = spawnSync(process.execPath, [worker, String(limits), '50000'], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  if (status !== 0) throw new Error(stderr || `the worker ended with ${status}`)
  return JSON.parse(stdout) as Round
}

const rows = [1, 2, 3, 6].map((limits) => {
  const measured = Array.from({ length: rounds }, () => measure(limits))
  return {
    limits,
    us: median(measured.map(({ us }) => us)),
    floor_us: median(measured.map(({ floorUs }) => floorUs)),
    ratio: median(measured.map(({ us, floorUs }) => us / floorUs)),
  }
})
if (values.json) process.stdout.write(`${JSON.stringify({ rounds, rows })}\n`)
else {
  process.stdout.write(
    '| limits | CPU of admission + settlement | floor | ratio |\n| --- | --- | --- | --- |\n',
  )
  for (const { limits, us, floor_us, ratio } of rows)
    process.stdout.write(
      `| ${limits} | ${us.toFixed(2)} us | ${floor_us.toFixed(2)} us | ${ratio.toFixed(1)} |\n`,
    )
}
