// A real model server on loopback, and what it says of itself on its own port, past the gateway.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { freePort, type Running, start, untilReady } from './command.ts'
import type { LlamaBinary } from './llama-server.ts'

export interface Load {
  readonly running: number
  readonly waiting: number
}

export interface ModelServer {
  readonly kind: 'llamacpp' | 'vllm'
  readonly origin: string
  readonly apiKey: string
  readonly model: string
  load(): Promise<Load>
  /** Output tokens generated since it started, by its own count. */
  generated(): Promise<number>
  /** The prompt that its slots saw last; llama-server only. */
  prompts?(): Promise<string>
  stop(signal?: NodeJS.Signals): Promise<unknown>
}

const metricNames = {
  llamacpp: {
    running: 'llamacpp:requests_processing',
    waiting: 'llamacpp:requests_deferred',
    generated: 'llamacpp:tokens_predicted_total',
  },
  vllm: {
    running: 'vllm:num_requests_running',
    waiting: 'vllm:num_requests_waiting',
    generated: 'vllm:generation_tokens_total',
  },
} as const

/** The sum of a metric over its labels, in Prometheus' text format. */
export function sumOf(text: string, name: string): number {
  const rows = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
  return rows.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

export const newApiKey = (): string => `sk-real-${randomBytes(18).toString('base64url')}`

export function openModelServer(
  kind: ModelServer['kind'],
  parts: Pick<ModelServer, 'origin' | 'apiKey' | 'model'> & { readonly process: Running },
): ModelServer {
  const { origin, apiKey, model, process } = parts
  const get = async (path: string): Promise<string> => {
    const answer = await fetch(origin + path, { headers: { authorization: `Bearer ${apiKey}` } })
    if (!answer.ok) throw new Error(`${path} of the model server answers ${answer.status}`)
    return await answer.text()
  }
  const names = metricNames[kind]
  return {
    kind,
    origin,
    apiKey,
    model,
    load: async () => {
      const text = await get('/metrics')
      return { running: sumOf(text, names.running), waiting: sumOf(text, names.waiting) }
    },
    generated: async () => sumOf(await get('/metrics'), names.generated),
    ...(kind === 'llamacpp' ? { prompts: () => get('/slots') } : {}),
    stop: (signal) => process.stop(signal),
  }
}

export interface LlamaServerOptions {
  readonly binary: LlamaBinary
  readonly file: string
  readonly model: string
  readonly directory: string
  /** llama-server's own flags, after ours. */
  readonly flags?: readonly string[]
  /** `false`: no API key is asked for. */
  readonly keyed?: boolean
}

/** Starts llama-server on a free port of loopback and waits until it has loaded the model. */
export async function startLlamaServer(options: LlamaServerOptions): Promise<ModelServer> {
  const { binary, file, model, directory, flags = [], keyed = true } = options
  const port = await freePort()
  const apiKey = newApiKey()
  const origin = `http://127.0.0.1:${port}`
  const args = [
    ...['--model', file, '--alias', model, '--host', '127.0.0.1', '--port', String(port)],
    ...['--ctx-size', '32768', '--parallel', '4', '--threads', '1', '--metrics', '--slots', '--no-ui'],
    ...(keyed ? ['--api-key', apiKey] : []),
    ...['--offline', ...flags],
  ]
  const process = start(binary.command, [...binary.args, ...args], {
    // Slots then show the prompt that they got, which tells what the gateway sent.
    env: { ...binary.env, LLAMA_SERVER_SLOTS_DEBUG: '1' },
    logFile: join(directory, `llama-server-${model}.log`),
  })
  const ready = async (): Promise<boolean> => (await fetch(`${origin}/health`)).ok
  await untilReady(process, ready, { what: `llama-server (${model})`, timeoutMs: 120_000 })
  return openModelServer('llamacpp', { origin, apiKey, model, process })
}
