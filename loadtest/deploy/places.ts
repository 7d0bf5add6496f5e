// Gateways of one configuration, each with ports, configuration folder, audit folder and journal of its own, as two
// machines would have them.
import { randomBytes, randomInt } from 'node:crypto'
import { cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { request } from 'undici'
import { type Child, startNode } from '../bench/processes.ts'
import { audience, type Issuer, issuerName } from './issuer.ts'

export const root = join(import.meta.dirname, '../..')

export interface Place {
  readonly name: string
  readonly folder: string
  readonly port: number
  readonly probesPort: number
  readonly opsPort: number
}

export interface PlaceOptions {
  /** A folder that `makeSecrets` filled: throw-away certificates. */
  readonly secrets: string
  readonly issuer: Issuer
  /** Origin of the model server. */
  readonly upstream: string
  readonly drain: { readonly delayMs: number; readonly deadlineMs: number }
  /** Most exchanges, and connections of a caller. */
  readonly inFlightMax?: number
  /** Merged into `traffic.stream`. */
  readonly stream?: Readonly<Record<string, number>>
  /** More pools and models beside `demo`, given the origin of the model server. */
  readonly more?: (upstream: string) => { readonly pools: object; readonly models: object }
}

const IN_FLIGHT_MAX = 2_000
/** A machine that is busy for seconds is no fault of the model server, nor of a caller: it is not what is measured. */
const patience = {
  timeouts: { connectMs: 60_000 },
  health: { probe: false, failuresMax: 1_000 },
  // Thousands of streams that only stay open say nothing about how many the server bears.
  concurrency: { adaptive: false },
  // Node's server closes idle connections after five seconds, on such a machine while a request is on its way.
  keepAlive: false,
}
/** The role of all callers, which only rate limits tell from that of `sallyport dev`: they are not what is measured. */
const policies = {
  unknownFields: 'refuse',
  scopes: { inference: { endpoints: ['chat.completions', 'models'], models: ['*'] } },
}
const redaction = {
  pseudonyms: { keyFile: 'pseudonym.key' },
  profiles: {
    mask: {
      prompt: { default: 'mask', entities: { PRIVATE_KEY: 'block' } },
      reply: { default: 'mask' },
    },
  },
}

/** Below the ports that systems give to outgoing connections: one of those could take it while a gateway is away. */
const LOW_PORTS = { from: 10_000, to: 30_000 }

/** A port that is free, and stays so. */
export async function lowPort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOW_PORTS.from, LOW_PORTS.to)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}

/** Makes the folders and files of a gateway. */
export async function makePlace(name: string, parent: string, options: PlaceOptions): Promise<Place> {
  const [port, probesPort, opsPort] = await Promise.all([lowPort(), lowPort(), lowPort()])
  const place = { name, folder: join(parent, name), port, probesPort, opsPort }
  for (const part of ['audit', 'quota', 'config', 'config/tls'])
    mkdirSync(join(place.folder, part), { recursive: true, mode: 0o700 })
  for (const file of ['server.crt', 'server.key', 'client-ca.crt'])
    cpSync(join(options.secrets, file), join(place.folder, 'config/tls', file))
  putFile(place, 'issuer.jwks.json', JSON.stringify({ keys: [options.issuer.jwk] }))
  putFile(place, 'pseudonym.key', `${randomBytes(32).toString('base64')}\n`)
  putFile(place, 'gateway.yaml', JSON.stringify(gatewayOf(place, options)))
  putFile(place, 'models.yaml', JSON.stringify(modelsOf(options)))
  putFile(place, 'policies.yaml', JSON.stringify(policiesOf(1_000_000, options.inFlightMax)))
  putFile(place, 'redaction.yaml', JSON.stringify(redaction))
  return place
}

/** Replaces a file of the configuration as release tools do: written beside, then moved over the old one. */
export function putFile({ folder }: Place, file: string, text: string): void {
  const path = join(folder, 'config', file)
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** Starts `sallyport serve` there; resolves when it listens. */
export const serve = ({ folder }: Place): Promise<Child> =>
  startNode(
    ['src/main.ts', 'serve', '-c', join(folder, 'config'), '--log-format', 'json'],
    '"listener":"ops"',
    root,
  )

/** A page, on a connection of its own: one that is kept may be closed while a busy machine asks again. */
export async function textOf(url: string): Promise<string> {
  const { body } = await request(url, { reset: true })
  return await body.text()
}

/** The value of a metric without labels; NaN when it is not there. */
export async function metricOf({ probesPort }: Place, name: string): Promise<number> {
  const text = await textOf(`http://127.0.0.1:${probesPort}/metrics`)
  return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
}

/** Hash of the configuration that runs. */
export async function configHash({ probesPort }: Place): Promise<string> {
  const answer = JSON.parse(await textOf(`http://127.0.0.1:${probesPort}/readyz`))
  return (answer as { checks: { config: { detail: string } } }).checks.config.detail
}

export const policiesOf = (requestsPerMinute: number, inFlight = IN_FLIGHT_MAX) => ({
  ...policies,
  roles: {
    app: {
      scopes: ['inference'],
      parameters: { outputTokensMax: 4096 },
      limits: { requestsPerMinute, burst: 100_000, inFlight: inFlight * 2 },
      redaction: 'mask',
      binding: 'none',
    },
  },
})

function gatewayOf({ port, probesPort, opsPort }: Place, options: PlaceOptions): object {
  const { drain, stream = {}, inFlightMax = IN_FLIGHT_MAX } = options
  return {
    traffic: {
      host: '127.0.0.1',
      port,
      tls: {
        certificate: 'tls/server.crt',
        key: 'tls/server.key',
        clientCa: 'tls/client-ca.crt',
        handshakeTimeoutMs: 60_000,
      },
      bounds: {
        connectionsMax: inFlightMax * 2,
        connectionsPerCertificateMax: inFlightMax * 2,
        headersTimeoutMs: 60_000,
        bodyTimeoutMs: 60_000,
      },
      stream,
    },
    probes: { port: probesPort },
    ops: { port: opsPort },
    identity: {
      issuers: [
        {
          name: 'load',
          issuer: issuerName,
          audience,
          algorithms: ['ES256'],
          keys: { file: 'issuer.jwks.json' },
          claims: { tenant: ['tenant'], roles: ['roles'] },
        },
      ],
    },
    audit: { directory: '../audit' },
    quota: { directory: '../quota' },
    drain,
    // The machine carries callers, gateways and servers at once: who is turned away for that is not what is measured.
    overload: { delayMsMax: 0 },
    runtime: { allowUnsupportedNode: process.versions.node },
  }
}

function modelsOf({ upstream, inFlightMax = IN_FLIGHT_MAX, more }: PlaceOptions): object {
  const { pools, models } = more?.(upstream) ?? {}
  return {
    pools: {
      upstream: { server: 'vllm', endpoints: [upstream], connectionsMax: inFlightMax, ...patience },
      ...pools,
    },
    models: {
      demo: { pool: 'upstream', upstreamModel: 'demo', outputTokensMax: 4096 },
      ...models,
    },
  }
}
