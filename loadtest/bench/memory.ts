// What the gateway keeps of memory: resident set after the start, and what each idle stream adds, with everything on. A stream
// here is a caller's connection with TLS, the one to the model server, and all that stands between them, after the first word.
//   npm run bench:memory            --help for its options
import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { makeSecrets } from '../deploy/certificates.ts'
import { type IdleResult, idleStreams } from '../deploy/idle-streams.ts'
import { startStage } from '../deploy/soak-stage.ts'
import { table } from '../deploy/table.ts'
import { withEnding } from '../driver/ending.ts'
import { median } from '../driver/quantiles.ts'

export const IDLE_MIB_MAX = 150
export const STREAM_KIB_MAX = 60
const MIB = 1024 ** 2
const STREAMS_MAX = 20_000
const SAMPLES = 10

const help = `What the gateway keeps of memory: idle after its start, and for each idle stream.

  npm run bench:memory
  npm run bench:memory -- --streams 1000 --json

  --streams LIST       idle streams, one measurement for each number (1000,5000)
  --settle-seconds N   after the start, before the resident set is read (15)
  --json               for machines

Each stream takes two open files of the gateway: \`ulimit -n 20000\` for 5000. Ends with 1 when a bar is missed: ${IDLE_MIB_MAX} MiB
idle, ${STREAM_KIB_MAX} KiB for each idle stream.
`

interface Idle {
  /** Median of some samples. */
  readonly rssMiB: number
  /** Of it, what the process itself has written; the rest are files that processes share: the program, libraries. */
  readonly anonymousMiB: number
}

export interface PerStream {
  readonly streams: number
  /** Resident set of each stream: those opened first, and as many once more after the first were closed. */
  readonly kib: number
  readonly kibAgain: number
  /** Of it, what is in use in the JavaScript heap. */
  readonly heapKib: number
  readonly lost: readonly string[]
}

interface MemoryOptions {
  readonly streams: readonly number[]
  readonly settleSeconds: number
  readonly json: boolean
}

/** The figures of one measurement. */
export function perStream({ streams, before, held, heldAgain, lost }: IdleResult): PerStream {
  const kib = (mib: number): number => (mib * 1024) / streams
  return {
    streams,
    kib: kib(held.rssMiB - before.rssMiB),
    kibAgain: kib(heldAgain.rssMiB - before.rssMiB),
    heapKib: kib(held.heapMiB - before.heapMiB),
    lost,
  }
}

/** What was missed, in words. A figure that could not be taken has missed its bar. */
export function missedBars(rssMiB: number, rows: readonly PerStream[]): string[] {
  const idle = rssMiB <= IDLE_MIB_MAX ? [] : [`idle: ${rssMiB.toFixed(0)} MiB, at most ${IDLE_MIB_MAX}`]
  const each = rows.flatMap(({ streams, kib, lost }) => [
    ...(kib <= STREAM_KIB_MAX
      ? []
      : [`${streams} streams: ${kib.toFixed(1)} KiB each, at most ${STREAM_KIB_MAX}`]),
    ...(lost.length > 0 ? [`${lost.length} of ${streams} streams were lost: ${lost[0]}`] : []),
  ])
  return [...idle, ...each]
}

export function parseMemoryOptions(args: readonly string[]): MemoryOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      streams: { type: 'string', default: '1000,5000' },
      'settle-seconds': { type: 'string', default: '15' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const streams = values.streams.split(',').map(Number)
  if (!streams.every((count) => Number.isInteger(count) && count >= 10 && count <= STREAMS_MAX))
    throw new Error(`--streams needs whole numbers from 10 to ${STREAMS_MAX}, with commas between them`)
  const settleSeconds = Number(values['settle-seconds'])
  if (!(settleSeconds >= 1 && settleSeconds <= 600))
    throw new Error('--settle-seconds needs a number from 1 to 600')
  return { streams, settleSeconds, json: values.json }
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function main(args: readonly string[]): Promise<void> {
  const options = parseMemoryOptions(args)
  if (options === 'help') return void process.stdout.write(help)
  demandOpenFiles(Math.max(...options.streams) * 2 + 200)
  await withEnding(async ({ signal }, folder) => {
    const secrets = mkdtempSync(join(folder, 'secrets-'))
    await makeSecrets(secrets, 'memory')
    say(`idle: a gateway that has just started, after ${options.settleSeconds} s`)
    const idle = await idleAfterStart(secrets, options.settleSeconds, signal)
    const rows: PerStream[] = []
    for (const streams of options.streams) {
      signal.throwIfAborted()
      say(`${streams} idle streams, twice`)
      rows.push(perStream(await idleStreams(secrets, streams)))
    }
    report(options, idle, rows)
  })
}

async function idleAfterStart(secrets: string, seconds: number, signal: AbortSignal): Promise<Idle> {
  const stage = await startStage(secrets, { inFlightMax: 1_000 })
  try {
    await delay(seconds * 1000, undefined, { signal })
    const samples: Idle[] = []
    for (let n = 0; n < SAMPLES; n += 1) {
      samples.push(residentSet(stage.gateway.pid))
      await delay(200, undefined, { signal })
    }
    return {
      rssMiB: median(samples.map(({ rssMiB }) => rssMiB)),
      anonymousMiB: median(samples.map(({ anonymousMiB }) => anonymousMiB)),
    }
  } finally {
    await stage.close()
  }
}

function residentSet(pid: number): Idle {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / MIB
  return { rssMiB: mib('VmRSS'), anonymousMiB: mib('RssAnon') }
}

function report({ json }: MemoryOptions, idle: Idle, rows: readonly PerStream[]): void {
  const missed = missedBars(idle.rssMiB, rows)
  const bars = { idleMiB: IDLE_MIB_MAX, streamKiB: STREAM_KIB_MAX }
  if (json)
    process.stdout.write(
      `${JSON.stringify({ node: process.versions.node, bars, idle, streams: rows, missed }, null, 2)}\n`,
    )
  else
    process.stdout.write(
      `idle after the start: ${idle.rssMiB.toFixed(1)} MiB resident, ${idle.anonymousMiB.toFixed(1)} MiB of it its own ` +
        `(bar ${IDLE_MIB_MAX} MiB)\n\n` +
        table(
          rows.map(({ streams, kib, kibAgain, heapKib, lost }) => ({
            'idle streams': streams,
            'RSS KiB each': kib.toFixed(1),
            'the second time': kibAgain.toFixed(1),
            'JS heap KiB each': heapKib.toFixed(1),
            'bar KiB': STREAM_KIB_MAX,
            lost: lost.length,
          })),
        ),
    )
  for (const miss of missed) say(`MISSED: ${miss}`)
  if (missed.length > 0) process.exitCode = 1
}

/** A child process inherits the bound of this one, and Node cannot raise it. */
function demandOpenFiles(count: number): void {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const bound = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  if (bound < count)
    throw new Error(`at most ${bound} files may be open, ${count} are needed: ulimit -n ${count}`)
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`bench:memory: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
  })
}
