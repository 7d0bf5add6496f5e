// What cannot be enforced does not start: each mistake stops the boot with a line that names its place and shows no
// secret, and a start that fails half-way gives back everything that it had taken.
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openAuditLog } from '../../src/audit/open.ts'
import { systemClock } from '../../src/clock.ts'
import { formatProblem } from '../../src/config/check.ts'
import { loadConfig } from '../../src/config/load.ts'
import { folderSource } from '../../src/config/source.ts'
import { knowledge } from '../../src/gateway/knowledge.ts'
import { createTelemetry } from '../../src/gateway/telemetry.ts'
import { startGateway } from '../../src/gateway.ts'
import { makeAuthority } from '../support/certificates.ts'
import { put, type Section } from '../support/flow.ts'
import { type Stack, startStack } from '../support/stack.ts'

const SECRET = 'sk-never-shown-5f3a9c'

/** A good configuration in a folder, whose gateway has stopped. */
const stack = await startStack()
await stack.gateway.close()
t.teardown(() => stack.stop())
const config = join(stack.folder, 'config')
const good = new Map(
  readdirSync(config, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => [file, readFileSync(file)] as const),
)

/** Puts the folder back as it was. */
function mend(): void {
  for (const [file, bytes] of good) {
    writeFileSync(file, bytes)
    chmodSync(file, 0o600)
  }
}

function edit(
  file: 'gateway' | 'models' | 'policies' | 'redaction',
  change: (section: Section) => void,
): void {
  const path = join(config, `${file}.yaml`)
  const section = JSON.parse(readFileSync(path, 'utf8')) as Section
  change(section)
  writeFileSync(path, JSON.stringify(section, null, 2))
}

const at = (section: Section, ...path: (string | number)[]): Section => {
  let value: unknown = section
  for (const step of path) value = (value as Record<string | number, unknown>)[step]
  return value as Section
}

/** Starts a gateway on the folder; returns the lines with which it refuses. */
async function boot(t: Test): Promise<readonly string[]> {
  const source = folderSource(config)
  const loaded = await loadConfig(source, knowledge(Date.now()))
  if ('problems' in loaded) return loaded.problems.map((problem) => formatProblem(problem, 'config'))
  const telemetry = createTelemetry('0', { level: 'debug', format: 'json', stream: { write: () => {} } })
  try {
    const gateway = await startGateway({ source, config: loaded.config, telemetry, version: '0' })
    t.teardown(() => gateway.close())
    return []
  } catch (error) {
    return [error instanceof Error ? error.message : 'unknown']
  } finally {
    await telemetry.close()
  }
}

const issuer = (gateway: Section): Section => at(gateway, 'identity', 'issuers', 0)
const traffic = (gateway: Section): Section => at(gateway, 'traffic')
const { privateKey: strangerKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = strangerKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Parts of what must never be shown. */
const secrets = [
  SECRET,
  pem.slice(40, 70),
  readFileSync(join(config, 'tls/server.key'), 'utf8').slice(40, 70),
]

interface Mistake {
  readonly make: () => unknown
  readonly says: RegExp
}

const mistakes: Record<string, Mistake> = {
  'an unknown key': {
    make: () => edit('gateway', (gateway) => Object.assign(traffic(gateway), { tlz: SECRET })),
    says: /gateway\.yaml:\d+:\d+ traffic/,
  },
  'an unknown key in policies': {
    make: () => edit('policies', (policies) => Object.assign(at(policies, 'roles', 'app'), { allow: 'all' })),
    says: /policies\.yaml:\d+:\d+ roles\.app\.allow/,
  },
  'the algorithm none': {
    make: () => edit('gateway', (gateway) => Object.assign(issuer(gateway), { algorithms: ['none'] })),
    says: /identity\.issuers\[0\]\.algorithms\[0\]/,
  },
  'an algorithm with a shared secret': {
    make: () => edit('gateway', (gateway) => Object.assign(issuer(gateway), { algorithms: ['HS256'] })),
    says: /identity\.issuers\[0\]\.algorithms\[0\]/,
  },
  'a shared secret in the key file': {
    make: () =>
      put(stack, 'issuer.jwks.json', JSON.stringify({ keys: [{ kty: 'oct', k: SECRET, kid: 'a' }] })),
    says: /issuer\.jwks\.json: keys refused: (private_key|no_usable_key)/,
  },
  'a private key in the key file': {
    make: () =>
      put(stack, 'issuer.jwks.json', JSON.stringify({ keys: [strangerKey.export({ format: 'jwk' })] })),
    says: /issuer\.jwks\.json: keys refused: private_key/,
  },
  'a key that everybody can read': {
    make: () => chmodSync(join(config, 'tls/server.key'), 0o644),
    says: /traffic\.tls\.key names a secret that every user .* chmod/,
  },
  'an API key that everybody can read': {
    make: () => chmodSync(join(config, 'upstream.key'), 0o604),
    says: /models\.yaml:\d+:\d+ pools\.gpu\.apiKeyFile/,
  },
  'a key of another certificate': {
    make: () => put(stack, 'tls/server.key', pem),
    says: /traffic\.tls\.key names a key that does not belong/,
  },
  'a key file that holds something else': {
    make: () => put(stack, 'tls/server.key', SECRET),
    says: /traffic\.tls\.key must name a PEM file/,
  },
  'no client authority': {
    make: () =>
      edit('gateway', (gateway) => Reflect.deleteProperty(at(gateway, 'traffic', 'tls'), 'clientCa')),
    says: /traffic\.tls/,
  },
  'a leaf in place of an authority': {
    make: () => put(stack, 'tls/client-ca.crt', stack.client.cert),
    says: /clientCa/,
  },
  'an authority without its revocation list': {
    make: async () =>
      put(stack, 'tls/client-ca.crt', stack.clientCa.cert + (await makeAuthority('other')).cert),
    says: /traffic\.tls: crl: 1 of the authorities have no revocation list/,
  },
  'probes that share the port of traffic': {
    make: () => edit('gateway', (gateway) => Object.assign(at(gateway, 'probes'), { port: stack.port })),
    says: /probes\.port/,
  },
  'a model server in the clear, away from this machine': {
    make: () =>
      edit('models', (models) => {
        const { tls: _, ...pool } = at(models, 'pools', 'gpu')
        at(models, 'pools')['gpu'] = { ...pool, endpoints: ['http://gpu.example:8000'] }
      }),
    says: /models\.yaml:\d+:\d+ pools\.gpu\.endpoints/,
  },
  'a role that shows logprobs of replies that it masks': {
    make: () =>
      edit('policies', (policies) =>
        Object.assign(at(policies, 'roles', 'app', 'parameters'), { logprobsMax: 1 }),
      ),
    says: /roles\.app\.parameters\.logprobsMax cannot be given/,
  },
  'a role that demands binding of tokens that are never bound': {
    make: () => {
      const claims = {
        tenant: { value: 'a' },
        roles: ['sub'],
        roleMap: { 'system:serviceaccount:a:b': 'app' },
      }
      const kubernetes = { kind: 'kubernetes', audienceMayBeList: true, typeMayBeAbsent: true, claims }
      edit('gateway', (gateway) => Object.assign(issuer(gateway), kubernetes))
      edit('policies', (policies) => Object.assign(at(policies, 'roles', 'app'), { binding: 'required' }))
    },
    says: /roles\.app\.binding cannot be required/,
  },
  'a revocation list with a slip of the pen': {
    make: () => put(stack, 'revocations.json', `{"revoked":[{"jit":"${SECRET}"}]}`),
    says: /revocations\.json: entry 0: neither jti, subject nor certificate/,
  },
  'tickets beside a revocation list': {
    make: () =>
      edit('gateway', (gateway) => Object.assign(at(gateway, 'traffic', 'tls'), { sessionTickets: true })),
    says: /traffic\.tls\.sessionTickets cannot be true/,
  },
  'an audit folder that is not there': {
    make: () => edit('gateway', (gateway) => Object.assign(at(gateway, 'audit'), { directory: 'nowhere' })),
    says: /audit\.directory must name a folder/,
  },
  'a file that is not YAML': {
    make: () => put(stack, 'policies.yaml', `roles: [${SECRET}`),
    says: /policies\.yaml:\d+:\d+/,
  },
}

for (const [name, { make, says }] of Object.entries(mistakes)) {
  t.test(`${name} stops the boot`, async (t) => {
    t.teardown(mend)
    await make()
    const lines = await boot(t)
    t.match(lines.join('\n'), says)
    t.ok(lines.every((line) => !line.includes('\n')))
    for (const secret of secrets) t.notOk(lines.join().includes(secret))
    t.notOk(existsSync(join(stack.folder, 'audit/audit.lock')), 'the folder of the audit log is free')
  })
}

/** Resolves to whether something listens. */
const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('close', () => {})
    setImmediate(() => socket.unref())
    t.teardown(() => socket.destroy())
  })

for (const [name, port] of [
  ['traffic', stack.port],
  ['probes', Number(new URL(stack.probes).port)],
] as const) {
  t.test(`the port of ${name} is in use: nothing is left open, and the next start works`, async (t) => {
    const taken = createServer().listen(port, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    t.match(await boot(t), [/EADDRINUSE/])
    await new Promise((resolve) => taken.close(resolve))
    t.equal(await listens(stack.port), false)
    t.equal(await listens(Number(new URL(stack.probes).port)), false)
    t.notOk(existsSync(join(stack.folder, 'audit/audit.lock')))
    t.equal(lastEvent(stack), 'gateway.stopped', 'the record of the start has its end')
    await t.test('again', async (t) => t.same(await boot(t), []))
  })
}

t.test('an audit folder that has a writer already', async (t) => {
  const directory = join(stack.folder, 'audit')
  const log = await openAuditLog({ directory, segmentBytesMax: 65_536, clock: systemClock })
  t.match(await boot(t), [/is locked/])
  t.equal(await listens(stack.port), false)
  await log.close()
})

t.test('an audit log that was tampered with', async (t) => {
  const directory = join(stack.folder, 'audit')
  const [segment] = readdirSync(directory).filter((file) => file.endsWith('.jsonl'))
  const path = join(directory, segment as string)
  const bytes = readFileSync(path, 'utf8')
  writeFileSync(path, bytes.replace(/"gateway.started"/g, '"gateway.stopped"'))
  t.match(await boot(t), [/audit/])
  t.notOk(existsSync(join(directory, 'audit.lock')))
  writeFileSync(path, bytes)
  rmSync(join(stack.folder, 'nowhere'), { recursive: true, force: true })
})

function lastEvent({ audit }: Stack): unknown {
  return audit().at(-1)?.['event']
}
