import { CommandFailed } from '../surroundings.ts'
import type { DevUpstream } from './configuration.ts'
import type { UpstreamSecrets } from './folder.ts'

const LOOK_TIMEOUT_MS = 5_000
const MODELS_MAX = 50
const modelName = /^[A-Za-z0-9._:@+/-]{1,256}$/

const serverByOwner: Readonly<Record<string, DevUpstream['server']>> = {
  vllm: 'vllm',
  sglang: 'sglang',
  llamacpp: 'llamacpp',
}

/** Asks the model server that the developer named which models it has, and guesses what it is by how it says so. */
export async function findUpstream(origin: string): Promise<DevUpstream> {
  const url = URL.parse(origin)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CommandFailed(`SALLYPORT_UPSTREAM is not an address such as http://localhost:8000`)
  }
  const cards = await listModels(url)
  const models = cards.flatMap(({ id }) => (typeof id === 'string' && modelName.test(id) ? [id] : []))
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

async function listModels(url: URL): Promise<{ id?: unknown; owned_by?: unknown }[]> {
  try {
    const answer = await fetch(new URL('/v1/models', url), { signal: AbortSignal.timeout(LOOK_TIMEOUT_MS) })
    const { data } = (await answer.json()) as { data?: unknown }
    return Array.isArray(data) ? data : []
  } catch (error) {
    const reason = (error as Error & { cause?: Error }).cause?.message ?? (error as Error).message
    throw new CommandFailed(
      `No model server answers on ${url.origin}/v1/models (${reason}). Start it, then try again.`,
    )
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
  return { origin, server: 'vllm', models: ['demo'], secured: 'mutual-tls', close: () => server.close() }
}
