// One run: everybody is started, rounds go over the rows in turn, and what was measured is handed back.
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Target } from './drive.ts'
import { notToBeHad } from './gateways.ts'
import { loads } from './loads.ts'
import { measureLatency, measureLoad, perSecondOf, rssMiBOf, type Taken, warmUp } from './measure.ts'
import type { Options } from './options.ts'
import type { Program } from './program.ts'
import type { AbsentRow, Latency, MeasuredRow, Results, Sample } from './results.ts'
import type { Row } from './row.ts'
import { type Running, startRow } from './running.ts'
import { makeScene, type Scene } from './world.ts'

const QUICK = { scale: 0.25, latencySeconds: 1, warmUp: { calls: 300, msMax: 1_500 } }
const FULL = { scale: 1, latencySeconds: 2, warmUp: { calls: 2_000, msMax: 8_000 } }
/** Warm-up leaves out what runs the code of another load. */
const NOT_WARMED = ['chat', 'knee', 'stream-1000']

type Say = (line: string) => void

/** Everything that was started is ended when this resolves or rejects. `signal` ends it early. */
export async function compare(
  rows: readonly Row[],
  options: Options,
  { signal, say }: { readonly signal: AbortSignal; readonly say: Say },
): Promise<Results> {
  const folder = mkdtempSync(join(tmpdir(), 'sp-peers-'))
  const programs: Program[] = []
  const opened = (program: Program): void => void programs.push(program)
  try {
    say('making certificates, starting the simulated model server')
    const scene = await makeScene(folder, opened)
    const { running, idle, absent } = await startAll(rows, { scene, opened, signal, say })
    const measured = await measureAll(running, scene, { options, signal, say })
    return {
      taken: new Date().toISOString(),
      machine: machine(),
      options: {
        rounds: options.rounds,
        quick: options.quick,
        loads: options.loads.join(','),
        rates: options.rates.join(',') || 'none',
      },
      rows: idle,
      absent: [...absent, ...(options.rows === undefined ? notToBeHad : [])],
      ...measured,
    }
  } finally {
    await Promise.all(programs.map((program) => program.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Starting {
  readonly scene: Scene
  readonly opened: (program: Program) => void
  readonly signal: AbortSignal
  readonly say: Say
}

interface Started {
  readonly running: Running[]
  readonly idle: MeasuredRow[]
  readonly absent: AbsentRow[]
}

async function startAll(rows: readonly Row[], { scene, opened, signal, say }: Starting): Promise<Started> {
  const started: Started = { running: [], idle: [], absent: [] }
  for (const row of rows) {
    signal.throwIfAborted()
    const found = await row.find()
    if ('missing' in found) {
      say(`${row.name}: ${found.missing}`)
      started.absent.push({ name: row.name, title: row.title, reason: found.missing })
      continue
    }
    say(`${row.name}: starting ${found.version}`)
    try {
      const running = await startRow(row, scene, opened)
      started.running.push(running)
      started.idle.push(described(running, found.version))
    } catch (error) {
      const reason = `did not come up: ${(error as Error).message}`
      say(`${row.name}: ${reason}`)
      started.absent.push({ name: row.name, title: row.title, reason })
    }
  }
  return started
}

const described = ({ row, program, command, files }: Running, version: string): MeasuredRow => ({
  name: row.name,
  title: row.title,
  version,
  on: row.on,
  off: row.off,
  command,
  files,
  idleRssMiB: rssMiBOf(program.pid),
})

interface Measuring {
  readonly options: Options
  readonly signal: AbortSignal
  readonly say: Say
}

async function measureAll(
  running: readonly Running[],
  scene: Scene,
  { options, signal, say }: Measuring,
): Promise<Pick<Results, 'samples' | 'latencies'>> {
  const { scale, latencySeconds, warmUp: patience } = options.quick ? QUICK : FULL
  const direct: Target = { origin: scene.modelOrigin, headers: {}, agent: scene.agent() }
  const chosen = loads.filter(({ name }) => options.loads.includes(name))
  const samples: Sample[] = []
  const latencies: Latency[] = []
  const over = async (each: Running, taken: Taken, names: readonly string[]): Promise<Sample[]> => {
    const own: Sample[] = []
    for (const load of chosen.filter(({ name }) => names.includes(name))) {
      signal.throwIfAborted()
      own.push(await measureLoad(each, scene, load, taken))
    }
    return own
  }
  for (const each of running) {
    say(`warming up ${each.row.name}`)
    await warmUp(each.target, patience)
    const names = options.loads.filter((name) => !NOT_WARMED.includes(name))
    await over(each, { round: 0, scale: scale / 2 }, names)
  }
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const each of running) {
      const own = await over(each, { round, scale }, options.loads)
      samples.push(...own)
      const knee = own.find(({ load }) => load === 'knee')
      for (const rate of options.rates) {
        signal.throwIfAborted()
        const perSecond = perSecondOf(rate, knee)
        if (perSecond === undefined) continue
        const timing = { round, seconds: latencySeconds }
        latencies.push(await measureLatency(each, direct, { name: rate, perSecond }, timing))
      }
      say(`round ${round} of ${options.rounds}: ${each.row.name}${failuresIn(own)}`)
    }
  }
  return { samples, latencies }
}

function failuresIn(samples: readonly Sample[]): string {
  const failed = samples.filter(({ failures }) => failures > 0)
  return failed.map(({ load, failures, failure }) => `\n  ${load}: ${failures} failed, ${failure}`).join('')
}

const machine = (): Results['machine'] => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  kernel: `Linux ${release()}`,
  node: process.versions.node,
  loadAverage: Math.round((loadavg()[0] ?? 0) * 10) / 10,
})
