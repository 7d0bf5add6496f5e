import { MODEL_PATTERN } from '../../config/schema/models.ts'
import { CommandFailed } from '../surroundings.ts'
import type { DevModel, DevUpstream } from './configuration.ts'
import type { UpstreamSecrets } from './folder.ts'

const LOOK_TIMEOUT_MS = 5_000
const MODELS_MAX = 50
const publicName = new RegExp(MODEL_PATTERN)

const serverByOwner: Readonly<Record<string, DevUpstream['server']>> = {
  vllm: 'vllm',
  sglang: 'sglang',
  llamacpp: 'llamacpp',
}

const EXAMPLE = 'such as http://localhost:8000'
const BY_CONFIGURATION = 'write a configuration (config/models.yaml shows how) and run `sallyport serve`'

/** Asks the model server that the developer named which models it has, and guesses what it is by how it says so. */
export async function findUpstream(origin: string): Promise<DevUpstream> {
  const url = URL.parse(origin)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new CommandFailed(`SALLYPORT_UPSTREAM is not an address ${EXAMPLE}.`)
  }
  if (url.protocol === 'https:') {
    throw new CommandFailed(
      `SALLYPORT_UPSTREAM is an http:// address, ${EXAMPLE}. For https ${BY_CONFIGURATION}.`,
    )
  }
  const cards = await listModels(url)
  const models = cards.flatMap((card) => namedModel(card?.id))
  if (models.length === 0)
    throw new CommandFailed(`${url.origin}/v1/models names no model that a caller could use.`)
  const owner = String(cards[0]?.owned_by)
  return {
    origin: url.origin,
    server: serverByOwner[owner] ?? 'vllm',
    models: models.slice(0, MODELS_MAX),
    secured: 'none',
  }
}

/** llama.cpp calls a model by the path of its file: callers then use the last part. */
function namedModel(id: unknown): DevModel[] {
  if (typeof id !== 'string' || id.length > 512) return []
  const name = [id, id.slice(id.lastIndexOf('/') + 1)].find((each) => publicName.test(each))
  return name === undefined ? [] : [{ name, upstreamModel: id }]
}

async function listModels(url: URL): Promise<({ id?: unknown; owned_by?: unknown } | null)[]> {
  const where = `${url.origin}/v1/models`
  const answer = await ask(where)
  if (answer.status === 401 || answer.status === 403) {
    throw new CommandFailed(`${where} asks for a key (${answer.status}). For that, ${BY_CONFIGURATION}.`)
  }
  if (answer.status !== 200)
    throw new CommandFailed(`${where} answers ${answer.status}, not a list of models.`)
  const list = await answer.json().catch(() => undefined)
  const data = (list as { data?: unknown } | null | undefined)?.data
  if (!Array.isArray(data)) throw new CommandFailed(`${where} does not answer with a list of models.`)
  return data
}

async function ask(where: string): Promise<Response> {
  try {
    return await fetch(where, { signal: AbortSignal.timeout(LOOK_TIMEOUT_MS), redirect: 'manual' })
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string; message?: string } }
    const reason = cause?.code ?? cause?.message ?? message
    throw new CommandFailed(`No model server answers on ${where} (${reason}). Start it, then try again.`)
  }
}

export interface SimulatedUpstream extends DevUpstream {
  close(): Promise<void>
}

/** The simulated model server, over mutual TLS and with an API key, as a real one should be reached. */
export async function startSimulatedUpstream({ tls, apiKey }: UpstreamSecrets): Promise<SimulatedUpstream> {
  const { startModelServer } = await import('../../../loadtest/model-server.ts')
  const server = await startModelServer({ mode: 'echo', tls, apiKey, model: 'demo', interTokenLatencyMs: 20 })
  const origin = server.url.replace('127.0.0.1', 'localhost')
  const models = [{ name: 'demo', upstreamModel: 'demo' }]
  return { origin, server: 'vllm', models, secured: 'mutual-tls', close: () => server.close() }
}
