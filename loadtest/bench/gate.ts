// The regression gate: what a request, a streamed event and a long prompt take of the gateway, with everything on, beside the
// committed baseline. Bytes allocated and reads and writes asked of the kernel are counts, the same on a busy machine as on a
// quiet one; CPU time is held against the bare relay in the same run, with a wider bound.
//   npm run bench:gate            --help for its options
import { parseArgs } from 'node:util'
import { type Ending, withEnding } from '../driver/ending.ts'
import { startGateways } from '../driver/gateways.ts'
import { baselineFile, readBaseline, writeBaseline } from './gate/baseline.ts'
import { type Counts, type Effort, spreadPercent, takeCounts } from './gate/counts.ts'
import { decide, tableOf } from './gate/decision.ts'
import { startLockstepModel } from './gate/lockstep.ts'

const help = `Fails when what a request takes of the gateway has grown past what is committed.

  npm run bench:gate
  npm run bench:gate -- --update          # writes loadtest/bench/gate-baseline.json
  npm run bench:gate -- --rounds 30 --json

  --rounds N       rounds, of which the median counts (8)
  --warm-up N      rounds before that are not counted (9)
  --requests N     of each round (100)
  --baseline FILE  another baseline
  --update         write the baseline instead of comparing with it
  --json           for machines

Ends with 1 when a count has grown by more than its bound, is not in the baseline, or could not be taken; 2 when the run failed.
docs/benchmarks/gate.md says what is counted, and by how much it varies.
`

/** Of one round, beside the requests. */
const CALLS = { streams: 2, tokens: 300, prompts: 2 }
/** Nothing but the calls: what the gateway does by the clock would count by how long the machine took. */
const POOL = { health: { probe: false }, balance: { loadReports: false } }
/** New objects have room for all calls of a count, so that none is collected meanwhile. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128']

interface GateOptions {
  readonly json: boolean
  readonly update: boolean
  readonly baseline: string
  readonly effort: Effort
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

function parseGateOptions(args: readonly string[]): GateOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '8' },
      'warm-up': { type: 'string', default: '9' },
      requests: { type: 'string', default: '100' },
      baseline: { type: 'string', default: baselineFile },
      update: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const count = (flag: 'rounds' | 'warm-up' | 'requests', min: number, max = 50): number => {
    const value = Number(values[flag])
    if (!Number.isInteger(value) || value < min || value > max)
      throw new Error(`--${flag} needs a whole number from ${min} to ${max}`)
    return value
  }
  const rounds = { rounds: count('rounds', 1), warmUp: count('warm-up', 0) }
  // More would not have room among the new objects.
  const effort = { ...CALLS, ...rounds, requests: count('requests', 10, 200) }
  return { json: values.json, update: values.update, baseline: values.baseline, effort }
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseGateOptions(args)
  if (options === 'help') return void process.stdout.write(help)
  // Read before anything is started: a file that is broken is said at once.
  const baseline = readBaseline(options.baseline)
  await withEnding(async (ending, folder) => {
    const counts = await count(ending, folder, options.effort)
    const values = Object.fromEntries(Object.entries(counts).map(([name, { value }]) => [name, value]))
    if (options.update) {
      writeBaseline(options.baseline, values, process.versions.node)
      say(`wrote ${options.baseline}`)
    }
    const against = options.update ? readBaseline(options.baseline) : baseline
    const decision = decide(against, values, process.versions.node)
    const spreads = Object.fromEntries(
      Object.entries(counts).map(([name, each]) => [name, spreadPercent(each)]),
    )
    if (options.json) process.stdout.write(`${JSON.stringify({ ...decision, spreads, counts }, null, 2)}\n`)
    else process.stdout.write(tableOf(decision.rows, spreads))
    for (const message of decision.messages) say(message)
    if (!decision.passes) process.exitCode = 1
  })
}

async function count(ending: Ending, folder: string, effort: Effort): Promise<Counts> {
  say('starting the gateway and the bare relay')
  const model = await startLockstepModel()
  await ending.add(() => model.close())
  const gateways = await startGateways(folder, model.url, ending, { pool: POOL, flags: FLAGS })
  say(`warming up: ${effort.warmUp} rounds`)
  return await takeCounts(model, gateways, effort, {
    signal: ending.signal,
    onRound: (n) => say(`round ${n} of ${effort.rounds}`),
  })
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`bench:gate: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
  })
}
