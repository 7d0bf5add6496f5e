/**
 * The whole thing on real sockets: a gateway with everything on, in front of a simulated model server over mutual
 * TLS, with its own certificates, keys and configuration in a temporary folder. `stop` ends all of it.
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { Agent, type RequestInit, fetch as undiciFetch } from 'undici'
import { type ModelServer, type ModelServerOptions, startModelServer } from '../../loadtest/model-server.ts'
import { systemClock } from '../../src/clock.ts'
import { loadConfig } from '../../src/config/load.ts'
import { folderSource } from '../../src/config/source.ts'
import { knowledge } from '../../src/gateway/knowledge.ts'
import { createTelemetry } from '../../src/gateway/telemetry.ts'
import { type RunningGateway, startGateway } from '../../src/gateway.ts'
import { type Authority, type Identity, issueServer, makeAuthority } from './certificates.ts'

type Section = Record<string, unknown>

export interface StackOptions {
  readonly model?: Partial<ModelServerOptions>
  /** Merged into the generated files, deeply; `undefined` removes. */
  readonly gateway?: Section
  readonly policies?: Section
  readonly redaction?: Section
  readonly models?: Section
  /** Configure this upstream instead of the simulated one. */
  readonly upstreamOrigin?: string
  /** More files, by their path in the folder. */
  readonly files?: Readonly<Record<string, string>>
}

export interface TokenOptions {
  readonly roles?: readonly string[]
  readonly tenant?: string
  readonly subject?: string
  readonly lifetimeSeconds?: number
  readonly claims?: Section
  readonly header?: Section
}

export interface AdminOptions {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of one with the role `ops`; `null`: none. */
  readonly token?: string | null
}

export interface Stack {
  readonly folder: string
  readonly gateway: RunningGateway
  readonly model: ModelServer
  readonly clientCa: Authority
  readonly serverCa: Authority
  readonly client: Identity
  readonly port: number
  readonly probes: string
  /** Origin of the operators' listener. */
  readonly ops: string
  token(options?: TokenOptions): string
  /** undici's fetch over mutual TLS with a good certificate; add `authorization` yourself. */
  fetch(path: string, init?: RequestInit): ReturnType<typeof undiciFetch>
  /** A POST with a good token. */
  post(path: string, body: unknown, headers?: Record<string, string>): ReturnType<typeof undiciFetch>
  /** A request to the operators' listener by an operator, who sends JSON; `path` begins after `/admin/v1`. */
  admin(method: string, path: string, options?: AdminOptions): ReturnType<typeof undiciFetch>
  /** The stock OpenAI client. */
  openai(options?: { readonly token?: string; readonly maxRetries?: number }): OpenAI
  /** Rewrites one file of the configuration. */
  configure(file: 'gateway' | 'models' | 'policies' | 'redaction', changes: Section): void
  /** What the gateway logged, as JSON lines. */
  log(): Section[]
  /** The audit records on disk. */
  audit(): Section[]
  metrics(): Promise<string>
  stop(): Promise<void>
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'))
  const write = (file: string, text: string): void => writeFileSync(join(folder, file), text, { mode: 0o600 })
  for (const name of ['config', 'config/tls', 'audit']) mkdirSync(join(folder, name), { mode: 0o700 })
  const [serverCa, clientCa, upstreamCa] = (await Promise.all(
    ['server', 'client', 'upstream'].map((name) => makeAuthority(`test ${name} CA`)),
  )) as [Authority, Authority, Authority]
  const [server, client, upstreamServer, upstreamClient] = await Promise.all([
    issueServer(serverCa),
    clientCa.issue({ uris: ['spiffe://td.test/app'] }),
    issueServer(upstreamCa),
    upstreamCa.issue({ subject: 'CN=gateway' }),
  ])
  const model = await startModelServer({
    model: 'demo',
    apiKey: 'sk-upstream-test',
    tls: { cert: upstreamServer.cert, key: upstreamServer.key, ca: upstreamCa.cert },
    ...options.model,
  })
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  write('config/tls/server.crt', server.cert)
  write('config/tls/server.key', server.key)
  write('config/tls/client-ca.crt', clientCa.cert)
  write('config/tls/client-ca.crl', await clientCa.crl())
  write('config/tls/upstream-ca.crt', upstreamCa.cert)
  write('config/tls/upstream.crt', upstreamClient.cert)
  write('config/tls/upstream.key', upstreamClient.key)
  write('config/upstream.key', 'sk-upstream-test')
  write('config/revocations.json', '{"revoked":[]}')
  write(
    'config/issuer.jwks.json',
    JSON.stringify({
      keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }],
    }),
  )
  for (const [file, text] of Object.entries(options.files ?? {})) write(file, text)
  const [port, probesPort, opsPort] = (await freePorts(3)) as [number, number, number]
  const origin = options.upstreamOrigin ?? model.url.replace('127.0.0.1', 'localhost')
  const sections = {
    gateway: merge(gatewaySection({ port, probesPort, opsPort }), options.gateway),
    models: merge(modelsSection(origin), options.models),
    policies: merge(policiesSection, options.policies),
    redaction: merge(redactionSection, options.redaction),
  }
  for (const [name, section] of Object.entries(sections))
    write(`config/${name}.yaml`, JSON.stringify(section, null, 2))

  const source = folderSource(join(folder, 'config'))
  const loaded = await loadConfig(source, knowledge(Date.now()))
  // A server that stays open would keep the test file from ending.
  const abandon = async (error: unknown): Promise<never> => {
    await model.close()
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  if ('problems' in loaded) return abandon(new Error(JSON.stringify(loaded.problems, null, 2)))
  const lines: string[] = []
  const telemetry = createTelemetry('0.0.0-test', {
    level: 'debug',
    format: 'json',
    stream: { write: (line) => void lines.push(line) },
  })
  const gateway = await startGateway({
    source,
    config: loaded.config,
    telemetry,
    version: '0.0.0-test',
    clock: systemClock,
  }).catch(abandon)
  const agent = new Agent({ connect: { ca: serverCa.cert, cert: client.cert, key: client.key } })
  const token = tokenMaker(keys.privateKey)
  const fetch: Stack['fetch'] = (path, init) =>
    undiciFetch(`https://localhost:${port}${path}`, { ...init, dispatcher: agent })
  return {
    folder,
    gateway,
    model,
    clientCa,
    serverCa,
    client,
    port,
    probes: `http://127.0.0.1:${probesPort}`,
    ops: `https://localhost:${opsPort}`,
    token,
    fetch,
    post: (path, body, headers = {}) =>
      fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token()}`, ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    admin: (method, path, { body, headers = {}, token: given = token({ roles: ['ops'] }) } = {}) =>
      undiciFetch(`https://localhost:${opsPort}/admin/v1${path}`, {
        method,
        dispatcher: agent,
        headers: {
          ...(given === null ? {} : { authorization: `Bearer ${given}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    openai: ({ token: apiKey = token(), maxRetries = 0 } = {}) =>
      new OpenAI({
        apiKey,
        maxRetries,
        baseURL: `https://localhost:${port}/v1`,
        fetch: undiciFetch as unknown as typeof globalThis.fetch,
        fetchOptions: { dispatcher: agent } as never,
      }),
    configure: (file, changes) => {
      sections[file] = merge(sections[file], changes)
      write(`config/${file}.yaml`, JSON.stringify(sections[file], null, 2))
    },
    log: () =>
      lines.flatMap((line) => line.split('\n').filter((part) => part !== '')).map((line) => JSON.parse(line)),
    audit: () => readAudit(join(folder, 'audit')),
    metrics: async () => (await undiciFetch(`http://127.0.0.1:${probesPort}/metrics`)).text(),
    stop: async () => {
      await agent.destroy()
      await gateway.close()
      await model.close()
      await telemetry.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Makes tokens of the test issuer, signed with this key. */
export function tokenMaker(privateKey: Parameters<typeof sign>[2]): Stack['token'] {
  return ({
    roles = ['app'],
    tenant = 'acme',
    subject = 'alice',
    lifetimeSeconds = 300,
    claims,
    header,
  } = {}) => {
    const now = Math.floor(Date.now() / 1000)
    const payload = {
      iss: 'https://issuer.test',
      aud: 'sallyport',
      sub: subject,
      tenant,
      roles,
      iat: Math.min(now, now + lifetimeSeconds - 1),
      exp: now + lifetimeSeconds,
      ...claims,
    }
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const input = `${encode({ alg: 'ES256', kid: 'k1', typ: 'at+jwt', ...header })}.${encode(payload)}`
    const signature = sign('sha256', Buffer.from(input), {
      key: privateKey as never,
      dsaEncoding: 'ieee-p1363',
    })
    return `${input}.${signature.toString('base64url')}`
  }
}

interface Ports {
  readonly port: number
  readonly probesPort: number
  readonly opsPort: number
}

const gatewaySection = ({ port, probesPort, opsPort }: Ports): Section => ({
  traffic: {
    host: '127.0.0.1',
    port,
    tls: {
      certificate: 'tls/server.crt',
      key: 'tls/server.key',
      clientCa: 'tls/client-ca.crt',
      crl: ['tls/client-ca.crl'],
    },
    bounds: {},
    stream: {},
  },
  probes: { port: probesPort },
  ops: { port: opsPort },
  identity: {
    revocations: 'revocations.json',
    issuers: [
      {
        name: 'test',
        issuer: 'https://issuer.test',
        audience: 'sallyport',
        algorithms: ['ES256'],
        keys: { file: 'issuer.jwks.json' },
        claims: { tenant: ['tenant'], roles: ['roles'] },
      },
    ],
  },
  audit: { directory: '../audit' },
  drain: { delayMs: 0, deadlineMs: 2_000 },
  // Callers, gateway and model server share this process, and the machine runs other tests beside it.
  overload: { delayMsMax: 0 },
  log: { level: 'debug' },
})

/** The model server is to see calls alone: tests count and order what came to it. */
const unwatched: Section = { health: { probe: false }, balance: { loadReports: false } }

const modelsSection = (origin: string): Section => ({
  pools: {
    gpu: origin.startsWith('https:')
      ? {
          server: 'vllm',
          endpoints: [origin],
          tls: { ca: 'tls/upstream-ca.crt', certificate: 'tls/upstream.crt', key: 'tls/upstream.key' },
          apiKeyFile: 'upstream.key',
          ...unwatched,
        }
      : { server: 'vllm', endpoints: [origin], ...unwatched },
  },
  models: {
    demo: { pool: 'gpu', outputTokensMax: 512 },
    secret: { pool: 'gpu', upstreamModel: 'demo', outputTokensMax: 512 },
  },
})

const policiesSection: Section = {
  unknownFields: 'refuse',
  scopes: {
    inference: { endpoints: ['chat.completions', 'completions', 'embeddings', 'models'], models: ['demo'] },
    everything: { endpoints: ['chat.completions', 'completions', 'embeddings', 'models'], models: ['*'] },
  },
  roles: {
    app: {
      scopes: ['inference'],
      parameters: {
        outputTokensMax: 256,
        choicesMax: 4,
        tools: ['*'],
        responseFormats: ['text', 'json_object', 'json_schema'],
      },
      limits: { requestsPerMinute: 10_000, burst: 10_000, inFlight: 500 },
      redaction: 'mask',
      binding: 'none',
    },
    admin: {
      scopes: ['everything'],
      parameters: {
        outputTokensMax: 512,
        choicesMax: 8,
        logprobsMax: 5,
        tools: ['*'],
        responseFormats: ['text', 'json_object', 'json_schema'],
      },
      limits: { requestsPerMinute: 10_000, burst: 10_000, inFlight: 500 },
      redaction: 'open',
      binding: 'none',
    },
  },
}

const redactionSection: Section = {
  profiles: {
    mask: { prompt: { default: 'mask', entities: { PRIVATE_KEY: 'block' } }, reply: { default: 'mask' } },
    open: { prompt: { default: 'mask' }, reply: { default: 'allow' } },
  },
}

const isSection = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function merge(base: Section, changes: Section = {}): Section {
  const merged: Section = { ...base }
  for (const [key, value] of Object.entries(changes)) {
    const old = merged[key]
    if (value === undefined) delete merged[key]
    else merged[key] = isSection(old) && isSection(value) ? merge(old, value) : value
  }
  return merged
}

function readAudit(directory: string): Section[] {
  return (
    readdirSync(directory)
      .filter((file) => file.endsWith('.jsonl'))
      .sort()
      // What follows the last newline is a record that is being written at this moment.
      .flatMap((file) => readFileSync(join(directory, file), 'utf8').split('\n').slice(0, -1))
      .map((line) => JSON.parse(line))
  )
}

/**
 * Ports for test files that run at the same time: below the range from which the system gives ports to outgoing
 * connections (an ephemeral port that is free now may be taken before it is listened on), and a room of its own for
 * each process.
 */
const ROOM = 1_000
const firstPort = 11_000 + (process.pid % 20) * ROOM
let nextPort = Math.floor(Math.random() * ROOM)

/** Ports that were free a moment ago; no two calls of a process give the same within its last thousand. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    nextPort = (nextPort + 1) % ROOM
    const port = firstPort + nextPort
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

async function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', () => resolve(false))
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  return await promise
}

/** Waits until `ready` says so, looking often; fails after `timeoutMs`. */
export async function until(ready: () => boolean | Promise<boolean>, timeoutMs = 5_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await ready())) {
    if (Date.now() > deadline) throw new Error('waited too long')
    await systemClock.sleep(10)
  }
}
