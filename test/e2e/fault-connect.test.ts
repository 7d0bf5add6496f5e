// The model server cannot be reached, or is reached and says nothing.
import t from 'tap'
import { type connectFaults, faultMatrix } from '../support/fault-matrix.ts'
import { openBlackHole } from '../support/fault-proxy/black-hole.ts'
import { type Cause, FaultScene } from '../support/fault-scene.ts'
import { freePorts, startStack, until } from '../support/stack.ts'

const gateway = { traffic: { stream: { firstByteTimeoutMs: 400 } } }
const scene = await FaultScene.open({ gateway })
t.teardown(() => scene.close())

t.test('accepted, then not a byte', async (t) => {
  const cause: Cause = { faults: { downstream: [{ kind: 'timeout' }] } }
  await scene.matches('accepted, then not a byte', cause)
  await scene.matches('accepted, then not a byte', { ...cause, stream: true })
  t.equal(scene.proxy.connections.at(-2)?.closed, 'fin', 'the gateway closed the connection that was silent')
})

t.test('a server that flaps: each call tells the truth of its moment', async (t) => {
  for (let round = 0; round < 5; round += 1) {
    const before = scene.proxy.connections.length
    await scene.proxy.down()
    const down = await scene.scene.chat()
    await down.text()
    t.equal(`${down.status} upstream_unavailable`, faultMatrix['the server flaps: down'].caller)
    t.equal(scene.proxy.connections.length, before)
    await scene.proxy.up()
    await scene.matches('the server flaps: up', {})
  }
  const ended = scene.scene.stack.audit().filter(({ event }) => event === 'exchange.ended')
  t.equal(ended.filter(({ code }) => code === 'upstream_unavailable').length, 5)
})

t.test('a server that goes down while calls run', async (t) => {
  const faulty = await FaultScene.open({ gateway, policies: { roles: {} } })
  t.teardown(() => faulty.close())
  faulty.scene.script = { content: ['one ', 'two '], end: { after: 2, how: 'stall' } }
  const calls = Array.from({ length: 8 }, async (_, index) => {
    const reply = await faulty.scene.chat({ stream: index % 2 === 0 })
    return { status: reply.status, text: await reply.text() }
  })
  await until(() => faulty.proxy.open === 8 && faulty.proxy.fromServer > 0)
  await until(() => faulty.scene.stack.model.stats.running === 8)
  await faulty.proxy.down()
  for (const { status, text } of await Promise.all(calls)) {
    t.ok(status === 200 || status === 502)
    t.match(text, 'upstream_truncated')
    t.notMatch(text, '[DONE]')
  }
  await faulty.nothingLeft()
  await faulty.proxy.up()
  faulty.scene.script = undefined
  // So many failures in a row may leave the server out for a while, never for good.
  await until(async () => {
    const next = await faulty.scene.chat()
    await next.text()
    return next.status === 200
  })
  await faulty.nothingLeft()
  t.pass('and it serves again')
})

/** Servers that are no server at all, so that there is no good call after them. */
async function unreachable(origin: string): Promise<{ status: number; code: string; record: object }> {
  const stack = await startStack({
    upstreamOrigin: origin,
    models: {
      pools: { gpu: { plaintext: 'allowed', timeouts: { connectMs: 300 }, health: { probe: false } } },
    },
  })
  try {
    const reply = await stack.post('/v1/chat/completions', {
      model: 'demo',
      messages: [{ role: 'user', content: 'hi' }],
    })
    const { error } = (await reply.json()) as { error: { code: string } }
    const ended = () => stack.audit().find(({ event }) => event === 'exchange.ended')
    await until(() => ended() !== undefined)
    const metrics = await stack.metrics()
    t.match(metrics, /^sallyport_upstream_turns\{pool="gpu"\} 0$/m)
    return { status: reply.status, code: error.code, record: ended() ?? {} }
  } finally {
    await stack.stop()
  }
}

type Unreachable = Extract<
  keyof typeof connectFaults,
  'connection refused' | 'packets vanish (black hole)' | 'its name does not resolve'
>
const hole = await openBlackHole()
t.teardown(() => hole.close())
const [closed] = (await freePorts(1)) as [number]
const origins: Readonly<Record<Unreachable, string>> = {
  'connection refused': `http://127.0.0.1:${closed}`,
  'packets vanish (black hole)': `http://127.0.0.1:${hole.port}`,
  'its name does not resolve': 'http://no-such-host.invalid:8000',
}
for (const [name, origin] of Object.entries(origins) as [Unreachable, string][]) {
  t.test(name, async (t) => {
    const { status, code, record } = await unreachable(origin)
    const { caller, outcome } = faultMatrix[name]
    t.equal(`${status} ${code}`, caller)
    t.match(record, { outcome, input_tokens: 0, output_tokens: 0, attempts: 1 })
  })
}
