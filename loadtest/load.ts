// `npm run load -- SCENARIO`: builds k6 if need be, starts gateways, a simulated model server and what else the scenario
// is about, lets k6 make the calls, does to the stage what the scenario is named after, and says what came of it.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { root } from './deploy/places.ts'
import type { Settings } from './k6/settings.ts'
import { findK6, NoK6, runK6, samplesFileOf } from './load/k6.ts'
import { writePage } from './load/page.ts'
import { type Plan, plans } from './load/plan.ts'
import { authoritiesFile, type Stage, startStage } from './load/stage.ts'
import { printed, reportFiles, type Verdict, verdictOf } from './load/verdict.ts'
import { warmUp } from './load/warm-up.ts'
import { type Found, leftBehind, levelsOf, Watch } from './load/watch.ts'

const list = Object.entries(plans)
  .map(([name, { about, rate, seconds }]) => `  ${name.padEnd(22)}${about} (${rate}/s, ${seconds} s)`)
  .join('\n')
const help = `npm run load -- SCENARIO [options]

${list}

  --rate N             calls a second
  --duration SECONDS   30 or 30s
  --latency-factor N   bounds of latency are multiplied by it: above 1 for a busy machine (1)
  --out FOLDER         where the report goes (.bench/k6/SCENARIO)
  --json               the verdict as JSON on stdout
  --list               the scenarios, one a line
  --help

  npm run load -- smoke
  npm run load -- steady --rate 30 --duration 120s --json

Ends with 0 when all bars are kept, with 1 when one is missed, with 2 for wrong options, with 3 where k6 cannot be built.
`

class WrongOption extends Error {}

/** Tokens are good for an hour. */
const SECONDS_MAX = 3_400

const options = {
  rate: { type: 'string' },
  duration: { type: 'string' },
  'latency-factor': { type: 'string', default: '1' },
  out: { type: 'string' },
  json: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

interface Asked {
  readonly scenario: string
  readonly plan: Plan
  readonly rate: number
  readonly seconds: number
  readonly latencyFactor: number
  readonly reportFolder: string
}

function bounded(name: string, text: string, from: number, to: number): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= from && value <= to))
    throw new WrongOption(`--${name} is a number from ${from} to ${to}, not "${text}"`)
  return value
}

function read(scenario: string | undefined, values: Readonly<Record<string, unknown>>): Asked {
  const plan = scenario === undefined ? undefined : plans[scenario]
  if (scenario === undefined || plan === undefined || !Object.hasOwn(plans, scenario))
    throw new WrongOption(`name a scenario: ${Object.keys(plans).join(', ')}`)
  const text = (name: string, fallback: unknown): string => String(values[name] ?? fallback)
  const seconds = bounded(
    'duration',
    text('duration', plan.seconds).replace(/s$/, ''),
    plan.secondsMin ?? 3,
    SECONDS_MAX,
  )
  return {
    scenario,
    plan,
    rate: bounded('rate', text('rate', plan.rate), 1, 2_000),
    seconds: Math.round(seconds),
    latencyFactor: bounded('latency-factor', text('latency-factor', 1), 0.1, 1_000),
    reportFolder: resolve(text('out', join(root, '.bench/k6', scenario))),
  }
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function run(asked: Asked, signal: AbortSignal): Promise<Verdict> {
  const { scenario, plan, rate, seconds, reportFolder } = asked
  const binary = await findK6('build', signal)
  mkdirSync(reportFolder, { recursive: true })
  // Of an earlier run; what else lies in a folder that somebody named is not ours.
  for (const file of reportFiles) rmSync(join(reportFolder, file), { force: true })
  say(`${scenario}: starting ${plan.stage.gateways === 1 ? 'the gateway' : 'two gateways'} ...`)
  let files: Readonly<Record<string, string>> = {}
  const stage = await startStage(plan.stage, (folder) => {
    files = plan.files?.(folder) ?? {}
  })
  try {
    await warmUp(stage)
    await delay(plan.settleMs ?? 0, undefined, { signal })
    say(`${scenario}: ${rate} calls a second for ${seconds} s ...`)
    const settingsFile = join(stage.folder, 'settings.json')
    writeFileSync(settingsFile, JSON.stringify(settingsOf(asked, stage, files)), { mode: 0o600 })
    const k6 = {
      binary,
      scenario,
      settingsFile,
      authoritiesFile: authoritiesFile(stage),
      reportFolder,
      signal,
    }
    const watch = new Watch(stage)
    const over = new AbortController()
    const calls = runK6(k6).finally(() => over.abort())
    const meanwhile = faultOf(asked, stage, AbortSignal.any([signal, over.signal]))
    await Promise.allSettled([calls, meanwhile])
    watch.stop()
    signal.throwIfAborted()
    const found = [await meanwhile, levelsOf(watch.samples, plan.levels ?? false), await leftBehind(stage)]
    const verdict = verdictOf(scenario, await calls, found, reportFolder)
    await writePage(verdict, samplesFileOf(reportFolder), watch.samples)
    return verdict
  } finally {
    await stage.close()
  }
}

/** A fault that takes longer than the calls has not been under load to its end. */
async function faultOf({ plan, seconds }: Asked, stage: Stage, signal: AbortSignal): Promise<Found> {
  const startedAt = performance.now()
  try {
    const said = (await plan.fault?.({ stage, seconds, signal })) ?? []
    const took = (performance.now() - startedAt) / 1000
    const late =
      took > seconds ? [`what is done meanwhile took ${took.toFixed(0)} s: --duration must be longer`] : []
    return { said, faults: late }
  } catch (error) {
    const { name, message } = error as Error
    const early = 'the calls ended before what is done meanwhile did: --duration must be longer'
    return { said: [], faults: [name === 'AbortError' ? early : message] }
  }
}

function settingsOf(asked: Asked, stage: Stage, files: Settings['files']): Settings {
  const { scenario, plan, rate, seconds, latencyFactor, reportFolder } = asked
  // The next certificate first: of several that a gateway would take callers show the first.
  const certificates = [stage.nextSecrets, stage.secrets].map((folder) => ({
    cert: join(folder, 'client.crt'),
    key: join(folder, 'client.key'),
  }))
  const { urls, callers } = stage
  const facts = plan.facts ?? {}
  return { scenario, urls, certificates, callers, rate, seconds, latencyFactor, reportFolder, facts, files }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  if (values.list) {
    process.stdout.write(`${Object.keys(plans).join('\n')}\n`)
    return 0
  }
  const asked = read(positionals[0], values)
  const stopped = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stopped.abort())
  // Whoever read this may be gone: what was started has to be ended all the same.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => stopped.abort())
  const verdict = await run(asked, stopped.signal)
  process.stdout.write(values.json ? `${JSON.stringify(verdict, null, 2)}\n` : printed(verdict))
  return verdict.passed ? 0 : 1
}

/** 130: Ctrl-C. */
function codeOf(error: unknown): number {
  const { name, code = '', message } = error as { name: string; code?: string; message: string }
  if (name === 'AbortError') return 130
  const isUsage = error instanceof WrongOption || code.startsWith('ERR_PARSE_ARGS')
  say(`load: ${message}${isUsage ? '\nSee: npm run load -- --help' : ''}`)
  if (isUsage) return 2
  return error instanceof NoK6 ? 3 : 1
}

process.exitCode = await main().catch(codeOf)
