// Sallyport with everything on, and with one thing after another switched off. What cannot be switched off (mutual TLS,
// the JWT, the limits of a role, the audit log, metrics, the bounds of a request) is on in every row.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../processes.ts'
import { root } from './places.ts'
import type { Found, Place, Plan, Row, World } from './row.ts'

type Switch = 'redaction' | 'limits' | 'log' | 'revocation'
const switches: Readonly<Record<Switch, string>> = {
  redaction: 'redaction both ways and injection signals',
  limits: 'six limits beside those of the role, tokens a minute of the role, the journal of limits',
  log: 'a log line for each exchange',
  revocation: 'the certificate revocation list and the list of revoked tokens and certificates',
}
const always =
  'mutual TLS 1.3, JWT, requests a minute and exchanges at a time of the role, audit log, metrics'
const all = Object.keys(switches) as Switch[]

const AMPLE = 1_000_000_000
const REQUESTS = 1_000_000
const TENANT = 'demo'

export const sallyportRows: readonly Row[] = [
  row('sallyport', 'Sallyport, everything on', []),
  ...all.map((each) => row(`sallyport-no-${each}`, `Sallyport without ${each}`, [each])),
  row('sallyport-least', 'Sallyport, the least that can be on', all),
]

function row(name: string, title: string, without: readonly Switch[]): Row {
  const off = without.map((each) => switches[each])
  const on =
    without.length === 0
      ? [always, ...Object.values(switches)]
      : [without.length === all.length ? always : 'the rest']
  return {
    name,
    title,
    on: on.join('; '),
    off: off.join('; ') || 'nothing',
    ...(without.includes('redaction') ? {} : { redacts: true as const }),
    find,
    plan: (world, place) => planned(world, place, new Set(without)),
  }
}

async function find(): Promise<Found> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const { stdout } = await promisify(execFile)('git', ['rev-parse', '--short', 'HEAD'], { cwd: root }).catch(
    () => ({ stdout: 'no commit' }),
  )
  return { version: `${version} (${stdout.trim()})` }
}

/** The certificates and keys of the world are copied: a gateway watches the folder of its configuration. */
async function planned(world: World, { folder, port }: Place, without: ReadonlySet<Switch>): Promise<Plan> {
  for (const part of ['audit', 'quota']) mkdirSync(join(folder, part), { mode: 0o700 })
  cpSync(join(world.folder, 'dev/config'), join(folder, 'config'), { recursive: true })
  const [probes, ops] = await Promise.all([freePort(), freePort()])
  const files = {
    'config/gateway.yaml': gatewayOf(world, { port, probes, ops }, without),
    'config/models.yaml': modelsOf(world),
    'config/policies.yaml': policiesOf(without),
    'config/redaction.yaml': redactionOf(without),
  }
  return {
    command: process.execPath,
    args: [join(root, 'src/main.ts'), 'serve', '-c', join(folder, 'config'), '--log-format', 'json'],
    cwd: root,
    files: Object.fromEntries(
      Object.entries(files).map(([name, value]) => [name, `${JSON.stringify(value, null, 2)}\n`]),
    ),
    origin: `https://localhost:${port}`,
    headers: { authorization: `Bearer ${world.token}` },
  }
}

interface Ports {
  readonly port: number
  readonly probes: number
  readonly ops: number
}

const gatewayOf = ({ issuer, allowedNode }: World, ports: Ports, without: ReadonlySet<Switch>): object => ({
  traffic: {
    host: '127.0.0.1',
    port: ports.port,
    tls: {
      certificate: 'tls/server.crt',
      key: 'tls/server.key',
      clientCa: 'tls/client-ca.crt',
      ...(without.has('revocation') ? {} : { crl: ['tls/client-ca.crl'] }),
    },
  },
  probes: { port: ports.probes },
  ops: { port: ports.ops },
  identity: {
    ...(without.has('revocation') ? {} : { revocations: 'revocations.json' }),
    issuers: [
      {
        name: 'dev',
        issuer: issuer.name,
        audience: issuer.audience,
        algorithms: ['ES256'],
        keys: { file: 'issuer.jwks.json' },
        claims: { tenant: ['tenant'], roles: ['roles'] },
      },
    ],
  },
  audit: { directory: '../audit' },
  ...(without.has('limits') ? {} : { quota: { directory: '../quota' } }),
  drain: { delayMs: 0, deadlineMs: 5_000 },
  log: { level: without.has('log') ? 'error' : 'info' },
  ...(allowedNode === undefined ? {} : { runtime: { allowUnsupportedNode: allowedNode } }),
})

const modelsOf = ({ modelPort }: World): object => ({
  pools: { model: { server: 'vllm', endpoints: [`http://127.0.0.1:${modelPort}`] } },
  models: { demo: { pool: 'model', outputTokensMax: 4_096, price: { input: 1, output: 2 } } },
})

const policiesOf = (without: ReadonlySet<Switch>): object => ({
  unknownFields: 'refuse',
  scopes: { inference: { endpoints: ['chat.completions', 'embeddings', 'models'], models: ['*'] } },
  roles: {
    app: {
      scopes: ['inference'],
      parameters: { outputTokensMax: 4_096 },
      limits: {
        requestsPerMinute: REQUESTS,
        burst: REQUESTS,
        inFlight: 10_000,
        ...(without.has('limits') ? {} : { tokensPerMinute: AMPLE }),
      },
      redaction: 'profile',
      binding: 'none',
    },
  },
  ...(without.has('limits') ? {} : { limits, organizations: { everybody: [TENANT] } }),
})

const limits = {
  'principal-requests': { counts: 'requests', per: 'second', amount: REQUESTS, by: ['principal'] },
  'tenant-input': { counts: 'input_tokens', per: 'hour', amount: AMPLE, by: ['tenant', 'model'] },
  'tenant-output': { counts: 'output_tokens', per: 'hour', amount: AMPLE, by: ['tenant', 'model'] },
  'tenant-tokens': { counts: 'total_tokens', per: 'day', amount: AMPLE * 1_000, by: ['tenant'] },
  'organization-budget': { counts: 'cost', per: 'month', amount: REQUESTS, by: ['organization'] },
  'model-slots': { counts: 'in_flight', amount: 10_000, by: ['model'] },
}

function redactionOf(without: ReadonlySet<Switch>): object {
  const profile = without.has('redaction')
    ? { injection: 'off', prompt: { default: 'allow' }, reply: { default: 'allow' } }
    : { prompt: { default: 'mask', entities: { PRIVATE_KEY: 'block' } }, reply: { default: 'mask' } }
  return { pseudonyms: { keyFile: 'pseudonym.key' }, profiles: { profile } }
}
