// Which servers are started, and which checks each of them gets.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from './bench.ts'
import { abortChecks, queueChecks } from './checks/abort.ts'
import { accountingChecks } from './checks/accounting.ts'
import { chatChecks } from './checks/chat.ts'
import { failureChecks } from './checks/death.ts'
import { devChecks } from './checks/dev.ts'
import { embeddingChecks } from './checks/embeddings.ts'
import { keepAliveChecks } from './checks/keep-alive.ts'
import {
  oracleChecks,
  oracleGrammars,
  plantedValues,
  thinkingChecks,
  thinkingGrammar,
} from './checks/oracle.ts'
import { pythonChecks, pythonLimitChecks } from './checks/python.ts'
import { refusalChecks } from './checks/refusals.ts'
import { promptChecks, structuredChecks, toolChecks } from './checks/screening.ts'
import { startFront } from './front.ts'
import type { LlamaBinary } from './llama-server.ts'
import { type ModelServer, startLlamaServer } from './model-server.ts'
import { tinyTokens } from './models.ts'
import type { Python } from './python.ts'
import { Section } from './report.ts'
import { startVllm, type Vllm, vllmEnds } from './vllm.ts'

export interface Place {
  /** Where models and installations are. */
  readonly directory: string
  /** Where this run writes configurations and logs. */
  readonly runs: string
  /** With the stock Python client installed; `undefined` leaves its checks out. */
  readonly python: Python | undefined
}

export interface LlamaParts extends Place {
  readonly binary: LlamaBinary
  readonly file: string
}

const template = (name: string): string => join(import.meta.dirname, 'templates', `${name}.jinja`)
const tinyEnds = { [tinyTokens.endOfText]: -100, [tinyTokens.endOfTurn]: -100 }
const secrets = ['4111 1111 1111 1111', 'jane.doe@example.com']

async function stopAll(servers: readonly ModelServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()))
}

const python = async (bench: Bench, place: Place): Promise<void> => {
  if (place.python === undefined) return
  await pythonChecks(bench, place.python)
  await pythonLimitChecks(bench, place.python)
}

/** llama-server with the random model: everything that needs speed and repetition. */
export async function tinyScenario(parts: LlamaParts): Promise<Section> {
  const { binary, file, runs } = parts
  const section = new Section('llama-server', binary.version, 'tiny (1.2 MB, random)')
  const startTiny = (model: string, flags: readonly string[] = [], keyed = true): Promise<ModelServer> =>
    startLlamaServer({ binary, file, model, directory: runs, flags, keyed })
  const server = await startTiny('tiny', ['--ctx-size', '131072'])
  const tools = await startTiny('tools', ['--chat-template-file', template('tools')])
  const embedder = await startTiny('embedder', ['--embeddings', '--pooling', 'mean'])
  const mortal = await startTiny('mortal')
  const keyless = await startTiny('keyless', [], false)
  const front = await startFront(join(runs, 'tiny'), [
    { name: 'tiny', server },
    { name: 'tiny-fresh', server, keepAlive: false },
    { name: 'tiny-wrong-key', server, apiKey: 'sk-wrong' },
    { name: 'tools', server: tools },
    { name: 'embedder', server: embedder },
    { name: 'mortal', server: mortal },
  ])
  const bench = { section, front, server, model: 'tiny', tokens: 64, longTokens: 24_000, endless: tinyEnds }
  try {
    await chatChecks(bench)
    await refusalChecks(bench)
    await promptChecks(bench)
    await structuredChecks(bench)
    await toolChecks(
      { ...bench, server: tools, model: 'tools' },
      { logit_bias: { [tinyTokens.toolCall]: 100 } },
    )
    await embeddingChecks({ ...bench, server: embedder, model: 'embedder' })
    await abortChecks(bench)
    await queueChecks(bench)
    await keepAliveChecks(bench, { true: 'tiny', false: 'tiny-fresh' })
    await python(bench, parts)
    await failureChecks(bench, { mortal: 'mortal', wrongKey: 'tiny-wrong-key' }, () => mortal.stop('SIGKILL'))
    await devChecks(section, keyless, runs)
    await accountingChecks(bench, secrets)
  } finally {
    await front.stop()
    await stopAll([server, tools, embedder, mortal, keyless])
  }
  return section
}

/** llama-server whose own grammar leaves the model one text, full of values. */
export async function oracleScenario({ binary, file, runs }: LlamaParts): Promise<Section> {
  const section = new Section('llama-server', binary.version, 'tiny, made to say secrets')
  const startOracle = async (model: string, grammar: string, flags: readonly string[] = []) => {
    const grammarFile = join(runs, `${model}.gbnf`)
    writeFileSync(grammarFile, grammar)
    const all = ['--grammar-file', grammarFile, ...flags]
    return {
      name: model,
      server: await startLlamaServer({ binary, file, model, directory: runs, flags: all }),
    }
  }
  const thinker = await startOracle('thinker', thinkingGrammar, [
    ...['--chat-template-file', template('reasoning')],
    ...['--reasoning-format', 'deepseek'],
  ])
  const models = [thinker]
  for (const [name, grammar] of Object.entries(oracleGrammars)) {
    models.push(await startOracle(`oracle-${name}`, grammar))
  }
  const front = await startFront(join(runs, 'oracle'), models)
  const bench = {
    section,
    front,
    server: thinker.server,
    model: 'thinker',
    tokens: 0,
    longTokens: 0,
    endless: {},
  }
  try {
    await oracleChecks(bench)
    await thinkingChecks(bench)
    await accountingChecks(bench, plantedValues)
  } finally {
    await front.stop()
    await stopAll(models.map((model) => model.server))
  }
  return section
}

/** llama-server with a model that knows things. */
export async function gemmaScenario(parts: LlamaParts): Promise<Section> {
  const { binary, file, runs } = parts
  const section = new Section('llama-server', binary.version, 'Gemma 3 270M Q4_K_M')
  const flags = ['--ctx-size', '8192', '--threads', '2']
  const server = await startLlamaServer({ binary, file, model: 'gemma', directory: runs, flags })
  const front = await startFront(join(runs, 'gemma'), [{ name: 'gemma', server }])
  const bench = { section, front, server, model: 'gemma', tokens: 24, longTokens: 1_000, endless: {} }
  try {
    await chatChecks(bench)
    await refusalChecks(bench)
    await promptChecks(bench)
    await structuredChecks(bench)
    await abortChecks(bench)
    await python(bench, parts)
    await accountingChecks(bench, secrets)
  } finally {
    await front.stop()
    await stopAll([server])
  }
  return section
}

/** vLLM with random weights. */
export async function vllmScenario(vllm: Vllm, place: Place): Promise<Section> {
  const section = new Section('vLLM', vllm.version, 'Llama shape, dummy weights')
  const server = await startVllm(vllm, join(place.directory, 'vllm'), place.runs)
  const front = await startFront(join(place.runs, 'vllm'), [{ name: 'vllm', server }])
  const bench = { section, front, server, model: 'vllm', tokens: 48, longTokens: 2_000, endless: vllmEnds }
  try {
    await chatChecks(bench)
    await refusalChecks(bench)
    await structuredChecks(bench)
    await toolChecks(bench, { tool_choice: 'required' })
    await abortChecks(bench)
    await python(bench, place)
    await accountingChecks(bench, secrets)
  } finally {
    await front.stop()
    await stopAll([server])
  }
  return section
}
