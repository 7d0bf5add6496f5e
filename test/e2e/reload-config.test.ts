// The configuration changes while callers call and streams run: nobody fails, exchanges under way keep the rules that
// they began with, new ones have the new rules; a broken file changes nothing and says so.
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startModelServer } from '../../loadtest/model-server.ts'
import { loadConfig } from '../../src/config/load.ts'
import { folderSource } from '../../src/config/source.ts'
import { knowledge } from '../../src/gateway/knowledge.ts'
import { createTelemetry } from '../../src/gateway/telemetry.ts'
import { startGateway } from '../../src/gateway.ts'
import { callerOf, codeOf, HeldModel, linesOf, loopCalls, put, recordsOf } from '../support/flow.ts'
import { chatBody, openRaw, requestText } from '../support/raw-client.ts'
import { samplesOf } from '../support/scene.ts'
import { freePorts, type Stack, startStack, until } from '../support/stack.ts'

const held = new HeldModel()
const stack = await startStack({ model: { script: held.script } })
t.teardown(() => stack.stop())
const caller = callerOf(stack)
t.teardown(() => caller.close())

const policyOf = async (): Promise<string> => (await caller.chat()).headers.get('x-sallyport-policy') ?? ''

/** Writes the change and waits until new exchanges run under another policy. */
async function changePolicy(change: () => void): Promise<string> {
  const before = await policyOf()
  change()
  let now = before
  await until(async () => {
    now = await policyOf()
    return now !== before
  })
  return now
}

const counted = async (result: string): Promise<number> =>
  samplesOf(await stack.metrics()).get(`sallyport_config_reloads_total{result="${result}"}`) ?? 0

t.test('under traffic, every kind of change of a file takes effect and no call fails', async (t) => {
  const loop = loopCalls(caller)
  const streams = await Promise.all(Array.from({ length: 5 }, () => caller.stream()))
  const began = streams.map(({ head }) => head.headers.get('x-sallyport-policy'))

  await t.test('a cap of a role', async (t) => {
    t.equal((await caller.chat({ max_tokens: 200 })).status, 200)
    await changePolicy(() =>
      stack.configure('policies', { roles: { app: { parameters: { outputTokensMax: 100 } } } }),
    )
    const refused = await caller.chat({ max_tokens: 200 })
    t.equal(refused.status, 400)
    t.equal(await codeOf(refused), 'parameter_above_cap')
  })

  await t.test('a redaction profile', async (t) => {
    const said = (): string => stack.model.requests.at(-1)?.body ?? ''
    await caller.chat({ messages: [{ role: 'user', content: 'mail ann@corp.example today' }] })
    t.notMatch(said(), /ann@corp/)
    await changePolicy(() =>
      stack.configure('redaction', {
        profiles: { mask: { prompt: { entities: { EMAIL_ADDRESS: 'block' } } } },
      }),
    )
    const blocked = await caller.chat({
      messages: [{ role: 'user', content: 'mail ann@corp.example today' }],
    })
    t.equal(await codeOf(blocked), 'content_blocked')
  })

  await t.test('a limit', async (t) => {
    await changePolicy(() =>
      stack.configure('policies', { roles: { app: { limits: { requestsPerMinute: 9_000 } } } }),
    )
    const reply = await caller.chat()
    t.equal(reply.headers.get('x-ratelimit-limit-requests'), '9000')
    await reply.text()
  })

  await t.test('a new pool and a new model, and one that goes', async (t) => {
    const other = await startModelServer({ model: 'other', reply: ['from another pool'] })
    t.teardown(() => other.close())
    t.equal((await caller.chat({ model: 'late' })).status, 404)
    await changePolicy(() => {
      stack.configure('models', {
        pools: { second: { server: 'vllm', endpoints: [other.url] } },
        models: { late: { pool: 'second', upstreamModel: 'other', outputTokensMax: 64 } },
      })
      stack.configure('policies', { scopes: { inference: { models: ['demo', 'late'] } } })
    })
    await until(async () => (await caller.chat({ model: 'late' })).status === 200)
    t.match(await (await caller.chat({ model: 'late' })).text(), /from another pool/)
    const list = (await (await caller.fetch('/v1/models')).json()) as { data: { id: string }[] }
    t.same(list.data.map(({ id }) => id).sort(), ['demo', 'late'])
    await changePolicy(() => {
      stack.configure('policies', { scopes: { inference: { models: ['demo'] } } })
      stack.configure('models', { pools: { second: undefined }, models: { late: undefined } })
    })
    t.equal((await caller.chat({ model: 'late' })).status, 404)
  })

  await t.test('exchanges under way kept their version and ran to their end', async (t) => {
    held.release()
    t.same(await Promise.all(streams.map(({ end }) => end)), Array(5).fill('ended'))
    for (const stream of streams) t.match(stream.text(), /data: \[DONE\]\n\n$/)
    const admitted = recordsOf(stack, 'exchange.admitted').filter(({ stream }) => stream === true)
    const ids = new Set(admitted.map((record) => record['request_id']))
    const endings = () => recordsOf(stack, 'exchange.ended').filter((record) => ids.has(record['request_id']))
    await until(() => endings().length === 5)
    const ended = endings()
    for (const [index, { request_id, policy }] of admitted.entries()) {
      const end = ended.find((record) => record['request_id'] === request_id)
      t.equal(policy, began[index])
      t.equal(end?.['policy'], policy, 'the ending names the version that the exchange began with')
    }
  })

  const { seen, calls, policies } = await loop.stop()
  t.same([...seen.keys()], ['200'], `of ${calls} calls`)
  t.ok(policies.length >= 5, 'the loop ran under every version')
})

t.test(
  'an exchange whose body is still coming uses the pool that it began with, although it is gone',
  async (t) => {
    const slow = await openRaw(stack)
    t.teardown(() => slow.destroy())
    const body = chatBody()
    const text = requestText({ body, token: stack.token() })
    slow.send(text.slice(0, -body.length + 1))
    await until(async () => samplesOf(await stack.metrics()).get('sallyport_requests_in_flight') === 1)
    const connections = stack.model.stats.connections
    await changePolicy(() => stack.configure('models', { pools: { gpu: { connectionsMax: 99 } } }))
    await until(() => stack.model.stats.connections > connections)
    slow.send(text.slice(-body.length + 1))
    const [reply] = await slow.answered(1)
    t.equal(reply?.status, 200)
  },
)

t.test('the hash of the running policy is in header, metrics and audit', async (t) => {
  const hash = await changePolicy(() => stack.configure('policies', { unknownFields: 'drop' }))
  const samples = samplesOf(await stack.metrics())
  const info = [...samples].filter(([name]) => name.startsWith('sallyport_config_info{'))
  t.same(info, [[`sallyport_config_info{hash="${hash}"}`, 1]])
  await until(() => recordsOf(stack, 'config.reloaded').at(-1)?.['policy'] === hash)
  t.equal(await counted('applied'), recordsOf(stack, 'config.reloaded').length)
  t.equal(linesOf(stack, 'config.reloaded').at(-1)?.['hash'], hash)
  t.equal(await counted('rejected'), 0, 'writing two files in a row was never read half')
})

t.test(
  'an invalid file leaves the old rules in force, says where it is wrong, and mending it recovers',
  async (t) => {
    const good = readFileSync(join(stack.folder, 'config/policies.yaml'), 'utf8')
    const before = await policyOf()
    const applied = await counted('applied')
    put(stack, 'policies.yaml', good.replace('"redaction": "mask"', '"redaction": "msak"'))
    await until(async () => (await counted('rejected')) === 1)
    const [line] = linesOf(stack, 'config.rejected')
    t.equal(line?.['running'], before)
    t.match(
      String(line?.['problems']),
      /config\/policies\.yaml:\d+:\d+ roles\.app\.redaction "msak" is not a profile/,
    )
    t.equal(await policyOf(), before)
    t.equal(await counted('applied'), applied)

    put(stack, 'policies.yaml', '{')
    await until(async () => (await counted('rejected')) === 2)
    t.equal(await policyOf(), before)

    put(stack, 'policies.yaml', good)
    await until(async () => (await counted('applied')) === applied + 1)
    t.equal(await policyOf(), before, 'the same rules have the same hash')
  },
)

t.test('a file that only the new configuration names is followed from then on', async (t) => {
  put(stack, 'other-revocations.json', '{"revoked":[{"jti":"t-1"}]}')
  const applied = await counted('applied')
  stack.configure('gateway', { identity: { revocations: 'other-revocations.json' } })
  await until(async () => (await counted('applied')) === applied + 1)
  const token = stack.token({ claims: { jti: 't-1' } })
  t.equal(await codeOf(await caller.chat({}, token)), 'token_revoked')
  put(stack, 'other-revocations.json', '{"revoked":[]}')
  await until(async () => (await caller.chat({}, token)).status === 200)
})

t.test('a file that a refused configuration names is followed too', async (t) => {
  const rejected = await counted('rejected')
  put(stack, 'bad-revocations.json', '{"revoked":[{"jit":"t-1"}]}')
  stack.configure('gateway', { identity: { revocations: 'bad-revocations.json' } })
  await until(async () => (await counted('rejected')) === rejected + 1)
  t.match(String(linesOf(stack, 'config.rejected').at(-1)?.['problems']), /bad-revocations\.json: entry 0/)
  const applied = await counted('applied')
  put(stack, 'bad-revocations.json', '{"revoked":[]}')
  await until(async () => (await counted('applied')) === applied + 1)
})

t.test('what takes effect only after a restart is named', async (t) => {
  stack.configure('gateway', { traffic: { serverName: ['localhost'], bounds: { connectionsMax: 77 } } })
  await until(() => linesOf(stack, 'config.needs_restart').length > 0)
  t.same(linesOf(stack, 'config.needs_restart').at(-1)?.['fields'], [
    'traffic.serverName',
    'traffic.bounds.connectionsMax',
  ])
})

t.test('a folder that is a link to a version, as release tools and mounted ConfigMaps are', async (t) => {
  const root = join(stack.folder, 'linked')
  const current = join(root, 'current')
  const place = (version: string, source: Stack): void => {
    mkdirSync(root, { recursive: true })
    cpSync(join(source.folder, 'config'), join(root, version), { recursive: true })
  }
  const point = (version: string): void => {
    symlinkSync(version, join(root, 'next'))
    renameSync(join(root, 'next'), current)
  }
  const [port, probesPort, opsPort] = await freePorts(3)
  const gatewayOf = (version: string) => join(root, version, 'gateway.yaml')
  const onOwnPorts = (version: string): void => {
    const gateway = JSON.parse(readFileSync(gatewayOf(version), 'utf8'))
    Object.assign(gateway.traffic, { port })
    Object.assign(gateway.probes, { port: probesPort })
    Object.assign(gateway.ops, { port: opsPort })
    gateway.audit.directory = '../audit'
    writeFileSync(gatewayOf(version), JSON.stringify(gateway))
  }
  place('v1', stack)
  mkdirSync(join(root, 'audit'))
  onOwnPorts('v1')
  point('v1')
  const source = folderSource(current)
  const loaded = await loadConfig(source, knowledge(Date.now()))
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems))
  const telemetry = createTelemetry('0', { level: 'error', format: 'json', stream: { write: () => {} } })
  const gateway = await startGateway({ source, config: loaded.config, telemetry, version: '0' })
  t.teardown(() => gateway.close())
  const linked = callerOf({ ...stack, port: port as number })
  t.teardown(() => linked.close())
  const policy = async () => (await linked.chat()).headers.get('x-sallyport-policy')
  const hashes = [await policy()]
  for (const version of ['v2', 'v3']) {
    place(version, stack)
    onOwnPorts(version)
    const policies = JSON.parse(readFileSync(join(root, version, 'policies.yaml'), 'utf8'))
    policies.roles.app.parameters.outputTokensMax = version === 'v2' ? 32 : 33
    writeFileSync(join(root, version, 'policies.yaml'), JSON.stringify(policies))
    point(version)
    if (version === 'v3') rmSync(join(root, 'v2'), { recursive: true })
    await until(async () => !hashes.includes(await policy()))
    hashes.push(await policy())
  }
  t.equal(new Set(hashes).size, 3)
  t.equal((await linked.chat({ max_tokens: 33 })).status, 200)
  t.equal((await linked.chat({ max_tokens: 34 })).status, 400)
})
