import { readFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { systemClock } from '../../clock.ts'
import type { Config } from '../../config/load.ts'
import { routesOf } from '../../config/model-routes.ts'
import type { PoolConfig } from '../../config/schema/models.ts'
import { secretOf } from '../../config/secret.ts'
import { serversNow } from '../../gateway/pool-discovery.ts'
import { type Check, failed, ok, warning } from './check.ts'

const TIMEOUT_MS = 3_000
const REPLY_BYTES_MAX = 1024 * 1024
const AT_ONCE_MAX = 16

interface Server {
  readonly origin: string
  /** Name that its certificate must bear, where that is not the host of the origin. */
  readonly serverName: string | undefined
}

interface Endpoint extends Server {
  readonly name: string
  readonly pool: PoolConfig
  /** What the models of the pool are called at its servers. */
  readonly models: readonly string[]
}

/** Asks every model server once which models it has, over its own TLS and with its key, as the gateway would. */
export async function checkUpstreams({ models }: Config): Promise<Check[]> {
  const checks: Check[] = []
  const endpoints: Endpoint[] = []
  for (const [name, pool] of Object.entries(models.pools)) {
    const servers = await serversOf(pool)
    if (servers.length === 0) checks.push(nobodyNamed(name, pool))
    for (const server of servers)
      endpoints.push({ ...server, name: `model server ${name}`, pool, models: modelsAt(name, models) })
  }
  for (let start = 0; start < endpoints.length; start += AT_ONCE_MAX) {
    checks.push(...(await Promise.all(endpoints.slice(start, start + AT_ONCE_MAX).map(checkOne))))
  }
  return checks
}

const modelsAt = (pool: string, { models }: Config['models']): string[] =>
  Object.entries(models)
    .flatMap(([publicName, model]) => routesOf(publicName, model))
    .filter((route) => route.pool === pool)
    .map(({ upstreamModel }) => upstreamModel)

async function serversOf({ endpoints = [], discovery }: PoolConfig): Promise<readonly Server[]> {
  if (discovery !== undefined) return await serversNow(discovery, systemClock)
  return endpoints.map((origin) => ({ origin: origin.replace(/\/$/, ''), serverName: undefined }))
}

const nobodyNamed = (name: string, { discovery }: PoolConfig): Check =>
  failed(
    `model server ${name}`,
    `the name service names no server for ${discovery?.name}`,
    'Write the name whole in models.yaml (no search list applies), and see whether it has ready servers.',
  )

async function checkOne(endpoint: Endpoint): Promise<Check> {
  try {
    const { status, body } = await listModels(endpoint)
    return judge(endpoint, status, body)
  } catch (error) {
    const { code, name, message } = error as NodeJS.ErrnoException
    const late = name === 'AbortError' || name === 'TimeoutError'
    const reason = late ? `no answer within ${TIMEOUT_MS} ms` : (code ?? message)
    return failed(endpoint.name, `${endpoint.origin}: ${reason}`, advice(code ?? ''))
  }
}

function judge({ name, origin, models }: Endpoint, status: number, body: string): Check {
  if (status === 401 || status === 403) {
    return failed(name, `${origin} answers ${status}`, 'Check apiKeyFile of the pool in models.yaml.')
  }
  const served = status === 200 ? modelIds(body) : undefined
  if (served === undefined) {
    return warning(name, `${origin} answers ${status} without a list of models`, 'Is it a model server?')
  }
  const missing = models.filter((model) => !served.includes(model))
  if (missing.length === 0) return ok(name, `${origin} answers and serves ${models.length} of ours`)
  return warning(
    name,
    `${origin} does not list ${missing.slice(0, 5).join(', ')}`,
    'Check upstreamModel in models.yaml; calls for these fail.',
  )
}

function modelIds(body: string): unknown[] | undefined {
  try {
    const { data } = JSON.parse(body) as { data?: unknown }
    return Array.isArray(data) ? data.map((card) => (card as { id?: unknown } | null)?.id) : undefined
  } catch {
    return undefined
  }
}

function advice(code: string): string {
  if (code === 'ECONNREFUSED') return 'Start it, or correct its address in models.yaml.'
  if (/^(ENOTFOUND|EAI_AGAIN)$/.test(code))
    return 'Correct its name in models.yaml, or mend the name service.'
  if (/CERT|SIGNATURE|ERR_TLS|ERR_SSL|EPROTO/.test(code)) {
    return 'Check tls.ca, tls.certificate and tls.serverName of the pool in models.yaml.'
  }
  return 'Check the network between here and there, and its address in models.yaml.'
}

async function listModels({ origin, serverName, pool }: Endpoint): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const send = origin.startsWith('https:') ? secureRequest : plainRequest
  const options = {
    ...tlsOptions(pool, serverName),
    headers: headersFor(pool),
    agent: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }
  const request = send(`${origin}/v1/models`, options, (response) => {
    let body = ''
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      body += text
      if (body.length > REPLY_BYTES_MAX) response.destroy(new Error('a reply that is too large'))
    })
    response.on('error', reject)
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
  })
  request.on('error', reject)
  request.end()
  return await promise
}

function headersFor({ apiKeyFile }: PoolConfig): Record<string, string> {
  const secret = apiKeyFile === undefined ? '' : secretOf(readFileSync(apiKeyFile))
  return typeof secret === 'string' ? {} : { authorization: `Bearer ${secret.reveal()}` }
}

const tlsOptions = ({ tls }: PoolConfig, serverName: string | undefined) =>
  tls === undefined
    ? {}
    : {
        ca: readFileSync(tls.ca),
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2' as const,
        ...(tls.certificate === undefined ? {} : { cert: readFileSync(tls.certificate) }),
        ...(tls.key === undefined ? {} : { key: readFileSync(tls.key) }),
        ...namedAs(tls.serverName ?? serverName),
      }

const namedAs = (servername: string | undefined) => (servername === undefined ? {} : { servername })
