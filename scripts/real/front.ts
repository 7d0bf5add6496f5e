// The gateway in front of real model servers: `sallyport serve`, a process of its own, everything on.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import OpenAI from 'openai'
import { Agent, type RequestInit, fetch as undiciFetch } from 'undici'
import { makeFolder } from '../../src/commands/dev/folder.ts'
import { devAudience, devIssuer, signingKeyFile } from '../../src/commands/dev/names.ts'
import { signToken } from '../../src/commands/token.ts'
import { checkRuntime } from '../../src/config/runtime.ts'
import { freePort, run, start, until, untilReady } from './command.ts'
import { connectionsOf } from './connections.ts'
import { type ModelServer, sumOf } from './model-server.ts'

const main = join(import.meta.dirname, '../../src/main.ts')

/** A model as callers see it. */
export interface FrontModel {
  readonly name: string
  readonly server: ModelServer
  readonly keepAlive?: boolean
  /** Instead of the server's own. */
  readonly apiKey?: string
}

/** Roles with a limit of their own; `limitedRoles` says which. */
export const limitedRoles = ['brisk', 'hourly', 'monthly', 'small', 'single'] as const
export type Role = 'app' | 'open' | 'narrow' | (typeof limitedRoles)[number]

export interface AuditRecord {
  readonly event: string
  readonly request_id?: string
  readonly outcome?: string
  readonly status?: number
  readonly code?: string
  readonly attempts?: number
  readonly input_tokens?: number
  readonly output_tokens?: number
  readonly usage_reported?: boolean
}

export interface Front {
  readonly directory: string
  readonly baseUrl: string
  readonly log: () => string
  /** Connections that the gateway holds open to a port of loopback. */
  connectionsTo(port: number): number
  token(role?: Role): string
  /** The stock client, over mutual TLS; it retries nothing, so that every fault shows. */
  openai(role?: Role): OpenAI
  fetch(path: string, init: RequestInit): ReturnType<typeof undiciFetch>
  audit(): AuditRecord[]
  metric(name: string): Promise<number>
  /** Waits until every exchange that began has ended and was recorded; resolves with the endings. */
  settled(): Promise<AuditRecord[]>
  /** Ends it as Kubernetes would; resolves with its exit status. */
  stop(): Promise<number | string>
  verifyAudit(): Promise<string>
}

export async function startFront(directory: string, models: readonly FrontModel[]): Promise<Front> {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  await makeFolder(directory)
  const [port, probesPort] = [await freePort(), await freePort()]
  writeConfiguration(directory, models, { port, probesPort })
  const config = join(directory, 'config')
  const gateway = start(process.execPath, [main, 'serve', '--config', config, '--log-format', 'json'], {
    logFile: join(directory, 'gateway.log'),
  })
  const probes = `http://127.0.0.1:${probesPort}`
  const ready = async (): Promise<boolean> => (await fetch(`${probes}/readyz`)).ok
  await untilReady(gateway, ready, { what: 'the gateway', timeoutMs: 60_000 })

  const read = (file: string): string => readFileSync(join(directory, file), 'utf8')
  const agent = new Agent({
    connect: { ca: read('ca.crt'), cert: read('client.crt'), key: read('client.key') },
    headersTimeout: 600_000,
    bodyTimeout: 600_000,
  })
  const signingKey = read(signingKeyFile)
  const token = (role: Role = 'app'): string =>
    signToken(signingKey, { subject: 'tester', tenant: 'demo', role: [role], lifetime: 3_000 }).jwt
  const audit = (): AuditRecord[] => readAudit(join(directory, 'audit'))
  const metric = async (name: string): Promise<number> =>
    sumOf(await (await fetch(`${probes}/metrics`)).text(), name)
  return {
    directory,
    baseUrl: `https://localhost:${port}/v1`,
    log: () => gateway.log(),
    connectionsTo: (remote) => connectionsOf(gateway.pid ?? 0, remote),
    token,
    openai: (role) =>
      new OpenAI({
        apiKey: token(role),
        maxRetries: 0,
        timeout: 300_000,
        baseURL: `https://localhost:${port}/v1`,
        fetch: undiciFetch as unknown as typeof globalThis.fetch,
        fetchOptions: { dispatcher: agent } as never,
      }),
    fetch: (path, init) => undiciFetch(`https://localhost:${port}${path}`, { ...init, dispatcher: agent }),
    audit,
    metric,
    settled: async () => {
      await until('every exchange ended', async () => (await metric('sallyport_requests_in_flight')) === 0)
      await until('every admission has its ending', () => openExchanges(audit()).size === 0)
      return audit().filter(({ event }) => event === 'exchange.ended')
    },
    stop: async () => {
      await agent.destroy()
      return await gateway.stop()
    },
    verifyAudit: () => run(process.execPath, [main, 'audit', 'verify', join(directory, 'audit')]),
  }
}

function openExchanges(records: readonly AuditRecord[]): Set<string | undefined> {
  const open = new Set<string | undefined>()
  for (const { event, request_id: id } of records) {
    if (event === 'exchange.admitted') open.add(id)
    if (event === 'exchange.ended') open.delete(id)
  }
  return open
}

function readAudit(folder: string): AuditRecord[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.jsonl'))
    .sort()
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8')
      return text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    })
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditRecord)
}

function writeConfiguration(
  directory: string,
  models: readonly FrontModel[],
  ports: { readonly port: number; readonly probesPort: number },
): void {
  const write = (file: string, value: string | object): void =>
    writeFileSync(
      join(directory, 'config', file),
      typeof value === 'string' ? value : JSON.stringify(value, null, 2),
      { mode: 0o600 },
    )
  for (const { name, server, apiKey } of models) write(`${name}.key`, apiKey ?? server.apiKey)
  write('gateway.yaml', gatewaySection(ports))
  write('models.yaml', {
    pools: Object.fromEntries(models.map((model) => [model.name, poolSection(model)])),
    models: Object.fromEntries(
      models.map(({ name, server }) => [
        name,
        { pool: name, upstreamModel: server.model, outputTokensMax: 32_000 },
      ]),
    ),
  })
  write('policies.yaml', policies)
  write('redaction.yaml', redaction)
}

const poolSection = ({ name, server, keepAlive = true }: FrontModel): object => ({
  server: server.kind,
  endpoints: [server.origin],
  apiKeyFile: `${name}.key`,
  keepAlive,
})

const gatewaySection = (ports: { readonly port: number; readonly probesPort: number }): object => ({
  traffic: {
    host: '127.0.0.1',
    port: ports.port,
    tls: {
      certificate: 'tls/server.crt',
      key: 'tls/server.key',
      clientCa: 'tls/client-ca.crt',
      crl: ['tls/client-ca.crl'],
    },
  },
  probes: { port: ports.probesPort },
  identity: {
    revocations: 'revocations.json',
    issuers: [
      {
        name: 'real',
        issuer: devIssuer,
        audience: devAudience,
        algorithms: ['ES256'],
        keys: { file: 'issuer.jwks.json' },
        claims: { tenant: ['tenant'], roles: ['roles'] },
      },
    ],
  },
  audit: { directory: '../audit' },
  drain: { delayMs: 0, deadlineMs: 5_000 },
  log: { level: 'debug' },
  ...(checkRuntime(process.versions.node).supported
    ? {}
    : { runtime: { allowUnsupportedNode: process.versions.node } }),
})

const role = (redaction: string, inFlight: number): object => ({
  scopes: ['inference'],
  parameters: {
    outputTokensMax: 32_000,
    choicesMax: 4,
    tools: ['*'],
    responseFormats: ['text', 'json_object', 'json_schema'],
  },
  limits: { requestsPerMinute: 100_000, burst: 100_000, inFlight },
  redaction,
})

const ofRole = (name: Role, rule: object): object => ({
  by: ['tenant', 'role'],
  where: { roles: [name] },
  ...rule,
})

/** `app` masks both ways; `open` shows replies as they are, to prove what the model said; `narrow` has two slots. */
const policies = {
  unknownFields: 'refuse',
  scopes: {
    inference: { endpoints: ['chat.completions', 'completions', 'embeddings', 'models'], models: ['*'] },
  },
  roles: {
    app: role('mask', 200),
    open: role('open', 200),
    narrow: role('mask', 2),
    brisk: role('mask', 200),
    hourly: role('mask', 200),
    monthly: role('mask', 200),
    small: role('mask', 200),
    single: role('mask', 200),
  } satisfies Record<Role, object>,
  limits: {
    brisk: ofRole('brisk', { counts: 'requests', per: 'second', amount: 1, burst: 1 }),
    hourly: ofRole('hourly', { counts: 'requests', per: 'hour', amount: 1, burst: 1 }),
    monthly: ofRole('monthly', { counts: 'requests', per: 'month', amount: 1 }),
    small: ofRole('small', { counts: 'total_tokens', per: 'minute', amount: 300 }),
    single: ofRole('single', { counts: 'in_flight', amount: 1 }),
  } satisfies Record<(typeof limitedRoles)[number], object>,
}

const redaction = {
  profiles: {
    mask: { prompt: { default: 'mask' }, reply: { default: 'mask' } },
    open: { prompt: { default: 'mask' }, reply: { default: 'allow' } },
  },
}
