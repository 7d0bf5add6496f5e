import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createServer as createTcpServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeAuthority } from '../../src/commands/dev/authority.ts'
import { writeConfiguration } from '../../src/commands/dev/configuration.ts'
import { makeFolder } from '../../src/commands/dev/folder.ts'
import { startSimulatedUpstream } from '../../src/commands/dev/upstream.ts'
import { freePorts } from '../support/stack.ts'
import { runProgram } from './run-program.ts'

interface Check {
  readonly name: string
  readonly state: string
  readonly detail: string
  readonly advice?: string
}

const folder = mkdtempSync(join(tmpdir(), 'sallyport-doctor-'))
const secrets = await makeFolder(folder)
const upstream = await startSimulatedUpstream(secrets)
const [port, probesPort, opsPort] = (await freePorts(3)) as [number, number, number]
writeConfiguration(folder, { port, probesPort, opsPort }, upstream)
t.teardown(async () => {
  await upstream.close()
  rmSync(folder, { recursive: true })
})

/** A configuration like the good one but for `edit`, and what the doctor says of it. */
async function examine(edit: (config: string) => unknown) {
  const config = join(folder, 'edited')
  rmSync(config, { recursive: true, force: true })
  cpSync(join(folder, 'config'), config, { recursive: true })
  await edit(config)
  const { code, out } = await runProgram(['doctor', '-c', config, '--json'])
  const { healthy, checks } = JSON.parse(out) as { healthy: boolean; checks: Check[] }
  const bad = checks.filter(({ name, state }) => state !== 'ok' && name !== 'Node.js')
  return { code, healthy, bad }
}

const replaceIn = (file: string, from: string | RegExp, to: string) => (config: string) => {
  const path = join(config, file)
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to))
}

async function hold(on: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>()
  on.listen(0, '127.0.0.1', resolve)
  await promise
  return (on.address() as { port: number }).port
}

t.test('nothing wrong: a line for each check, 0, and nothing is left behind', async (t) => {
  const before = readdirSync(join(folder, 'audit'))
  const { code, out } = await runProgram(['doctor', '-c', join(folder, 'config')])
  t.equal(code, 0, out)
  for (const line of [
    /^ok +configuration +.+ is sound$/m,
    /^ok +traffic TLS certificates +valid until .+ \(29 days\)$/m,
    /^ok +traffic TLS CRL +valid until/m,
    /^ok +audit log +.+ is empty$/m,
    /^ok +model server upstream +.+ answers and serves 1 of ours$/m,
    /^ok +traffic port +127\.0\.0\.1:\d+ is free$/m,
    /^ok +probes port +127\.0\.0\.1:\d+ is free$/m,
    /^0 failed, /m,
  ])
    t.match(out, line)
  t.same(readdirSync(join(folder, 'audit')), before)
})

t.test('below the Node.js floor without leave', async (t) => {
  const { out } = await runProgram(['doctor', '-c', join(folder, 'config'), '--json'])
  const node = (JSON.parse(out).checks as Check[])[0] as Check
  t.equal(node.name, 'Node.js')
  t.match(node.detail, process.versions.node)
  t.equal(node.state === 'ok', node.advice === undefined)
})

t.test('a configuration that is wrong: its places, and the rest is not guessed at', async (t) => {
  const { code, healthy, bad } = await examine(replaceIn('gateway.yaml', 'port: ', 'prot: '))
  t.same({ code, healthy }, { code: 1, healthy: false })
  t.ok(bad.every(({ name, state }) => name === 'configuration' && state === 'failed'))
  t.match(bad[0]?.detail, /gateway\.yaml:\d+:\d+ /)
  t.type(bad[0]?.advice, 'string')
})

t.test('a certificate that runs out soon is a warning, a CRL that has run out a failure', async (t) => {
  const soon = { notAfter: new Date(Date.now() + 3 * 86_400_000) }
  const ca = await makeAuthority('doctor test', soon)
  const list = await ca.crl({ nextUpdate: soon.notAfter })
  const near = await examine((config) => {
    writeFileSync(join(config, 'tls/client-ca.crt'), ca.cert)
    writeFileSync(join(config, 'tls/client-ca.crl'), list)
  })
  t.equal(near.code, 0)
  t.match(near.bad, [{ name: 'traffic TLS certificates', state: 'warning', detail: /\(2 days\)/ }, {}])

  const old = { thisUpdate: new Date(Date.now() - 9e7), nextUpdate: new Date(Date.now() - 8e7) }
  const past = await ca.crl(old)
  const late = await examine((config) => {
    writeFileSync(join(config, 'tls/client-ca.crt'), ca.cert)
    writeFileSync(join(config, 'tls/client-ca.crl'), past)
  })
  t.equal(late.code, 1)
  t.ok(late.bad.some(({ name, state }) => /TLS/.test(name) && state === 'failed'))
})

t.test('an audit log that is no chain', async (t) => {
  const { code, bad } = await examine((config) => {
    cpSync(join(folder, 'audit'), join(folder, 'broken'), { recursive: true })
    writeFileSync(join(folder, 'broken/audit-000000000001.jsonl'), '{"not":"a record"}\n')
    replaceIn('gateway.yaml', '../audit', '../broken')(config)
  })
  t.equal(code, 1)
  t.match(bad, [{ name: 'audit log', state: 'failed', detail: /broken at seq 1/, advice: /audit verify/ }])
})

t.test(
  'model servers: not there, silent, of another authority, with another key, without our model',
  async (t) => {
    const [closed] = (await freePorts(1)) as [number]
    const silent = createTcpServer((socket) => socket.on('error', () => {}))
    const silentPort = await hold(silent)
    const other = await makeAuthority('another')
    const leaf = await other.issue({ dnsNames: ['localhost'], eku: ['1.3.6.1.5.5.7.3.1'] })
    const strange = createServer({ cert: leaf.cert, key: leaf.key })
    const strangePort = await hold(strange)
    t.teardown(() => {
      silent.close()
      strange.close()
    })
    const at = (to: number) => replaceIn('models.yaml', upstream.origin, `https://localhost:${to}`)
    const cases: readonly (readonly [(config: string) => unknown, RegExp, RegExp, number])[] = [
      [at(closed), /ECONNREFUSED/, /Start it/, 1],
      [at(silentPort), /no answer within 3000 ms/, /network/, 1],
      [at(strangePort), /UNABLE_TO|SELF_SIGNED|CERT/, /tls\.ca/, 1],
      [(config) => writeFileSync(join(config, 'upstream.key'), 'sk-wrong'), /answers 401/, /apiKeyFile/, 1],
      [
        replaceIn('models.yaml', 'upstreamModel: "demo"', 'upstreamModel: "other"'),
        /does not list other/,
        /upstreamModel/,
        0,
      ],
    ]
    for (const [edit, detail, advice, expected] of cases) {
      const { code, bad } = await examine(edit)
      t.equal(code, expected)
      t.match(bad, [{ name: 'model server upstream', detail, advice }])
      t.equal(bad.length, 1)
    }
  },
)

t.test('keys of an issuer that cannot be fetched', async (t) => {
  const [closed] = (await freePorts(1)) as [number]
  const keys = `keys: {url: "https://localhost:${closed}/jwks", ca: tls/upstream-ca.crt}`
  const { code, bad } = await examine(replaceIn('gateway.yaml', 'keys: {file: issuer.jwks.json}', keys))
  t.equal(code, 1)
  t.match(bad, [
    { name: 'issuer dev', state: 'failed', detail: /fetch_failed/, advice: /tokens cannot be verified/ },
  ])
})

t.test('ports: taken by another program, and an address of another machine', async (t) => {
  const other = createTcpServer()
  const taken = await hold(other)
  t.teardown(() => other.close())
  const busy = await examine(replaceIn('gateway.yaml', `port: ${port}`, `port: ${taken}`))
  t.equal(busy.code, 1)
  t.match(busy.bad, [{ name: 'traffic port', detail: /in use by another program/, advice: /another port/ }])
  const away = await examine(replaceIn('gateway.yaml', 'host: 127.0.0.1', 'host: 192.0.2.1'))
  t.match(away.bad, [{ name: 'traffic port', detail: /cannot listen on 192\.0\.2\.1:\d+ \(EADDRNOTAVAIL\)/ }])
  t.notOk(existsSync(join(folder, 'audit', 'audit.lock')))
})
